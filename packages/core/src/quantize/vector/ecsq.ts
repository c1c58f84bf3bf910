/** Entropy-constrained scalar quantization: levels for codes that an entropy coder will shorten. */

import { OutOfRangeError } from "../../errors.ts";
import { defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { CHOI } from "../papers.ts";
import { floorLog2, log10, powerOfTwo } from "../powers.ts";
import { integerArgument, type SchemeFamily } from "../scheme-family.ts";
import type { Need, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { bitsFor, checkSearch } from "./kmeans.ts";
import type { CurvedWeights } from "./loops.ts";
import { unitOf } from "./unit.ts";

export interface EcsqOptions {
  /** Levels, 2..256; some may end without a weight. */
  readonly k: number;
  /** Entropy of the codes in bits per weight, at most; above 0. Default: the bits of a code less one. */
  readonly rate?: number;
}

/** Passes of one search, at most. */
const ITERATIONS = 100;

/** A search ends when a pass lessens its cost by less than this part. */
const SETTLED = 1e-5;

/** Halvings of the interval in which λ is looked for. */
const HALVINGS = 12;

/** Weights that λ is looked for on, in runs of neighbours. */
const SAMPLE = 65536;
const RUN = 64;

const log2 = (x: number): number => log10(x) / 0.3010299956639812;

/**
 * Entropy-constrained scalar quantization (Choi et al., after Chou, Lookabaugh, Gray): min D + λ H with D = Σ h (w - c)², H = -Σ pᵢ log₂ pᵢ the entropy of the codes. Until
 * the cost settles,
 *
 *   assign   w to argminᵢ h (w - cᵢ)² - λ log₂ pᵢ,
 *   update   cᵢ = Σ h w / Σ h,   pᵢ = |Cᵢ| / N   over its weights;
 *
 * a level without weights is dropped. λ is the least found (by bisection, on a sample of 65,536 weights where there are more) whose H is at most `rate`; 0 where H is that small without it. Each
 * search begins once from levels at equal distances and once from quantiles, and the one with less D wins.
 *
 * Codes are stored in ceil(log₂ k) bits; `rate` is what an entropy coder brings them to. On N(0,1) the optimum at 2 bits has a relative MSE of 0.0889 (Lloyd-Max with 4 levels: 0.1175 at 1.91 bits).
 * Gradient in training: ∂L/∂cᵢ = Σ_{w in Cᵢ} ∂L/∂w. No more than k distinct values are exact where `rate` allows it; a constant tensor always is.
 */
export const ecsq = (options: EcsqOptions): Quantizer<"table", false, "weights"> =>
  entropyConstrained("weights", options);

/** {@link ecsq} with h the diagonal Hessian of the loss, of which only ratios count; without it h is 1. */
export const hessianEcsq = (options: EcsqOptions): Quantizer<"table", false, "curvature"> =>
  entropyConstrained("curvature", options);

function entropyConstrained<N extends Exclude<Need, "inputs">>(
  needs: N,
  { k, rate = bitsFor(k) - 1 }: EcsqOptions,
): Quantizer<"table", false, N> {
  const byDefault = rate === bitsFor(k) - 1;
  const scheme = `ecsq:${k}${byDefault ? "" : `:r${rate}`}${needs === "curvature" ? ":hessian" : ""}`;
  checkSearch(scheme, k, 1, 1);
  if (!(rate >= 0 && rate <= 8)) throw new OutOfRangeError(`quantizer ${scheme}`, "rate", "0..8 bits", rate);
  const coarser = (): Quantizer => entropyConstrained(needs, { k: Math.ceil(k / 2), rate: Math.max(0, rate - 1) });
  return defineQuantizer<"table", false, N>({
    scheme,
    decoding: "table",
    bits: bitsFor(k),
    codebook: "adaptive",
    per: "tensor",
    needs,
    laws: [
      "scaleEquivariant",
      "keepsMean",
      "monotoneInBits",
      ...(needs === "weights" ? ["optimalScale" as const] : []),
    ],
    coarser: k > 2 ? coarser : undefined,
    paper: CHOI,
    encode(w, { curvature }) {
      const { codes, levels } = encode(w, k, rate, curvature);
      return { codes, decoding: { kind: "table", codebook: levels } };
    },
  });
}

/** Levels and what they cost: D and H of the codes. */
interface State {
  readonly codes: Uint8Array;
  readonly levels: Float32Array;
  /** -λ log₂ pᵢ; infinite for a level without weights. */
  readonly penalties: Float32Array;
  readonly distortion: number;
  readonly entropy: number;
}

function encode(
  w: Weights,
  k: number,
  rate: number,
  curvature?: Float32Array,
): { codes: Uint8Array; levels: Float32Array } {
  const { factor, restore } = unitOf(w);
  const ratio = curvature && ratioOf(w, curvature);
  const values = sampleOf(w.values());
  const starts = [equalDistances(values, factor, k), quantiles(values, factor, k)];
  let best: { start: Float32Array; lambda: number; state: State } | undefined;
  {
    using sample = w.curved(factor, { values, curvature: curvature && sampleOf(curvature), ratio });
    for (const start of starts) {
      const found = { start, ...atRate(sample, start, rate) };
      if (best === undefined || found.state.distortion < best.state.distortion) best = found;
    }
  }
  let { state } = best!;
  if (values.length < w.length) {
    using all = w.curved(factor, { values: w.values(), curvature, ratio });
    state = settle(all, best!.state.levels, best!.lambda, best!.state.penalties);
  }
  return { codes: state.codes, levels: restore(state.levels) };
}

/** A power of two that brings the largest curvature into [1, 2). */
function ratioOf(w: Weights, curvature: Float32Array): number {
  const most = w.largest(curvature);
  return most === 0 ? 1 : powerOfTwo(-floorLog2(most));
}

/** All numbers, or runs of neighbours at equal distances. */
function sampleOf(x: Float32Array): Float32Array {
  if (x.length <= SAMPLE) return x;
  const sample = new Float32Array(SAMPLE);
  for (let run = 0; run < SAMPLE / RUN; run++) {
    const from = Math.floor((run * (x.length - RUN)) / (SAMPLE / RUN - 1));
    sample.set(x.subarray(from, from + RUN), run * RUN);
  }
  return sample;
}

/** Some of the values in ascending order. */
function sortedFew(values: Float32Array, factor: number): Float32Array {
  const step = Math.ceil(values.length / 4096);
  return Float32Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]! * factor).sort();
}

