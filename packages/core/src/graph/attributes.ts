/** What an attribute may hold, in code and in words: for graphs made in memory and for those read from a file. */
import type { Dim } from "./types.ts";

/** A test of one attribute, and what it wants in words. */
export interface AttributeRule {
  readonly test: (value: unknown) => boolean;
  /** As in "expected an integer of 1 to 8". */
  readonly wants: string;
  readonly optional?: boolean;
}

/** A rule for each attribute of an operator. */
export type AttributeRules<A = Record<string, unknown>> = {
  readonly [K in keyof A]-?: AttributeRule;
};

/** Sizes, strides and the like: products of a few of them stay exact, and no image is larger. */
export const maxSize = 2 ** 24;

const isInteger =
  (low: number, high: number) =>
  (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

/** `low` and `high` are in. */
export const integer = (low: number, high: number): AttributeRule => ({
  test: isInteger(low, high),
  wants: `an integer of ${low} to ${high}`,
});

export const integers = (length: number, low: number, high: number): AttributeRule => ({
  test: (value) => Array.isArray(value) && value.length === length && value.every(isInteger(low, high)),
  wants: `${length} integers of ${low} to ${high}`,
});

/** At most `most` of them. */
export const someIntegers = (low: number, high: number, most = 16): AttributeRule => ({
  test: (value) => Array.isArray(value) && value.length <= most && value.every(isInteger(low, high)),
  wants: `at most ${most} integers of ${low} to ${high}`,
});

export const oneOf = (...names: readonly string[]): AttributeRule => ({
  test: (value) => names.includes(value as string),
  wants: names.join(" or "),
});

const isReal = (value: unknown): value is number => typeof value === "number" && !Number.isNaN(value);
/** Infinities are in. */
export const real: AttributeRule = { test: isReal, wants: "a number that is not NaN" };
const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value);
export const finite: AttributeRule = { test: isFiniteNumber, wants: "a finite number" };
export const notNegative: AttributeRule = {
  test: (value) => isFiniteNumber(value) && value >= 0,
  wants: "a number >= 0",
};
export const flag: AttributeRule = {
  test: (value) => typeof value === "boolean",
  wants: "true or false",
};

export const clamp: AttributeRule = {
  test: (value) => Array.isArray(value) && value.length === 2 && value.every(isReal) && value[0]! <= value[1]!,
  wants: "[min, max] with min <= max",
  optional: true,
};

/** A size or the name of a symbol. */
export const isDim = (value: unknown): value is Dim =>
  isInteger(0, 2 ** 31 - 1)(value) || (typeof value === "string" && value.length > 0 && value.length <= 256);

export const newShape: AttributeRule = {
  test: (value) => Array.isArray(value) && value.length <= 16 && value.every((d) => d === -1 || isDim(d)),
  wants: "at most 16 sizes, symbols or -1",
};

export const window = {
  kernel: integers(2, 1, maxSize),
  strides: integers(2, 1, maxSize),
  dilations: integers(2, 1, maxSize),
  pads: integers(4, 0, maxSize),
};

/**
 * Calls `fail(attribute, wanted, got)` for each attribute that is missing, wrong or not the operator's.
 * @param op its name, for the text
 */
export function checkAttributes(
  op: string,
  rules: Readonly<Record<string, AttributeRule>>,
  attributes: unknown,
  fail: (attribute: string, wanted: string, got: unknown) => void,
): void {
  if (typeof attributes !== "object" || attributes === null) {
    fail("attributes", "an object", attributes);
    return;
  }
  const given = attributes as Record<string, unknown>;
  for (const [name, { test, wants, optional }] of Object.entries(rules)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined ? !optional : !test(value)) fail(name, wants, value);
  }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(rules, name)) fail(name, `no such attribute of ${op}`, given[name]);
}
