/** The inner loops in plain TypeScript: the oracle that the kernels are tested against. */
import { disposeSymbol } from "../../src/dispose.ts";
import { decodeWeights } from "../../src/graph/decode.ts";
import type { BlockCodes, BlockType } from "../../src/quantize/blocks/layout.ts";
import {
  type Grid,
  type Grouping,
  groupCount,
  groupsPerRow,
  type InnerLoops,
  type Resident,
} from "../../src/quantize/inner.ts";
import { naiveBlockCodes } from "./naive-blocks.ts";

/** Calls visit(position, group) for every element, in order. */
export function eachInGroup(grouping: Grouping, visit: (position: number, group: number) => void): void {
  const { rows, columns, groupSize } = grouping;
  const perRow = groupsPerRow(grouping);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) visit(row * columns + k, row * perRow + Math.floor(k / groupSize));
  }
}

/** To the nearest integer, ties to even; exact for |x| < 2^52. */
export function roundTiesEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

const gridCode = (x: number, group: number, { scale, zeroPoint, minCode, maxCode }: Grid): number => {
  const zero = typeof zeroPoint === "number" ? zeroPoint : zeroPoint[group]!;
  const steps = x === 0 ? 0 : roundTiesEven(Math.fround(x / scale[group]!));
  return Math.max(minCode, Math.min(maxCode, steps + zero));
};

const squaredDistance = (x: Float32Array, at: number, c: Float32Array, level: number, d: number): number => {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = Math.fround(x[at + j]! - c[level * d + j]!);
    sum = Math.fround(sum + Math.fround(difference * difference));
  }
  return sum;
};

/** Of each vector of `x` the index of the nearest of `centroids`: every distance by the definition, each step rounded to f32; the lowest of equal ones. */
export function naiveNearest(x: Float32Array, centroids: Float32Array, dimension: number): number[] {
  return Array.from({ length: x.length / dimension }, (_, i) => {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let c = 0; c < centroids.length / dimension; c++) {
      const distance = squaredDistance(x, i * dimension, centroids, c, dimension);
      if (distance < least) [best, least] = [c, distance];
    }
    return best;
  });
}

