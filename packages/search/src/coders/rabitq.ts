/** RaBitQ: 1 to 8 bits a coordinate of the rotated vector less its centroid; see crates/kernels/src/rabitq for formulas and papers. */
import {
  type HnswCodes,
  type KernelInstance,
  type RabitqQuery,
  rabitqCode,
  rabitqEncode,
  rabitqPrepare,
  rabitqQueryBytes,
  rabitqRowBytes,
  rabitqScan,
  subtractCentroids,
  type VectorRows,
} from "lowbit/kernels";
import { type CodeList, type Coder, type CoderSetting, copyRows, type Query, type Run, type Scanner } from "./coder.ts";

export interface RabitqSetting extends CoderSetting {
  readonly bits: number;
  /** f32 [D]: the mean of the training vectors; absent where lists have centroids of their own. */
  readonly mean: Float32Array | undefined;
}

export class RabitqCoder implements Coder {
  readonly residual: boolean;
  readonly counts = false;
  readonly blocks: Coder["blocks"];
  readonly #setting: RabitqSetting;
  /** Pointer to f32 [D], where there is one. */
  readonly #mean: number;

  constructor(setting: RabitqSetting) {
    this.#setting = setting;
    this.residual = setting.mean === undefined;
    this.#mean = setting.mean ? setting.instance.upload(setting.mean) : 0;
    const row = rabitqRowBytes(setting.dimension, setting.bits);
    this.blocks = { codes: (n) => n * row, factors: (n) => 8 * n };
  }

  append(list: CodeList, rows: VectorRows): void {
    const { instance, bits, mean } = this.#setting;
    const { x, n, dimension } = rows;
    if (mean) subtractRows(instance, rows, new Uint32Array(n), mean);
    const codes = list.blocks.codes!.extend(n * rabitqRowBytes(dimension, bits));
    rabitqEncode(instance, { x, n, dimension, bits }, codes, list.blocks.factors!.extend(8 * n));
    list.n += n;
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    copyRows(this, to, from, runs);
  }

  scanner(query: Query): Scanner {
    const { instance, dimension, bits, metric } = this.#setting;
    const each = rabitqQueryBytes(dimension);
    const bytes = query.count * each;
    const pointer = instance.alloc(bytes);
    const ready = (centroid: number): RabitqQuery[] =>
      Array.from({ length: query.count }, (_, i) => {
        const [from, to] = [query.pointer + 4 * dimension * i, pointer + each * i];
        return rabitqPrepare(instance, from, centroid, dimension, metric, to);
      });
    const fixed = this.residual ? undefined : ready(this.#mean);
    return {
      scan: ({ blocks, n }, selection, top, centroid) => {
        const codes = { codes: blocks.codes!.pointer, factors: blocks.factors!.pointer, n, dimension, bits, metric };
        for (const [i, one] of (fixed ?? ready(centroid!.pointer)).entries())
          rabitqScan(instance, { ...selection, ...codes }, one, top, i);
      },
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(pointer, bytes);
      },
    };
  }

  nodes({ blocks }: CodeList): HnswCodes {
    const { bits } = this.#setting;
    const [codes, factors] = [blocks.codes!.pointer, blocks.factors!.pointer];
    return { kind: "rabitq", codes, factors, bits, mean: this.#mean };
  }

  /** The multiple of the code's direction that is nearest to the vector: t <t, o> / <t, t>, with <t, o> = |o|² / f. */
  decode({ blocks }: CodeList, position: number): Float32Array {
    const { instance, dimension, bits, mean } = this.#setting;
    const row = rabitqRowBytes(dimension, bits);
    const codes = instance.u8(blocks.codes!.pointer + row * position, row);
    const [norm = 0, factor = 0] = instance.f32(blocks.factors!.pointer + 8 * position, 2);
    const t = Float64Array.from(
      { length: dimension },
      (_, j) => rabitqCode(codes, dimension, bits, j) - (2 ** bits - 1) / 2,
    );
    const squares = t.reduce((sum, t) => sum + t * t, 0);
    const scale = factor === 0 ? 0 : norm / factor / squares;
    return Float32Array.from(t, (t, j) => scale * t + (mean?.[j] ?? 0));
  }

  [Symbol.dispose](): void {
    const { instance, mean } = this.#setting;
    if (mean && !instance.ended) instance.free(this.#mean, mean.byteLength);
  }
}

/** Uploads, subtracts, frees. */
export function subtractRows(
  instance: KernelInstance,
  rows: VectorRows,
  assigned: Uint32Array,
  centroids: Float32Array,
): void {
  const [to, from] = [instance.upload(assigned), instance.upload(centroids)];
  try {
    subtractCentroids(instance, rows, to, from, centroids.length / rows.dimension);
  } finally {
    if (!instance.ended) {
      instance.free(to, assigned.byteLength);
      instance.free(from, centroids.byteLength);
    }
  }
}
