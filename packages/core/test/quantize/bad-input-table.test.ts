/**
 * Every scheme of the registry against every kind of bad input: a cell is a named error with what was expected and what came, or a result that is said here. A scheme
 * has a kind's usual answer unless `others` names it; a name there that no scheme has fails too. What single quantizers do beside that is in bad-input.test.ts.
 */
import { describe, expect, it } from "vitest";
import { InputError, type LowbitError, NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import {
  parseScheme,
  type Quantized,
  type QuantizeOptions,
  type Quantizer,
  quantize,
  Random,
  registry,
} from "../../src/quantize.ts";
import { sampleNeeds } from "./needs.ts";

const schemes = registry.flatMap(({ examples }) => examples);
const LEAST = 2 ** -149;

const random = new Random(3);
/** Bell-shaped, within ±0.75. */
const bell = (count: number): number[] =>
  Array.from({ length: count }, () => (random.uniform() + random.uniform() + random.uniform() - 1.5) / 2);

/** What a cell asks of its result. */
type Claim = (quantized: Quantized, quantizer: Quantizer, data: Float32Array) => void;

const exact: Claim = ({ error }) => expect(error).toMatchObject({ mse: 0, maxAbs: 0, sqnr: Number.POSITIVE_INFINITY });
/** To the rounding of a scale. */
const nearlyExact: Claim = ({ error }) => expect(error.relativeMse).toBeLessThan(2 ** -22);
/** Finite, with no more error than 0 in the place of every weight. */
const noWorseThanZeros: Claim = ({ error, dequantize }) => {
  expect(dequantize().every(Number.isFinite)).toBe(true);
  expect(error.relativeMse).toBeLessThanOrEqual(1);
};
const errorOf =
  (relativeMse: number): Claim =>
  ({ error }) =>
    expect(error.relativeMse).toBeCloseTo(relativeMse, 3);
/** Drawn values, which do not follow the weights' size. */
const among =
  (...levels: number[]): Claim =>
  ({ dequantize }) =>
    expect(levels).toEqual(expect.arrayContaining([...new Set(dequantize())].map((w) => w + 0)));
const refused = (
  type: new (...args: never[]) => LowbitError,
  message: RegExp,
): { type: typeof type; message: RegExp } => ({ type, message });
type Refused = ReturnType<typeof refused>;

/** Sub-vectors of D must divide the row. */
const undivided = (columns: number) =>
  refused(ShapeError, new RegExp(`weights of a row, expected a multiple of \\d, got ${columns}$`));
const VECTORS = /^(pq|rq|aq|aqlm):/;
const DRAWN_SIGN = "stochastic:binary";
const DRAWN_TERNARY = "stochastic:ternary";

interface Kind {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly usual: Claim | Refused;
  /** Schemes with another answer, by name or pattern; the first that fits. */
  readonly others?: readonly (readonly [scheme: string | RegExp, answer: Claim | Refused])[];
}

const with5 = (bad: number) => Array.from({ length: 24 }, (_, i) => (i === 5 ? bad : i / 8 - 1));
const notFinite = refused(NotFiniteError, /weights, expected finite numbers, got a NaN or an infinity at element 5$/);

const kinds: Record<string, Kind> = {
  "a NaN": { shape: [3, 8], data: with5(Number.NaN), usual: notFinite },
  "an infinity": { shape: [3, 8], data: with5(Number.POSITIVE_INFINITY), usual: notFinite },
  "a negative infinity": { shape: [3, 8], data: with5(Number.NEGATIVE_INFINITY), usual: notFinite },
  "no rows": { shape: [0, 8], data: [], usual: refused(ShapeError, /shape, expected sizes >= 1, got \[0, ?8\]$/) },
  "no columns": { shape: [3, 0], data: [], usual: refused(ShapeError, /shape, expected sizes >= 1, got \[3, ?0\]$/) },
  "no axes": { shape: [], data: [], usual: refused(ShapeError, /axes, expected at least 1, got 0$/) },
  "data of another length": {
    ...{ shape: [3, 8], data: bell(23) },
    usual: refused(ShapeError, /elements of shape \[3,8\], expected 24, got 23$/),
  },
  zeros: { shape: [3, 8], data: new Array(24).fill(0), usual: exact, others: [[DRAWN_SIGN, among(1, -1)]] },
  "a constant": {
    ...{ shape: [3, 8], data: new Array(24).fill(0.75) },
    usual: nearlyExact,
    others: [
      // Between the powers of two 1/2 and 1, and the nearer of those of √2.
      ["log:4:sqrt2", errorOf((1 - Math.SQRT1_2 / 0.75) ** 2)],
      [/^(pow2|log):/, errorOf(1 / 9)],
      ["wage:2", errorOf(1 / 9)],
      // 5 of 7 steps.
      ["wrpn:4", errorOf((1 - 5 / 7 / 0.75) ** 2)],
      // A Gaussian grid has no level at σ.
      [/^sqnr/, ({ error }) => expect(error.relativeMse).toBeLessThan(0.25)],
      // Weights that share a value under different signs.
      [/^hashed/, noWorseThanZeros],
      ["prune:0.75+kmeans:7", errorOf(0.75)],
      [/^prune:0.5/, errorOf(0.5)],
      [DRAWN_SIGN, among(1, -1)],
      [DRAWN_TERNARY, among(0, 1)],
    ],
  },
  denormals: {
    ...{ shape: [3, 8], data: Array.from({ length: 24 }, (_, i) => (i - 11) * LEAST) },
    usual: noWorseThanZeros,
    others: [
      [DRAWN_SIGN, among(1, -1)],
      [DRAWN_TERNARY, among(0, 1, -1)],
    ],
  },
  "rows of one weight": {
    ...{ shape: [3, 1], data: [0.5, -0.25, 0.125] },
    usual(quantized, quantizer, data) {
      // A scale of its own; what is the tensor's is shared by three.
      const claim = quantizer.per === "tensor" ? noWorseThanZeros : nearlyExact;
      claim(quantized, quantizer, data);
    },
    others: [
      [VECTORS, undivided(1)],
      // The smallest one of three, or two of them, gone.
      ["prune:0.75+kmeans:7", errorOf(5 / 21)],
      [/^prune:0.5/, errorOf(1 / 21)],
      ["sqnr:3:channel", noWorseThanZeros],
      ["bayes:4:n100", noWorseThanZeros],
      [DRAWN_SIGN, among(1, -1)],
      [DRAWN_TERNARY, among(0, 1, -1)],
    ],
  },
  "groups that do not divide": {
    ...{ shape: [2, 33], data: bell(66) },
    usual(quantized, quantizer, data) {
      noWorseThanZeros(quantized, quantizer, data);
      const { per } = quantizer;
      if (typeof per === "object") expect(quantized.scaleShape).toEqual([2, Math.ceil(33 / Math.min(33, per.group))]);
    },
    others: [
      [VECTORS, undivided(33)],
      [/^stochastic:binary/, ({ error }) => expect(error.maxAbs).toBeLessThan(2)],
      [DRAWN_TERNARY, among(0, 1, -1)],
    ],
  },
  "more levels than weights": {
    ...{ shape: [1, 8], data: bell(8) },
    usual: noWorseThanZeros,
    others: [
      // As many entries as there are values or sub-vectors.
      [/^(kmeans:(8|16)|hkmeans:16|lloyd:8|weq:16|ecsq:16:hessian)$/, exact],
      [VECTORS, exact],
      [/^stochastic:binary/, ({ error }) => expect(error.maxAbs).toBeLessThan(2)],
      [DRAWN_TERNARY, among(0, 1, -1)],
      ["stochastic:ternary:channel", noWorseThanZeros],
    ],
  },
};

const answerOf = (kind: Kind, scheme: string): Claim | Refused =>
  kind.others?.find(([name]) => (typeof name === "string" ? name === scheme : name.test(scheme)))?.[1] ?? kind.usual;

async function expectRefused(failure: Promise<unknown>, { type, message }: Refused): Promise<void> {
  await expect(failure).rejects.toThrow(type);
  await expect(failure).rejects.toThrow(message);
}

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  const { shape } = kind;
  const data = Float32Array.from(kind.data);
  const [rows = 1, columns = 1] = shape;

  it.each(schemes)("%s", async (scheme) => {
    const quantizer = parseScheme(scheme);
    const answer = answerOf(kind, scheme);
    const result = quantize({ shape, data }, quantizer, sampleNeeds(quantizer, rows, columns));
    if (typeof answer === "function") answer(await result, quantizer, data);
    else await expectRefused(result, answer);
  });

  it("has answers for schemes that there are", () => {
    for (const [name] of kind.others ?? [])
      expect(schemes.some((scheme) => (typeof name === "string" ? name === scheme : name.test(scheme)))).toBe(true);
  });
});

