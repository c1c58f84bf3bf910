/** The solver of calibrated quantizers in plain TypeScript: the oracle that its kernels are tested against. */
import { disposeSymbol } from "../../src/dispose.ts";
import { type Grid, type Grouping, groupCount, groupsPerRow } from "../../src/quantize/inner.ts";
import type { AdaroundSearch, Gram, GridProblem, HqqSearch, Solver } from "../../src/quantize/solve.ts";
import type { Calibration } from "../../src/quantize/types.ts";
import type { AdditiveCodes } from "../../src/quantize/vector/loops.ts";
import { naiveAdditive } from "./naive-additive.ts";
import { roundTiesEven } from "./naive-rounding.ts";

const { fround } = Math;

/** Σ over ascending i, from `start` on. */
const sum = (count: number, term: (i: number) => number, start = 0): number => {
  let total = start;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
};

/** Of a weight's position, its grid. */
function cells({ grouping, grid }: GridProblem) {
  const { columns, groupSize } = grouping;
  const { scale, zeroPoint, minCode, maxCode }: Grid = grid;
  return (position: number) => {
    const group =
      Math.floor(position / columns) * groupsPerRow(grouping) + Math.floor((position % columns) / groupSize);
    const [s, zero] = [scale[group]!, typeof zeroPoint === "number" ? zeroPoint : zeroPoint[group]!];
    const clamp = (code: number): number => Math.max(minCode, Math.min(maxCode, code));
    const steps = (x: number): number => (x === 0 ? 0 : fround(fround(x) / s));
    return {
      group,
      steps,
      clamp: (level: number): number => clamp(level + zero),
      code: (x: number): number => clamp(roundTiesEven(steps(x)) + zero),
      value: (code: number): number => fround((code - zero) * s),
    };
  };
}

class NaiveGram implements Gram {
  readonly columns: number;
  readonly diagonal: Float64Array;
  readonly #order: readonly number[];
  readonly #h: number[][];

