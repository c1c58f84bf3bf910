import { describe, expect, it } from "vitest";
import {
  checkLaws,
  defineQuantizer,
  type Encoded,
  type Law,
  LawError,
  parseScheme,
  registry,
  type Weights,
} from "../../src/quantize.ts";

const schemes = registry.flatMap(({ examples }) => examples);

describe("every registered quantizer keeps every law it declares", () => {
  const cases = schemes.flatMap((scheme) => parseScheme(scheme).laws.map((law) => ({ scheme, law })));
  it.each(cases)("$scheme: $law", async ({ scheme, law }) => {
    const quantizer = { ...parseScheme(scheme), laws: [law] };
    // A thousand draws of each weight are one sample enough.
    for (const seed of law === "unbiased" ? [1] : [1, 2, 3]) await checkLaws(quantizer, { seed });
    // Groups of 32 do not divide 36; the sub-vectors of every example do.
    await checkLaws(quantizer, { seed: 4, shape: [5, 36] });
  });

  it("declares at least three laws each, but for formulas that have fewer", () => {
    // Q4_K: a search over grids with a minimum, and scales of f16.
    const fewer: Record<string, number> = { q4_k: 1 };
    for (const scheme of schemes)
      expect(parseScheme(scheme).laws.length, scheme).toBeGreaterThanOrEqual(fewer[scheme] ?? 3);
  });
});

describe("checkLaws refuses a quantizer that breaks", () => {
  /** A 4-level table with a fault. */
  const faulty = (law: Law, encode: (w: Weights) => Encoded<"table">, coarser?: string) =>
    defineQuantizer({
      scheme: `breaks-${law}`,
      decoding: "table",
      bits: 2,
      codebook: "fixed",
      per: "tensor",
      laws: [law],
      coarser: coarser === undefined ? undefined : () => parseScheme(coarser),
      paper: { title: "none", authors: "none", year: 2026, url: "https://example.org" },
      encode,
    });
  const table = (codes: Uint8Array, levels: number[], scale?: Float32Array): Encoded<"table"> => ({
    codes,
    decoding: { kind: "table", codebook: Float32Array.from(levels) },
    ...(scale ? { scale } : {}),
  });
  const broken: Record<Law, ReturnType<typeof faulty>> = {
    // Halves the weights at every pass.
    idempotent: faulty("idempotent", (w) => {
      const scale = w.absMax();
      return table(w.nearest(Float32Array.of(-1, 0, 1), scale), [-0.5, 0, 0.5], scale);
    }),
    // Levels that do not follow the weights.
    scaleEquivariant: faulty("scaleEquivariant", (w) => table(w.nearest(Float32Array.of(-1, 0, 1)), [-1, 0, 1])),
    signSymmetric: faulty("signSymmetric", (w) => table(w.nearest(Float32Array.of(-1, 0, 2)), [-1, 0, 2])),
    // Codes by other levels than those that are stored.
    nearest: faulty("nearest", (w) => table(w.nearest(Float32Array.of(-1, 0, 1), w.meanAbs()), [-1, 0, 1], w.absMax())),
    optimalScale: faulty("optimalScale", (w) => table(w.signCodes(), [1, -1], w.absMax())),
    keepsZero: faulty("keepsZero", (w) => table(w.signCodes(), [1, -1], w.meanAbs())),
    keepsMean: faulty("keepsMean", (w) => table(w.signCodes(), [1, -1], w.absMax())),
    ordered: faulty("ordered", (w) => table(w.signCodes(), [-1, 1])),
    // Large weights stay large where a smaller level is nearer.
    adjacent: faulty("adjacent", (w) => table(new Uint8Array(w.length), [1, 0.5], w.absMax())),
    noWorseOutput: {
      ...faulty("noWorseOutput", (w) => table(w.signCodes(), [1, -1], w.absMax())),
      uncalibrated: () => parseScheme("binary"),
    },
    unbiased: faulty("unbiased", (w) => table(w.signCodes(), [1, -1], w.meanAbs())),
    monotoneInBits: faulty("monotoneInBits", (w) => table(w.signCodes(), [1, -1], w.absMax()), "ternary"),
  };
  it.each(Object.entries(broken))("%s", async (law, quantizer) => {
    const failure = checkLaws(quantizer);
    await expect(failure).rejects.toThrow(LawError);
    await expect(failure).rejects.toMatchObject({ law, code: "quantizer", op: `quantizer breaks-${law}` });
  });
});
