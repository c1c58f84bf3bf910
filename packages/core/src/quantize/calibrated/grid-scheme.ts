/** Spelling of the uniform grids that calibrated quantizers round to: `<b>[:tensor|:g<n>][:sym][:mse|:absmax]`. */
import { SchemeError } from "../errors.ts";
import { defaultRange, type UniformBits, type UniformGridOptions } from "../rounding/uniform.ts";
import { integerArgument, modifiers } from "../scheme-family.ts";
import type { Per } from "../types.ts";

export interface ParsedGrid<Flag extends string> {
  readonly bits: UniformBits;
  readonly per: Per;
  readonly symmetric: boolean;
  readonly range: "absmax" | "mse";
  readonly flags: ReadonlySet<Flag | "sym" | "mse" | "absmax">;
}

/** @throws SchemeError */
export function parseGrid<Flag extends string = never>(
  scheme: string,
  [first, ...rest]: readonly string[],
  own: readonly Flag[] = [],
): ParsedGrid<Flag> {
  const bits = integerArgument(scheme, "bits", first, 2, 8) as UniformBits;
  const flagged = ["sym", "mse", "absmax", ...own] as const;
  const { per, flags } = modifiers(scheme, rest, { per: "channel", flags: flagged });
  if (flags.has("mse") && flags.has("absmax")) throw new SchemeError(scheme, "range", "one of mse, absmax");
  const range = flags.has("mse") ? "mse" : flags.has("absmax") ? "absmax" : defaultRange(bits);
  return { bits, per, symmetric: flags.has("sym"), range, flags };
}

/** What a grid adds behind the bits and the granularity; nothing for an asymmetric one of the usual range. */
export function gridSuffix({ bits, range, asymmetric }: Required<UniformGridOptions>): string {
  return `${asymmetric ? "" : ":sym"}${range === defaultRange(bits) ? "" : `:${range}`}`;
}
