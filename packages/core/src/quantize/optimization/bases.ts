/** Sums of binary bases, ŵ = Σ a_i b_i with b_i in {-1, +1}ⁿ: what the multi-bit binary quantizers share. */
import type { Bases } from "../inner.ts";
import type { BitsOf, Encoded } from "../types.ts";
import type { Weights } from "../weights.ts";

/** Bases of a weight, and so the bits of its code. */
export type BaseCount = BitsOf<"bases">;

/**
 * Network sketching's greedy bases: r_0 = w, then for each j
 *
 *   b_j = sign(r_j),   a_j = ⟨b_j, r_j⟩ / n = E|r_j|,   r_{j+1} = r_j - a_j b_j.
 *
 * `refined` solves for all coefficients anew after each base, a = (BᵀB)⁻¹ Bᵀw, before it takes the residual.
 */
export function greedyBases(w: Weights, count: number, refined = false): Bases {
  let bases: Bases = { codes: new Uint8Array(w.length), coefficients: new Float32Array(), count: 0 };
  while (bases.count < count) {
    const { codes, mean } = w.residualSigns(bases);
    const next = bases.count + 1;
    const coefficients = refined ? w.fitBases(codes, next) : withBase(bases, mean);
    bases = { codes, coefficients, count: next };
  }
  return bases;
}

/** Coefficients with one more column. */
function withBase({ coefficients, count }: Bases, added: Float32Array): Float32Array {
  const wider = new Float32Array(added.length * (count + 1));
  for (const [group, a] of added.entries()) {
    wider.set(coefficients.subarray(group * count, (group + 1) * count), group * (count + 1));
    wider[group * (count + 1) + count] = a;
  }
  return wider;
}

/**
 * `passes` times: the least-squares coefficients of the codes, then the nearest of the 2^k sums for each weight. The error never rises; it ends
 * early where the coefficients stay as they were, for then both conditions of an optimum hold.
 */
export function alternateBases(w: Weights, start: Bases, passes: number): Bases {
  const { count } = start;
  let { codes, coefficients } = start;
  for (let pass = 0; pass < passes; pass++) {
    const fitted = w.fitBases(codes, count);
    if (pass > 0 && fitted.every((a, i) => a === coefficients[i])) break;
    coefficients = fitted;
    codes = w.nearestBases(coefficients, count);
  }
  return { codes, coefficients, count };
}

export const encodedBases = ({ codes, coefficients }: Bases): Encoded<"bases"> => ({
  codes,
  decoding: { kind: "bases", coefficients },
});
