/** What each attribute of each operator may hold: one table, for graphs made in memory and for those read from a file. */
import type { Attributes, Dim, Op } from "./types.ts";

/** A test of one attribute, and what it wants in words. */
interface Field {
  readonly test: (value: unknown) => boolean;
  readonly wants: string;
  readonly optional?: boolean;
}

/** Sizes, strides and the like: products of a few of them stay exact, and no image is larger. */
export const maxSize = 2 ** 24;

const isInteger = (low: number, high: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

const integer = (low: number, high: number): Field => ({
  test: isInteger(low, high),
  wants: `an integer of ${low} to ${high}`,
});

const integers = (length: number, low: number, high: number): Field => ({
  test: (value) => Array.isArray(value) && value.length === length && value.every(isInteger(low, high)),
  wants: `${length} integers of ${low} to ${high}`,
});

const someIntegers = (low: number, high: number): Field => ({
  test: (value) => Array.isArray(value) && value.length <= 16 && value.every(isInteger(low, high)),
  wants: `at most 16 integers of ${low} to ${high}`,
});

const oneOf = (...names: string[]): Field => ({
  test: (value) => names.includes(value as string),
  wants: names.join(" or "),
});

const isReal = (value: unknown): boolean => typeof value === "number" && !Number.isNaN(value);
const real: Field = { test: isReal, wants: "a number that is not NaN" };
const finite: Field = { test: Number.isFinite, wants: "a finite number" };

const clamp: Field = {
  test: (value) => Array.isArray(value) && value.length === 2 && value.every(isReal) && value[0] <= value[1],
  wants: "[min, max] with min <= max",
  optional: true,
};

/** A size or the name of a symbol. */
export const isDim = (value: unknown): value is Dim =>
  isInteger(0, 2 ** 31 - 1)(value) || (typeof value === "string" && value.length > 0 && value.length <= 256);

const shape: Field = {
  test: (value) => Array.isArray(value) && value.length <= 16 && value.every((d) => d === -1 || isDim(d)),
  wants: "at most 16 sizes, symbols or -1",
};

const window = {
  kernel: integers(2, 1, maxSize),
  strides: integers(2, 1, maxSize),
  dilations: integers(2, 1, maxSize),
  pads: integers(4, 0, maxSize),
};

const fields: { readonly [K in Op]: { readonly [F in keyof Required<Attributes[K]>]: Field } } = {
  conv2d: { ...window, groups: integer(1, maxSize), padding: oneOf("zero", "one"), clamp },
  dense: { clamp },
  matmul: {},
  threshold: {},
  affine: { clamp },
  sign: {},
  quantize: {},
  dequantize: {},
  maxPool: window,
  avgPool: { ...window, countIncludePad: { test: (value) => typeof value === "boolean", wants: "true or false" } },
  globalAvgPool: {},
  batchNorm: { epsilon: { test: (value) => Number.isFinite(value) && (value as number) >= 0, wants: "a number >= 0" } },
  add: {},
  sub: {},
  mul: {},
  div: {},
  clip: { min: real, max: real },
  leakyRelu: { alpha: finite },
  sigmoid: {},
  tanh: {},
  softmax: { axis: integer(-16, 15) },
  reshape: { shape },
  transpose: { permutation: someIntegers(0, 15) },
  concat: { axis: integer(-16, 15) },
  pad: {
    pads: {
      ...someIntegers(0, maxSize),
      test: (value) => Array.isArray(value) && value.length <= 32 && value.every(isInteger(0, maxSize)),
    },
    value: real,
  },
  cast: { to: oneOf("f32", "f16", "int8", "uint8", "int32", "int64", "bool") },
};

/** Every operator's name. */
export const operators: ReadonlySet<string> = new Set(Object.keys(fields));

/**
 * Calls `fail(attribute, wanted, got)` for each attribute that is missing, wrong or not the operator's.
 * @param op one of {@link operators}
 */
export function checkAttributes(
  op: Op,
  attributes: unknown,
  fail: (attribute: string, wanted: string, got: unknown) => void,
): void {
  if (typeof attributes !== "object" || attributes === null) {
    fail("attributes", "an object", attributes);
    return;
  }
  const known: Readonly<Record<string, Field>> = fields[op];
  const given = attributes as Record<string, unknown>;
  for (const [name, { test, wants, optional }] of Object.entries(known)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined ? !optional : !test(value)) fail(name, wants, value);
  }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(known, name)) fail(name, `no such attribute of ${op}`, given[name]);
}
