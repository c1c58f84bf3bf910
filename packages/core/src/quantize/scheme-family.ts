/** What a quantizer's file tells `parseScheme`: which spellings are its own, and how a modifier reads. */
import { SchemeError } from "./errors.ts";
import type { Per, Quantizer } from "./types.ts";

/** A family of quantizers under one head word (`int4:g32` -> head `int4`, arguments `["g32"]`). */
export interface SchemeFamily {
  /** Grammar, as error messages and help show it. */
  readonly syntax: string;
  /** One sentence. */
  readonly summary: string;
  /** Members that tests, tables and laws run over, ascending in bits where bits vary. */
  readonly examples: readonly string[];
  /** Whether the head word is this family's. */
  readonly owns: (head: string) => boolean;
  /** @throws SchemeError for an argument it does not take. */
  readonly parse: (
    scheme: string,
    head: string,
    args: readonly string[],
    /** For a scheme within this one (`prune:0.9+int4`): reads it by the same families. */
    parseInner: (scheme: string) => Quantizer,
  ) => Quantizer;
}

/** @throws SchemeError where arguments are left that a scheme does not take. */
export function noMore(scheme: string, rest: readonly string[]): void {
  if (rest.length > 0) throw new SchemeError(scheme, `modifier ":${rest[0]}"`, "none");
}

/** A whole decimal number, or an error that says its range. */
export function integerArgument(
  scheme: string,
  what: string,
  text: string | undefined,
  min: number,
  max: number,
): number {
  const value = text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new SchemeError(scheme, what, `an integer ${min}..${max}`);
  return value;
}

/** Granularity and flags, in any order, each at most once. */
export function modifiers<Flag extends string>(
  scheme: string,
  args: readonly string[],
  options: { readonly per: Per; readonly groups?: boolean; readonly flags?: readonly Flag[] },
): { per: Per; flags: ReadonlySet<Flag> } {
  const { groups = true, flags = [] } = options;
  const expected = ["tensor", "channel", ...(groups ? ["g<n>"] : []), ...flags].join(", ");
  const found = new Set<Flag>();
  let per: Per | undefined;
  for (const argument of args) {
    const flag = flags.find((name) => name === argument);
    if (flag !== undefined && !found.has(flag)) {
      found.add(flag);
    } else if (per === undefined && (argument === "tensor" || argument === "channel")) {
      per = argument;
    } else if (per === undefined && groups && /^g[0-9]+$/.test(argument)) {
      per = { group: integerArgument(scheme, "group size", argument.slice(1), 1, 2 ** 20) };
    } else {
      throw new SchemeError(scheme, `modifier ":${argument}"`, `each at most once of ${expected}`);
    }
  }
  return { per: per ?? options.per, flags: found };
}

/** The canonical spelling of a granularity behind a head, nothing where it is the family's default. */
export function perSuffix(per: Per, byDefault: Per): string {
  if (per === byDefault) return "";
  return typeof per === "object" ? `:g${per.group}` : `:${per}`;
}
