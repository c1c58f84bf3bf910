/** RaBitQ: 1 to 8 bits a coordinate of the rotated vector less its centroid; see crates/kernels/src/rabitq for formulas and papers. */
import {
  type KernelInstance,
  rabitqCode,
  rabitqEncode,
  rabitqQueryBytes,
  rabitqRowBytes,
  rabitqScan,
  subtractCentroids,
  type VectorRows,
} from "lowbit/kernels";
import { type CodeList, type Coder, type CoderSetting, copyRows, type Query, type Run, type Scanner } from "./coder.ts";
import { dot } from "./pq.ts";

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

  constructor(setting: RabitqSetting) {
    this.#setting = setting;
    this.residual = setting.mean === undefined;
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
    const { instance, dimension, bits, metric, mean } = this.#setting;
    const bytes = rabitqQueryBytes(dimension);
    const pointer = instance.alloc(bytes);
    /** Squared distances need the query less the centroid, inner products its product with it. */
    const ready = (centroid: Float32Array): { step: number; base: number } => {
      const values = metric === "l2" ? query.values.map((q, j) => q - centroid[j]!) : query.values;
      const most = values.reduce((most, q) => Math.max(most, Math.abs(q)), 0);
      const step = Math.fround(most / 127) || 1;
      const codes = instance.i8(pointer, bytes).fill(0);
      for (let j = 0; j < dimension; j++) codes[j] = Math.max(-127, Math.min(127, Math.round(values[j]! / step)));
      return { step, base: Math.fround(metric === "l2" ? dot(values, values) : -dot(values, centroid)) };
    };
    const fixed = mean && ready(mean);
    return {
      scan: ({ blocks, n }, selection, top, centroid) => {
        const { step, base } = fixed ?? ready(centroid!);
        const codes = { codes: blocks.codes!.pointer, factors: blocks.factors!.pointer, n, dimension, bits, metric };
        rabitqScan(instance, { ...selection, ...codes }, { codes: pointer, step, base }, top);
      },
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(pointer, bytes);
      },
    };
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

  [Symbol.dispose](): void {}
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