  constructor({ samples, inputs }: Calibration, columns: number, order?: Uint32Array) {
    this.columns = columns;
    this.#order = order ? [...order] : Array.from({ length: columns }, (_, j) => j);
    const at = (s: number, j: number): number => inputs[s * columns + this.#order[j]!]!;
    this.#h = this.#order.map((_, i) =>
      this.#order.map((__, j) => sum(samples, (s) => at(s, i) * at(s, j)) * (2 / samples)),
    );
    this.diagonal = Float64Array.from(this.#h, (row, j) => row[j]!);
  }

  damp(lambda: number): void {
    for (const [k, row] of this.#h.entries()) row[k] = this.diagonal[k]! + lambda;
  }

  /** R of H + damping I = R Rᵀ. */
  #factor(damping: number): number[][] {
    const k = this.columns;
    const r = this.#h.map((row) => row.map(() => 0));
    for (let j = k - 1; j >= 0; j--) {
      for (let i = j; i >= 0; i--) {
        let rest = this.#h[i]![j]! + (i === j ? damping : 0);
        for (let c = k - 1; c > j; c--) rest -= r[i]![c]! * r[j]![c]!;
        r[i]![j] = i === j ? Math.sqrt(rest) : rest / r[j]![j]!;
      }
    }
    return r;
  }

  gptq(problem: GridProblem, damping: number): Uint8Array {
    const r = this.#factor(damping);
    const [k, cell] = [this.columns, cells(problem)];
    const codes = Uint8Array.from(problem.w, (x, i) => cell(i).code(x));
    for (let row = 0; row < problem.w.length / k; row++) {
      const at = (j: number): number => row * k + this.#order[j]!;
      /** Σ (e R)_j² for errors given one after another. */
      const walk = (choose: (j: number, fed: number) => number): number => {
        const errors: number[] = [];
        return sum(k, (j) => {
          const fed = sum(j, (i) => r[i]![j]! * errors[i]!);
          errors.push(problem.w[at(j)]! - cell(at(j)).value(choose(j, fed)));
          return (fed + errors[j]! * r[j]![j]!) ** 2;
        });
      };
      const chosen: number[] = [];
      const fedForward = walk((j, fed) => {
        chosen.push(cell(at(j)).code(problem.w[at(j)]! + fed / r[j]![j]!));
        return chosen[j]!;
      });
      if (fedForward < walk((j) => codes[at(j)]!)) {
        for (const [j, code] of chosen.entries()) codes[at(j)] = code;
      }
    }
    return codes;
  }

  adaround(problem: GridProblem, { iterations, rate, weight, beta }: AdaroundSearch): Uint8Array {
    const [k, cell, w] = [this.columns, cells(problem), problem.w];
    const codes = Uint8Array.from(w, (x, i) => cell(i).code(x));
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    const share = (v: number): number => Math.max(0, Math.min(1, 1.2000000000000002 * sigmoid(v) - 0.1));
    for (let row = 0; row < w.length / k; row++) {
      const places = Array.from({ length: k }, (_, j) => {
        const x = w[row * k + j]!;
        const { steps, clamp, value } = cell(row * k + j);
        const floor = Math.floor(steps(x));
        const [low, high] = [clamp(floor), clamp(floor + 1)];
        const v = -Math.log(1.2000000000000002 / (steps(x) - floor + 0.1) - 1);
        return { x, low, high, base: value(low), gap: value(high) - value(low), v, m: 0, s: 0 };
      });
      const c = sum(k, (j) => places[j]!.gap * places[j]!.gap * this.#h[j]![j]!) / k;
      for (let step = 1; step <= iterations; step++) {
        const progress = (step - 1) / iterations;
        const b = beta[0] + (beta[1] - beta[0]) * progress;
        const errors = places.map(({ x, base, gap, v }) => fround(fround(base + share(v) * gap) - x));
        for (const [j, place] of places.entries()) {
          let slope = 0;
          for (let i = 0; i < k; i++) slope = fround(slope + fround(errors[i]! * fround(this.#h[i]![j]!)));
          const h = share(place.v);
          const side = 2 * h - 1;
          const push = progress < 0.2 ? 0 : weight * b * 2 * Math.abs(side) ** (b - 1) * Math.sign(side);
          const along = 1.2000000000000002 * sigmoid(place.v) * (1 - sigmoid(place.v));
          const gradient = h > 0 && h < 1 ? (slope * (c > 0 ? place.gap / c : 0) - push) * along : 0;
          place.m = 0.9 * place.m + 0.1 * gradient;
          place.s = 0.999 * place.s + 0.001 * gradient * gradient;
          const [mean, square] = [place.m / (1 - 0.9 ** step), place.s / (1 - 0.999 ** step)];
          place.v -= (rate * mean) / (Math.sqrt(square) + 1e-8);
        }
      }
      const searched = places.map(({ v, low, high }) => (v >= 0 ? high : low));
      const cost = (of: ArrayLike<number>): number => {
        const d = Array.from(of, (code, j) => w[row * k + j]! - cell(row * k + j).value(code));
        return sum(k, (i) => d[i]! * sum(k, (j) => this.#h[i]![j]! * d[j]!));
      };
      if (cost(searched) < cost(codes.subarray(row * k, row * k + k))) codes.set(searched, row * k);
    }
    return codes;
  }

  gridErrors(problem: GridProblem): Float64Array {
    const cell = cells(problem);
    const d = Array.from(problem.w, (x, i) => x - cell(i).value(cell(i).code(x)));
    const forms = new Float64Array(groupCount(problem.grouping));
    const { columns } = problem.grouping;
    d.forEach((di, i) => {
      const { group } = cell(i);
      let product = 0;
      d.forEach((dj, j) => {
        if (cell(j).group === group) product += this.#h[i % columns]![j % columns]! * dj;
      });
      if (di !== 0) forms[group]! += di * product;
    });
    return forms;
  }

  additive(
    w: Float32Array,
    { dimension, ...start }: AdditiveCodes & { readonly dimension: number },
    { steps, beam }: { readonly steps: number; readonly beam: number },
  ): AdditiveCodes & { readonly error: number } {
    const layer = naiveAdditive(this.#h, w, dimension, start.count, start.codebooks.length / start.count / dimension);
    const codebooks = layer.fit(start.codes, start.codebooks, steps);
    const codes = layer.search(start.codes, codebooks, beam);
    return { codes, codebooks, count: start.count, error: layer.error(codes, codebooks) };
  }

  errors(x: Float32Array, y: Float32Array): Float64Array {
    const k = this.columns;
    return Float64Array.from({ length: x.length / k }, (_, row) => {
      const d = Array.from({ length: k }, (__, j) => x[row * k + j]! - y[row * k + j]!);
      return sum(k, (i) => (d[i] === 0 ? 0 : d[i]! * sum(k, (j) => this.#h[i]![j]! * d[j]!)));
    });
  }

  [disposeSymbol](): void {}
}

function hqqGroup(w: readonly number[], { maxCode, norm, beta, growth, rounds }: HqqSearch) {
  const [min, max] = [Math.min(...w), Math.max(...w)];
  const scale = fround(Math.max((max - min) / maxCode, 2 ** -149));
  const clamp = (code: number): number => Math.max(0, Math.min(maxCode, roundTiesEven(code)));
  let [z, best, least, b] = [-min / scale, -min / scale, Number.POSITIVE_INFINITY, beta];
  for (let round = 0; round < rounds; round++) {
    const steps = w.map((x) => {
      const u = x / scale;
      const q = clamp(u + z);
      const r = u - (q - z);
      const kept = Math.max(0, Math.abs(r) - Math.abs(r) ** (norm - 1) / b);
      return { size: Math.abs(r), next: q - (u - (r < 0 ? -kept : kept)) };
    });
    const error = sum(steps.length, (i) => steps[i]!.size);
    if (error >= least) break;
    [best, least] = [z, error];
    z = sum(steps.length, (i) => steps[i]!.next) / w.length;
    b *= growth;
  }
  const offset = fround(-best * scale);
  return { scale, offset, codes: w.map((x) => clamp((x - offset) / scale)) };
}

function hqq(w: Float32Array, grouping: Grouping, search: HqqSearch) {
  const groups: number[][] = Array.from({ length: groupCount(grouping) }, () => []);
  const { columns, groupSize } = grouping;
  w.forEach((x, i) => {
    groups[Math.floor(i / columns) * groupsPerRow(grouping) + Math.floor((i % columns) / groupSize)]!.push(x);
  });
  const found = groups.map((group) => hqqGroup(group, search));
  return {
    scale: Float32Array.from(found, ({ scale }) => scale),
    offset: Float32Array.from(found, ({ offset }) => offset),
    codes: Uint8Array.from(found.flatMap(({ codes }) => codes)),
  };
}

export const naiveSolver: Solver = {
  gram: (calibration, columns, order) => new NaiveGram(calibration, columns, order),
  columnFigures(x, columns) {
    const rows = x.length / columns;
    const per = (start: number, join: (a: number, b: number) => number): Float64Array =>
      Float64Array.from({ length: columns }, (_, j) => {
        let value = start;
        for (let row = 0; row < rows; row++) value = join(value, x[row * columns + j]!);
        return value;
      });
    return {
      rows,
      sum: per(0, (a, b) => a + b),
      sumAbs: per(0, (a, b) => a + Math.abs(b)),
      maxAbs: per(0, (a, b) => Math.max(a, Math.abs(b))),
      sumSquares: per(0, (a, b) => a + b * b),
    };
  },
  hqq,
  hadamard: (x, columns, size, signs, inverse) =>
    Float32Array.from(x, (_, at) => {
      const [row, i] = [Math.floor(at / columns), at % columns];
      const start = i - (i % size);
      const total = sum(size, (j) => {
        const sign = inverse ? 0 : signs[start + j]!;
        const odd = [...((i - start) & j).toString(2)].filter((bit) => bit === "1").length + sign;
        return x[row * columns + start + j]! * (odd % 2 === 1 ? -1 : 1);
      });
      return fround(total) * fround(1 / Math.sqrt(size)) * (inverse && signs[i] === 1 ? -1 : 1);
    }),
  scale: (w, columns, rows, channels) =>
    w.map((x, i) => x * (rows[Math.floor(i / columns)]! * channels[(i % columns) % channels.length]!)),
  rowDots: (w, x) =>
    Float64Array.from({ length: w.length / x.length }, (_, n) => sum(x.length, (k) => w[n * x.length + k]! * x[k]!)),
  powers: (x, exponent) => x.map((value) => value ** exponent),
};
