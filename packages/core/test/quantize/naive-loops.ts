/** The inner loops in plain TypeScript: the oracle that the kernels are tested against. */
import { disposeSymbol } from "../../src/dispose.ts";
import { decodeWeights } from "../../src/graph/decode.ts";
import type { BlockCodes, QuantizerBlock } from "../../src/quantize/blocks/layout.ts";
import {
  type Bases,
  type Bins,
  type Grid,
  type Grouping,
  groupCount,
  groupLength,
  groupsPerRow,
  type InnerLoops,
  type Mixture,
  type Resident,
  type StochasticGrid,
} from "../../src/quantize/inner.ts";
import type { Random } from "../../src/quantize/random.ts";
import { naiveBlockCodes } from "./naive-blocks.ts";
import { naiveCodebookLoops } from "./naive-codebooks.ts";
import { roundTiesEven } from "./naive-rounding.ts";
import { naiveSolver } from "./naive-solve.ts";

/** Calls visit(position, group) for every element, in order. */
export function eachInGroup(grouping: Grouping, visit: (position: number, group: number) => void): void {
  const { rows, columns, groupSize } = grouping;
  const perRow = groupsPerRow(grouping);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) visit(row * columns + k, row * perRow + Math.floor(k / groupSize));
  }
}

const gridCode = (x: number, group: number, { scale, zeroPoint, offset, minCode, maxCode }: Grid): number => {
  const zero = typeof zeroPoint === "number" ? zeroPoint : zeroPoint[group]!;
  const moved = offset === undefined ? x : Math.fround(x - offset[group]!);
  const steps = moved === 0 ? 0 : roundTiesEven(Math.fround(moved / scale[group]!));
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

/** ln π_j + ln λ_j / 2 - λ_j (x - μ_j)² / 2 of every component. */
const logDensities = (x: number, { proportion, mean, precision }: Mixture): number[] =>
  Array.from(mean, (m, j) => {
    const difference = x - m;
    return Math.log(proportion[j]!) + 0.5 * Math.log(precision[j]!) - 0.5 * precision[j]! * difference * difference;
  });

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
  stochasticCodes(grouping: Grouping, grid: StochasticGrid, random: Random): Uint8Array {
    const codes = new Uint8Array(this.#x.length);
    eachInGroup(grouping, (i, g) => {
      const q = (this.#x[i]! - (grid.offset?.[g] ?? 0)) / grid.scale[g]! || 0;
      const nearest = roundTiesEven(q);
      const draw = random.bits32() / 2 ** 32;
      const onLevel = Math.abs(q - nearest) <= Math.abs(q) * 2 ** -22;
      const steps = onLevel ? nearest : Math.floor(q) + (draw < q - Math.floor(q) ? 1 : 0);
      codes[i] = Math.max(grid.minCode, Math.min(grid.maxCode, steps + grid.zero));
    });
    return codes;
  }
  mixtureSums(mixture: Mixture): { sums: Float64Array; logLikelihood: number } {
    const count = mixture.mean.length;
    const sums = new Float64Array(3 * count);
    let logLikelihood = 0;
    for (const x of this.#x) {
      const densities = logDensities(x, mixture);
      const most = Math.max(...densities);
      const parts = densities.map((d) => (d - most > -40 ? Math.exp(d - most) : 0));
      let total = parts.slice(0, 2 - (count % 2)).reduce((sum, part) => sum + part, 0);
      for (let j = 2 - (count % 2); j < count; j += 2) total += parts[j]! + parts[j + 1]!;
      logLikelihood += most + Math.log(total);
      parts.forEach((part, j) => {
        const [r, difference] = [part / total, x - mixture.mean[j]!];
        sums[3 * j]! += r;
        sums[3 * j + 1]! += r * difference;
        sums[3 * j + 2]! += r * difference * difference;
      });
    }
    return { sums, logLikelihood };
  }
  mixtureCodes(mixture: Mixture): Uint8Array {
    return Uint8Array.from(this.#x, (x) => {
      const densities = logDensities(x, mixture);
      return densities.indexOf(Math.max(...densities));
    });
  }
  gridErrors(grouping: Grouping, grid: Grid): Float64Array {
    const errors = new Float64Array(groupCount(grouping));
    eachInGroup(grouping, (i, g) => {
      const zero = typeof grid.zeroPoint === "number" ? grid.zeroPoint : grid.zeroPoint[g]!;
      const step = Math.fround((gridCode(this.#x[i]!, g, grid) - zero) * grid.scale[g]!);
      const value = Math.fround(step + (grid.offset?.[g] ?? 0));
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
  magnitudeMask(pruned: number): Uint8Array {
    const order = [...this.#x.keys()].sort((a, b) => Math.abs(this.#x[a]!) - Math.abs(this.#x[b]!) || a - b);
    const mask = Uint8Array.from(this.#x, (x) => (x === 0 ? 0 : 1));
    for (const i of order.slice(0, pruned)) mask[i] = 0;
    return mask;
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
  blockCodes(type: QuantizerBlock, columns: number): BlockCodes {
    return naiveBlockCodes(type, this.#x, columns);
  }
  moments(grouping: Grouping): { mean: Float64Array; deviation: Float64Array } {
    const mean = new Float64Array(groupCount(grouping));
    const squares = new Float64Array(mean.length);
    const count = new Float64Array(mean.length);
    eachInGroup(grouping, (i, g) => {
      mean[g]! += this.#x[i]!;
      count[g]!++;
    });
    for (let g = 0; g < mean.length; g++) mean[g]! /= count[g]!;
    eachInGroup(grouping, (i, g) => {
      squares[g]! += (this.#x[i]! - mean[g]!) * (this.#x[i]! - mean[g]!);
    });
    return { mean, deviation: squares.map((sum, g) => Math.sqrt(sum / count[g]!)) };
  }
  residualSigns(grouping: Grouping, { codes, coefficients, count }: Bases): { codes: Uint8Array; mean: Float32Array } {
    const next = codes.slice();
    const sum = new Float64Array(groupCount(grouping));
    const length = new Float64Array(sum.length);
    eachInGroup(grouping, (i, g) => {
      let rest = this.#x[i]!;
      for (let base = 0; base < count; base++) rest -= signed(codes[i]!, base, coefficients[g * count + base]!);
      next[i] = (codes[i]! & (2 ** count - 1)) | (rest < 0 ? 2 ** count : 0);
      sum[g]! += Math.abs(rest);
      length[g]!++;
    });
    return { codes: next, mean: Float32Array.from(sum, (s, g) => s / length[g]!) };
  }
  fitBases(grouping: Grouping, codes: Uint8Array, count: number): Float32Array {
    const levels = 2 ** count;
    const groups = groupCount(grouping);
    const sums = new Float64Array(groups * levels);
    const counts = new Float64Array(groups * levels);
    eachInGroup(grouping, (i, g) => {
      sums[g * levels + codes[i]!]! += this.#x[i]!;
      counts[g * levels + codes[i]!]!++;
    });
    return Float32Array.from(
      Array.from({ length: groups }, (_, g) =>
        leastSquares(sums.subarray(g * levels, (g + 1) * levels), counts.subarray(g * levels, (g + 1) * levels), count),
      ).flat(),
    );
  }
  nearestBases(grouping: Grouping, coefficients: Float32Array, count: number): Uint8Array {
    const codes = new Uint8Array(this.#x.length);
    const levels = Array.from({ length: groupCount(grouping) }, (_, g) =>
      distinctSums(coefficients.subarray(g * count, (g + 1) * count)),
    );
    eachInGroup(grouping, (i, g) => {
      const [first, ...rest] = levels[g]!;
      let best = first!;
      for (const level of rest) {
        const middle = (best.value + level.value) / 2;
        if (this.#x[i]! < middle || (this.#x[i]! === middle && best.code < level.code)) break;
        best = level;
      }
      codes[i] = best.code;
    });
    return codes;
  }
  baseCodes(grouping: Grouping, thresholds: Float32Array, bits: number): Uint8Array {
    const codes = new Uint8Array(this.#x.length);
    eachInGroup(grouping, (i, g) => {
      for (let bit = 0; bit < bits; bit++) if (this.#x[i]! < thresholds[g * bits + bit]!) codes[i]! |= 1 << bit;
    });
    return codes;
  }
  scaleSums(
    grouping: Grouping,
    codes: Uint8Array,
    levels: Float32Array,
    importance?: Float32Array,
  ): { dot: Float64Array; power: Float64Array } {
    const dot = new Float64Array(groupCount(grouping));
    const power = new Float64Array(dot.length);
    eachInGroup(grouping, (i, g) => {
      const q = levels[codes[i]!]!;
      const weighted = (importance?.[i] ?? 1) * q;
      dot[g]! += weighted * this.#x[i]!;
      power[g]! += weighted * q;
    });
    return { dot, power };
  }
  ternaryScale(grouping: Grouping): Float32Array {
    const magnitudes = Array.from({ length: groupCount(grouping) }, (): number[] => []);
    eachInGroup(grouping, (i, g) => magnitudes[g]!.push(Math.abs(this.#x[i]!)));
    return Float32Array.from(magnitudes, (list) => {
      let [sum, most, best] = [0, 0, 0];
      for (const [at, magnitude] of list.toSorted((a, b) => b - a).entries()) {
        sum += magnitude;
        const explained = (sum * sum) / (at + 1);
        if (explained > most) [most, best] = [explained, sum / (at + 1)];
      }
      return best;
    });
  }
  levelScale(grouping: Grouping, levels: Float32Array, scale: Float32Array): Float32Array {
    const magnitudes = Array.from({ length: groupCount(grouping) }, (): number[] => []);
    eachInGroup(grouping, (i, g) => magnitudes[g]!.push(Math.abs(this.#x[i]!)));
    return scale.map((start, g) => {
      const sorted = magnitudes[g]!.toSorted((a, b) => a - b);
      const sumBefore = (end: number): number => sorted.slice(0, end).reduce((sum, m) => sum + m, 0);
      let alpha = start;
      for (let pass = 0; pass < 200; pass++) {
        let [dot, power, from, before] = [0, 0, 0, 0];
        for (const [i, level] of levels.entries()) {
          const middle = i + 1 < levels.length ? (alpha * (level + levels[i + 1]!)) / 2 : Number.POSITIVE_INFINITY;
          const end = sorted.filter((m, at) => at < from || m < middle).length;
          const sum = sumBefore(end);
          dot += level * (sum - before);
          power += level * level * (end - from);
          [from, before] = [end, sum];
        }
        const next = power > 0 ? Math.fround(dot / power) : alpha;
        if (next === alpha) break;
        alpha = next;
      }
      return alpha;
    });
  }
  orderStatistics(grouping: Grouping, of: "values" | "magnitudes", ranks: Uint32Array): Float32Array {
    const groups = groupCount(grouping);
    const sorted = Array.from({ length: groups }, (_, g) => new Float32Array(groupLength(grouping, g)));
    const filled = new Uint32Array(groups);
    eachInGroup(grouping, (i, g) => {
      sorted[g]![filled[g]!++] = of === "values" ? this.#x[i]! : Math.abs(this.#x[i]!);
    });
    for (const group of sorted) group.sort();
    return Float32Array.from(ranks, (rank, i) => sorted[Math.floor(i / (ranks.length / groups))]![rank]!);
  }
  histogram(
    { columns, groupSize }: Grouping,
    row: number,
    { side, count, top }: Bins,
  ): { counts: Uint32Array; squares: Float64Array } {
    const counts = new Uint32Array(top.length * count);
    const squares = new Float64Array(counts.length);
    const ofRow = this.#x.subarray(row * columns, (row + 1) * columns);
    eachInGroup({ rows: 1, columns, groupSize }, (i, g) => {
      const x = ofRow[i]!;
      if ((side === "positive" && x < 0) || (side === "negative" && x >= 0)) return;
      const part = Math.floor((Math.abs(x) * count) / top[g]!);
      const bin = g * count + (Number.isNaN(part) ? 0 : Math.min(count - 1, part));
      counts[bin]!++;
      squares[bin]! += x * x;
    });
    return { counts, squares };
  }
  thresholdCodes(grouping: Grouping, thresholds: Float32Array, scale: Float32Array): Uint8Array {
    const codes = new Uint8Array(this.#x.length);
    eachInGroup(grouping, (i, g) => {
      const x = Math.fround(this.#x[i]! / scale[g]!);
      codes[i] = thresholds.filter((threshold) => threshold <= x).length;
    });
    return codes;
  }
  [disposeSymbol](): void {}
}

/** a with the sign of base i in a code. */
const signed = (code: number, base: number, a: number): number => (((code >> base) & 1) === 0 ? a : -a);

/** The distinct sums ±a_0 ±a_1 ..., ascending, each with its lowest code. */
function distinctSums(coefficients: Float32Array): { value: number; code: number }[] {
  const levels = Array.from({ length: 2 ** coefficients.length }, (_, code) => ({
    value: coefficients.reduce((sum, a, base) => Math.fround(sum + signed(code, base, a)), 0),
    code,
  }));
  levels.sort((a, b) => (a.value === b.value ? a.code - b.code : a.value - b.value));
  return levels.filter(({ value }, i) => value !== levels[i - 1]?.value);
}

/** The normal equations of bases, by Gram-Schmidt's elimination in their order: G = L D Lᵀ. */
function leastSquares(sums: Float64Array, counts: Float64Array, bases: number): number[] {
  const order = Array.from({ length: bases }, (_, i) => i);
  const present = Array.from(sums.keys()).filter((code) => counts[code]! > 0);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const moments = order.map((i) => present.reduce((sum, code) => sum + signed(code, i, sums[code]!), 0));
  const gram = order.map((i) =>
    order.map((j) => present.reduce((sum, code) => sum + signed(code, i, signed(code, j, counts[code]!)), 0)),
  );
  const lower = order.map(() => order.map(() => 0));
  const d = order.map(() => 0);
  const y = order.map(() => 0);
  for (const j of order) {
    let [pivot, value] = [gram[j]![j]!, moments[j]!];
    for (let p = 0; p < j; p++) {
      pivot -= lower[j]![p]! * lower[j]![p]! * d[p]!;
      value -= lower[j]![p]! * y[p]!;
    }
    if (pivot <= total * 2 ** -40) continue;
    [d[j], y[j]] = [pivot, value];
    for (const i of order.slice(j + 1)) {
      let entry = gram[i]![j]!;
      for (let p = 0; p < j; p++) entry -= lower[i]![p]! * lower[j]![p]! * d[p]!;
      lower[i]![j] = entry / pivot;
    }
  }
  const a = order.map(() => 0);
  for (const j of order.toReversed()) {
    if (d[j] === 0) continue;
    a[j] = order.slice(j + 1).reduce((value, i) => value - lower[i]![j]! * a[i]!, y[j]! / d[j]!);
  }
  return a;
}

export const naiveLoops: InnerLoops = {
  ...naiveCodebookLoops,
  solver: naiveSolver,
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
  compress: (x, mask) => x.filter((_, i) => mask[i] === 1),
  expand(kept, mask) {
    let at = 0;
    return Float32Array.from(mask, (one) => (one ? kept[at++]! : 0));
  },
  expandCodes(kept, mask, fill) {
    let at = 0;
    return mask.map((one) => (one ? kept[at++]! : fill));
  },
  decode({ rows, columns, scale, scaleShape, groupSize, ...coded }, from, to) {
    const scaling = scale && scaleShape ? { scale, scaleShape, groupSize: groupSize ?? columns } : {};
    const whole = decodeWeights({ kind: "quantized", scheme: "", shape: [rows, columns], ...coded, ...scaling });
    return whole.slice(from * columns, to * columns);
  },
  // Byte layouts have no second implementation here: golden files hold them (blocks.test.ts).
  writeBlocks: () => 0,
  readBlocks: () => ({ codes: new Uint8Array(), scale: new Float32Array() }),
  widen: () => new Float32Array(),
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
  decodedErrorSums: (x, coded, from, to) => naiveLoops.errorSums(x, naiveLoops.decode(coded, from, to)),
  largest(x, count, mask) {
    const taken = mask.slice();
    const free = [...x.keys()].filter((i) => mask[i] === 0).sort((a, b) => Math.abs(x[b]!) - Math.abs(x[a]!) || a - b);
    for (const i of free.slice(0, count - (x.length - free.length))) taken[i] = 1;
    return taken;
  },
  choose: (x, y, mask) => x.map((value, i) => (mask[i] === 0 ? value : y[i]!)),
  mix: (x, y, weight) => x.map((value, i) => (value + weight * y[i]!) / (1 + weight)),
  absErrors(grouping, x, y) {
    const sums = new Float64Array(groupCount(grouping));
    eachInGroup(grouping, (i, g) => {
      sums[g]! += Math.abs(x[i]! - y[i]!);
    });
    return sums;
  },
  prune: (x, curvature, least) => x.map((value, i) => (curvature[i]! * value * value >= least ? value : 0)),
  tally(x, perUnit, counts) {
    for (const value of x) {
      const bin = Math.floor(value * perUnit) + counts.length / 2;
      counts[Math.max(0, Math.min(counts.length - 1, bin))]!++;
    }
  },
  clipGradients(x, gradient, { low, high, step }) {
    let [below, above, inside] = [0, 0, 0];
    const dx = x.map((value, i) => {
      const g = gradient[i]!;
      if (value <= low) below += g;
      else if (value >= high) above += g;
      else {
        inside += g * (roundTiesEven(value / step) - value / step);
        return g;
      }
      return 0;
    });
    return { dx, below, above, inside };
  },
};
