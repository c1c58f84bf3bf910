/** Spellings of the quantizers that draw their codes. */
import { SchemeError } from "../errors.ts";
import type { UniformBits } from "../rounding/uniform.ts";
import { modifiers, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { stochasticBinary } from "./binary.ts";
import { stochasticFixed } from "./fixed.ts";
import { stochasticTernary } from "./ternary.ts";
import { stochasticAsymmetric, stochasticUniform } from "./uniform.ts";

export const stochasticFamily: SchemeFamily = {
  syntax:
    "stochastic:<binary|ternary>[:tensor|:channel|:g<n>], stochastic:int<2..8>[:tensor|:g<n>][:asym], stochastic:fixed:<IL>.<FL>",
  summary: "drawn so that their mean is the weight: ±1 and 0 or ±max |w|, a uniform grid, fixed point",
  examples: [
    "stochastic:binary",
    "stochastic:binary:channel",
    "stochastic:ternary",
    "stochastic:ternary:channel",
    "stochastic:int4",
    "stochastic:int4:g32:asym",
    "stochastic:fixed:4.4",
  ],
  owns: (head) => head === "stochastic",
  parse(scheme, _head, [kind = "", ...args]): Quantizer {
    if (kind === "binary" || kind === "ternary") {
      const per = args.length === 0 ? undefined : modifiers(scheme, args, { per: "channel" }).per;
      return kind === "binary" ? stochasticBinary({ per }) : stochasticTernary({ per });
    }
    if (/^int[2-8]$/.test(kind)) {
      const { per, flags } = modifiers(scheme, args, { per: "channel", flags: ["asym"] });
      const options = { bits: Number(kind.slice(3)) as UniformBits, per };
      return flags.has("asym") ? stochasticAsymmetric(options) : stochasticUniform(options);
    }
    if (kind !== "fixed") throw new SchemeError(scheme, "kind", "one of binary, ternary, int2..int8, fixed");
    const [format = "", ...rest] = args;
    noMore(scheme, rest);
    const [, integer, fraction] = /^([1-8])\.([0-7])$/.exec(format) ?? [];
    const bits = Number(integer) + Number(fraction);
    if (!(bits >= 2 && bits <= 8))
      throw new SchemeError(scheme, "format", "IL.FL, 1..8 and 0..7, 2 to 8 bits together");
    return stochasticFixed({ integer: Number(integer), fraction: Number(fraction) });
  },
};