function equalDistances(values: Float32Array, factor: number, k: number): Float32Array {
  const few = sortedFew(values, factor);
  const [low, high] = [few[0]!, few.at(-1)!];
  return Float32Array.from({ length: k }, (_, i) => low + ((high - low) * (i + 0.5)) / k);
}

function quantiles(values: Float32Array, factor: number, k: number): Float32Array {
  const few = sortedFew(values, factor);
  return Float32Array.from({ length: k }, (_, i) => few[Math.floor(((i + 0.5) * few.length) / k)]!);
}

/** The search with the least λ found whose entropy is at most `rate`. */
function atRate(w: CurvedWeights, start: Float32Array, rate: number): { lambda: number; state: State } {
  const free = settle(w, start, 0);
  if (free.entropy <= rate) return { lambda: 0, state: free };
  let [low, lambda] = [0, Math.max(free.distortion / w.length, powerOfTwo(-40))];
  let state = settle(w, start, lambda);
  while (state.entropy > rate) {
    low = lambda;
    lambda *= 4;
    state = settle(w, start, lambda);
  }
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + lambda) / 2;
    const found = settle(w, start, middle);
    if (found.entropy <= rate) [lambda, state] = [middle, found];
    else low = middle;
  }
  return { lambda, state };
}

/** Assigns and updates until D + λ H settles. */
function settle(
  w: CurvedWeights,
  levels: Float32Array,
  lambda: number,
  penalties: Float32Array = new Float32Array(levels.length),
): State {
  let cost = Number.POSITIVE_INFINITY;
  for (let pass = 1; ; pass++) {
    const codes = w.codes(levels, penalties);
    const state = update(w, codes, levels, lambda);
    const before = cost;
    cost = state.distortion + lambda * w.length * state.entropy;
    if (pass === ITERATIONS || before - cost <= SETTLED * cost) return state;
    ({ levels, penalties } = state);
  }
}

function update(w: CurvedWeights, codes: Uint8Array, before: Float32Array, lambda: number): State {
  const sums = w.sums(codes, before.length);
  const levels = before.slice();
  const penalties = new Float32Array(before.length);
  let [distortion, entropy] = [0, 0];
  for (let i = 0; i < levels.length; i++) {
    const [count, weight, moment, square] = sums.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    if (weight > 0) {
      levels[i] = moment / weight;
      distortion += Math.max(0, square - (moment * moment) / weight);
    }
    const length = count === 0 ? Number.POSITIVE_INFINITY : log2(w.length / count);
    if (count > 0) entropy += (count / w.length) * length;
    penalties[i] = count === 0 ? Number.POSITIVE_INFINITY : lambda * length;
  }
  return { codes, levels, penalties, distortion, entropy };
}

export const ecsqFamily: SchemeFamily = {
  syntax: "ecsq:<2..256>[:r<bits>][:hessian]",
  summary:
    "at most that many levels for codes of an entropy of r bits (default one less than a code has); :hessian under curvature",
  examples: ["ecsq:8", "ecsq:16:r2", "ecsq:16:hessian"],
  owns: (head) => head === "ecsq",
  parse(scheme, _head, [size, ...rest]) {
    const k = integerArgument(scheme, "K of ecsq:<K>", size, 2, 256);
    const hessian = rest.at(-1) === "hessian";
    const [rate, ...more] = hessian ? rest.slice(0, -1) : rest;
    if (more.length > 0 || (rate !== undefined && !/^r[0-7](\.[0-9]{1,3})?$/.test(rate)))
      throw new SchemeError(scheme, `modifier ":${more[0] ?? rate}"`, "r<bits> below 8, then hessian");
    const options = rate === undefined ? { k } : { k, rate: Number(rate.slice(1)) };
    return hessian ? hessianEcsq(options) : ecsq(options);
  },
};

export const ecsqMethods: readonly Method[] = [
  {
    method: "Entropy-constrained scalar quantization",
    section: "deterministic: vector quantization",
    file: "vector/ecsq.ts",
    paper: CHOI,
    scheme: "ecsq:16:r2",
    published: "0.0889 on N(0,1) at an entropy of 2 bits, by integration; LeNet at 49.01x",
  },
  {
    method: "Entropy-constrained scalar quantization under a Hessian",
    section: "deterministic: vector quantization",
    file: "vector/ecsq.ts",
    paper: CHOI,
    scheme: "ecsq:16:r2:hessian",
    published: "0.0889 on N(0,1) with equal curvature at an entropy of 2 bits; ResNet-32 at 21.01x",
  },
];