describe("what a layer is given beside its weights", () => {
  const [rows, columns] = [3, 8];
  const tensor = { shape: [rows, columns], data: Float32Array.from(bell(rows * columns)) };
  const numbers = (count: number, last = 1) =>
    Float32Array.from({ length: count }, (_, i) => (i === count - 1 ? last : 1));
  const inputs = (samples: number, count: number, last?: number) => ({
    calibration: { samples, inputs: numbers(count, last) },
  });
  const curvature = (count: number, last?: number) => ({ curvature: numbers(count, last) });

  const wrong: Record<Quantizer["needs"], readonly (readonly [given: object, answer: Refused])[]> = {
    inputs: [
      [{}, refused(InputError, /calibration, expected inputs of the layer, \[samples, 8\], got none$/)],
      [
        inputs(2, 17),
        refused(ShapeError, /calibration inputs, expected samples >= 1 of 8, got 2 samples in 17 numbers$/),
      ],
      [inputs(3, 16), refused(ShapeError, /expected samples >= 1 of 8, got 3 samples in 16 numbers$/)],
      [inputs(0, 0), refused(ShapeError, /expected samples >= 1 of 8, got 0 samples in 0 numbers$/)],
      [inputs(2, 16, Number.NaN), refused(NotFiniteError, /inputs, expected finite .*, got .* at element 15$/)],
    ],
    curvature: [
      [{}, refused(InputError, /curvature, expected a diagonal Hessian of 24 numbers, got none$/)],
      [curvature(23), refused(ShapeError, /numbers of curvature, expected 24, got 23$/)],
      [
        curvature(24, Number.POSITIVE_INFINITY),
        refused(NotFiniteError, /curvature, expected finite .* at element 23$/),
      ],
      [curvature(24, -1), refused(OutOfRangeError, /curvature, expected 0 or more, got -1$/)],
    ],
    weights: [],
  };

  it.each(schemes)("%s", async (scheme) => {
    const quantizer = parseScheme(scheme);
    const run = (given: object) => quantize(tensor, quantizer, given as QuantizeOptions);
    for (const [given, answer] of wrong[quantizer.needs]) await expectRefused(run(given), answer);
    if (quantizer.needs !== "weights") return;
    // One that looks at the weights alone takes no notice, also of what would be wrong.
    const [alone, beside] = [await run({}), await run({ ...inputs(2, 17), ...curvature(5, -1) })];
    expect(beside.codes).toEqual(alone.codes);
    expect(beside.error).toEqual(alone.error);
  });

  it.each(schemes.filter((scheme) => parseScheme(scheme).needs !== "weights"))(
    "%s: of nothing but 0",
    async (scheme) => {
      const quantizer = parseScheme(scheme);
      const none = {
        calibration: { samples: 4, inputs: new Float32Array(4 * columns) },
        curvature: new Float32Array(rows * columns),
      };
      const { needs } = quantizer;
      const given = needs === "inputs" ? { calibration: none.calibration } : { curvature: none.curvature };
      noWorseThanZeros(await quantize(tensor, quantizer, given as QuantizeOptions), quantizer, tensor.data);
    },
  );
});
