/** The one door by which quantizers come into being, ours and users' alike. */
import { OutOfRangeError } from "../errors.ts";
import { QuantizerError } from "./errors.ts";
import type { DecodingKind, Need, Per, Quantizer } from "./types.ts";

/** A quantizer as its author writes it; traits that most do not need may be left out. */
export type QuantizerDefinition<D extends DecodingKind, Seeded extends boolean, N extends Need> = Omit<
  Quantizer<D, Seeded, N>,
  "stochastic" | "seeded" | "needs"
> & {
  /** Default false. */
  readonly seeded?: Seeded;
  /** Default `weights`. */
  readonly needs?: N;
  /** Only for a seeded one; default false. */
  readonly stochastic?: [Seeded] extends [true] ? boolean : false;
};

/**
 * Makes a quantizer from its traits and formula.
 *
 * ```ts
 * // Every weight becomes ±its channel's largest magnitude.
 * const peaks = defineQuantizer({
 *   scheme: "peaks", decoding: "sign", bits: 1, codebook: "fixed", per: "channel",
 *   laws: ["idempotent", "scaleEquivariant"],
 *   paper: { title: "...", authors: "...", year: 2026, url: "https://..." },
 *   encode: (w) => ({ codes: w.signCodes(), decoding: { kind: "sign" }, scale: w.absMax() }),
 * });
 * const quantized = await quantize({ shape: [64, 128], data }, peaks);
 * ```
 *
 * @throws QuantizerError where the traits contradict each other (bits and decoding, stochastic without a seed).
 * @throws OutOfRangeError for a group size that is not a positive integer.
 */
export function defineQuantizer<
  const D extends DecodingKind,
  Seeded extends boolean = false,
  const N extends Need = "weights",
>(definition: QuantizerDefinition<D, Seeded, N>): Quantizer<D, Seeded, N> {
  const { scheme, bits, decoding, per } = definition;
  const expected = FIXED_BITS[decoding] ?? "1..8";
  const fits = expected === "1..8" ? Number.isInteger(bits) && bits >= 1 && bits <= 8 : String(bits) === expected;
  if (!fits) throw new QuantizerError(scheme, `bits of ${decoding} codes`, expected, bits);
  const { stochastic = false, seeded = false }: { stochastic?: boolean; seeded?: boolean } = definition;
  // The type forbids this; a definition in JavaScript may still say it.
  if (stochastic && !seeded) throw new QuantizerError(scheme, "seeded of a stochastic quantizer", true, seeded);
  checkPer(scheme, per);
  return Object.freeze({
    ...definition,
    stochastic,
    seeded: seeded as Seeded,
    needs: definition.needs ?? ("weights" as N),
  }) as Quantizer<D, Seeded, N>;
}

/** Bits of the decodings that leave no choice. */
const FIXED_BITS: Partial<Record<DecodingKind, string>> = { sign: "1", hashed: "0", identity: "32" };

function checkPer(scheme: string, per: Per): void {
  if (typeof per === "object") checkInteger(scheme, "group", per.group, 1, 2 ** 31);
}

/** @throws OutOfRangeError where a parameter of a quantizer is not an integer of its range. */
export function checkInteger(scheme: string, what: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new OutOfRangeError(`quantizer ${scheme}`, what, `an integer ${min}..${max}`, value);
  }
}
