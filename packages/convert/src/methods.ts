/** `--method`: another way to find codes of as many bits as `--weights` has. */
import { parseScheme } from "lowbit/quantize";
import { OptionError } from "./errors.ts";

/** A scheme from bits and granularity (`""`, `:g32`, `:tensor`). */
type Spell = (bits: number, per: string) => string;

const bitsOf =
  (head: string): Spell =>
  (bits, per) =>
    `${head}:${bits}${per}`;

const levelsOf =
  (head: string): Spell =>
  (bits, per) =>
    `${head}:${2 ** bits}${per}`;

/** By name; what each does is in docs/methods.md. */
const SPELLINGS: Readonly<Record<string, Spell>> = {
  gptq: bitsOf("gptq"),
  adaround: bitsOf("adaround"),
  awq: bitsOf("awq"),
  hqq: bitsOf("hqq"),
  mse: (bits, per) => `int${bits}${per}:mse`,
  kl: (bits, per) => `int${bits}${per}:kl`,
  asym: (bits, per) => `int${bits}${per}:asym`,
  kmeans: levelsOf("kmeans"),
  hkmeans: levelsOf("hkmeans"),
  lloyd: levelsOf("lloyd"),
  multibit: bitsOf("multibit"),
  lq: bitsOf("lq"),
  pow2: bitsOf("pow2"),
  apot: bitsOf("apot"),
};

/** Of ternary weights, those that look for other scales and codes. */
const TERNARY: Readonly<Record<string, string>> = {
  mse: "ternary:mse",
  laq: "laq:ternary",
  admm: "admm:ternary",
  lc: "lc:ternary",
};

/** Methods that {@link methodScheme} knows. */
export const METHODS: readonly string[] = [...new Set([...Object.keys(SPELLINGS), ...Object.keys(TERNARY)])];

const INTEGERS = /^int([2-8])((?::tensor|:channel|:g\d+)?)$/;

/**
 * The scheme of a method with the bits and groups of another: `gptq` of `int4:g32` is `gptq:4:g32`.
 * @param weights `int2` to `int8`, with groups or without, or `ternary`
 * @throws OptionError naming what the method or the weights could be, SchemeError where the method has no such bits or groups
 */
export function methodScheme(method: string, weights: string): string {
  const [, bits, per = ""] = INTEGERS.exec(weights) ?? [];
  const spelled = bits ? SPELLINGS[method]?.(Number(bits), per) : weights === "ternary" ? TERNARY[method] : undefined;
  if (spelled !== undefined) return parseScheme(spelled).scheme;
  if (!METHODS.includes(method)) throw new OptionError("quantizeModel", "method", METHODS.join(", "), method);
  const takers =
    weights === "ternary" ? Object.keys(TERNARY).join(", ") : "int2..int8 with :g<n> or :tensor, or ternary";
  throw new OptionError("quantizeModel", `weights for method ${method}`, takers, weights);
}