class NaiveResident implements Resident {
  readonly #x: Float32Array;
  constructor(x: Float32Array) {
    this.#x = x;
  }
  get length(): number {
    return this.#x.length;
  }
  absMax(grouping: Grouping): Float32Array {
    const result = new Float32Array(groupCount(grouping));
    eachInGroup(grouping, (i, g) => {
      result[g] = Math.max(result[g]!, Math.abs(this.#x[i]!));
    });
    return result;
  }
  meanAbs(grouping: Grouping): Float32Array {
    return this.meanAbsAbove(grouping, new Float32Array(groupCount(grouping)).fill(-1)).mean;
  }
  minMax(grouping: Grouping): { min: Float32Array; max: Float32Array } {
    const min = new Float32Array(groupCount(grouping)).fill(Number.POSITIVE_INFINITY);
    const max = new Float32Array(groupCount(grouping)).fill(Number.NEGATIVE_INFINITY);
    eachInGroup(grouping, (i, g) => {
      min[g] = Math.min(min[g]!, this.#x[i]!);
      max[g] = Math.max(max[g]!, this.#x[i]!);
    });
    return { min, max };
  }
  meanAbsAbove(grouping: Grouping, threshold: Float32Array): { mean: Float32Array; count: Uint32Array } {
    const sum = new Float64Array(groupCount(grouping));
    const count = new Uint32Array(sum.length);
    eachInGroup(grouping, (i, g) => {
      const magnitude = Math.abs(this.#x[i]!);
      if (magnitude <= threshold[g]!) return;
      sum[g]! += magnitude;
      count[g]!++;
    });
    return { mean: Float32Array.from(sum, (s, g) => (count[g] === 0 ? 0 : s / count[g]!)), count };
  }
  signCodes(): Uint8Array {
    return Uint8Array.from(this.#x, (x) => (x < 0 ? 1 : 0));
  }
  gridCodes(grouping: Grouping, grid: Grid): Uint8Array {
    const codes = new Uint8Array(this.#x.length);
    eachInGroup(grouping, (i, g) => {
      codes[i] = gridCode(this.#x[i]!, g, grid);
    });
    return codes;
  }
  gridErrors(grouping: Grouping, grid: Grid): Float64Array {
    const errors = new Float64Array(groupCount(grouping));
    eachInGroup(grouping, (i, g) => {
      const zero = typeof grid.zeroPoint === "number" ? grid.zeroPoint : grid.zeroPoint[g]!;
      const value = Math.fround((gridCode(this.#x[i]!, g, grid) - zero) * grid.scale[g]!);
      const difference = this.#x[i]! - value;
      errors[g]! += difference * difference;
    });
    return errors;
  }
  nearest(
    codebook: Float32Array,
    dimension: number,
    scaling?: { grouping: Grouping; scale: Float32Array },
  ): Uint8Array {
    let x = this.#x;
    if (scaling !== undefined) {
      x = new Float32Array(x.length);
      eachInGroup(scaling.grouping, (i, g) => {
        x[i] = this.#x[i]! / scaling.scale[g]!;
      });
    }
    return Uint8Array.from(naiveNearest(x, codebook, dimension));
  }
  clusterSums(codes: Uint8Array, dimension: number, clusters: number): { sums: Float64Array; counts: Uint32Array } {
    const sums = new Float64Array(clusters * dimension);
    const counts = new Uint32Array(clusters);
    for (let v = 0; v < codes.length; v++) {
      counts[codes[v]!]!++;
      for (let j = 0; j < dimension; j++) sums[codes[v]! * dimension + j]! += this.#x[v * dimension + j]!;
    }
    return { sums, counts };
  }
  blockCodes(type: BlockType, columns: number): BlockCodes {
    return naiveBlockCodes(type, this.#x, columns);
  }
  farthest(codes: Uint8Array, codebook: Float32Array, dimension: number): number {
    let best = 0;
    let most = -1;
    for (let v = 0; v < codes.length; v++) {
      const distance = squaredDistance(this.#x, v * dimension, codebook, codes[v]!, dimension);
      if (distance > most) {
        most = distance;
        best = v;
      }
    }
    return best;
  }
  [disposeSymbol](): void {}
}

export const naiveLoops: InnerLoops = {
  load: (x, factor = 1) => new NaiveResident(x.map((value) => value * factor)),
  firstNonFinite: (x) => x.findIndex((value) => !Number.isFinite(value)),
  firstCodeBeyond: (codes, levels) => codes.findIndex((code) => code >= levels),
  pack(codes, rows, perRow, bits) {
    const bytesPerRow = Math.ceil((perRow * bits) / 8);
    const packed = new Uint8Array(rows * bytesPerRow);
    for (let i = 0; i < codes.length; i++) {
      const row = Math.floor(i / perRow);
      for (let bit = 0; bit < bits; bit++) {
        const at = (i - row * perRow) * bits + bit;
        packed[row * bytesPerRow + (at >> 3)]! |= ((codes[i]! >> bit) & 1) << (at & 7);
      }
    }
    return packed;
  },
  unpack(packed, rows, perRow, bits) {
    const bytesPerRow = Math.ceil((perRow * bits) / 8);
    const codes = new Uint8Array(rows * perRow);
    for (let i = 0; i < codes.length; i++) {
      const row = Math.floor(i / perRow);
      for (let bit = 0; bit < bits; bit++) {
        const at = (i - row * perRow) * bits + bit;
        codes[i]! |= ((packed[row * bytesPerRow + (at >> 3)]! >> (at & 7)) & 1) << bit;
      }
    }
    return codes;
  },
  decode({ rows, columns, scale, scaleShape, groupSize, ...coded }, from, to) {
    const scaling = scale && scaleShape && groupSize !== undefined ? { scale, scaleShape, groupSize } : {};
    const whole = decodeWeights({ kind: "quantized", scheme: "", shape: [rows, columns], ...coded, ...scaling });
    return whole.slice(from * columns, to * columns);
  },
  // Byte layouts have no second implementation here: golden files hold them (blocks.test.ts).
  writeBlocks: () => 0,
  readBlocks: () => ({ codes: new Uint8Array(), scale: new Float32Array() }),
  errorSums(x, y) {
    let noise = 0;
    let signal = 0;
    let power = 0;
    let dot = 0;
    let maxAbs = 0;
    for (let i = 0; i < x.length; i++) {
      const difference = x[i]! - y[i]!;
      noise += difference * difference;
      signal += x[i]! * x[i]!;
      power += y[i]! * y[i]!;
      dot += x[i]! * y[i]!;
      maxAbs = Math.max(maxAbs, Math.abs(difference));
    }
    return { noise, signal, power, dot, maxAbs };
  },
};
