import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineQuantizer, parseScheme, registry, SchemeError, type SchemeFamily } from "../../src/quantize.ts";

describe("parseScheme", () => {
  it.each([
    ["float", { bits: 32, decoding: "identity", codebook: "fixed", per: "tensor" }],
    ["binary", { bits: 1, decoding: "sign", codebook: "fixed", per: "channel" }],
    ["binary:tensor", { bits: 1, per: "tensor" }],
    ["ternary", { bits: 2, decoding: "affine", codebook: "fixed", per: "channel" }],
    ["ternary:g64", { bits: 2, per: { group: 64 } }],
    ["int8", { bits: 8, decoding: "affine", per: "channel" }],
    ["int4:g32", { bits: 4, per: { group: 32 } }],
    ["pow2:4", { bits: 4, decoding: "table", codebook: "fixed", per: "tensor" }],
    ["kmeans:16", { bits: 4, decoding: "table", codebook: "adaptive", seeded: true, stochastic: false }],
    ["kmeans:17", { bits: 5 }],
    ["kmeans:256", { bits: 8 }],
    ["kmeans:2", { bits: 1 }],
    ["pq:4x16", { bits: 4, decoding: "product", codebook: "adaptive", seeded: true, needs: "weights" }],
  ])("%s", (scheme, traits) => {
    expect(parseScheme(scheme)).toMatchObject({ scheme, ...traits });
  });

  it("spells every scheme in one way, whatever the order of its modifiers", () => {
    expect(parseScheme("int4:mse:asym:g32").scheme).toBe("int4:g32:asym:mse");
    expect(parseScheme("int4:absmax").scheme).toBe("int4");
    expect(parseScheme("int2:mse").scheme).toBe("int2");
    expect(parseScheme("int4:channel").scheme).toBe("int4");
    expect(parseScheme("pow2:4:tensor").scheme).toBe("pow2:4");
    for (const scheme of registry.flatMap(({ examples }) => examples)) expect(parseScheme(scheme).scheme).toBe(scheme);
  });

  it.each([
    "",
    ":",
    "int",
    "int1",
    "int9",
    "int4:",
    "int4:g0",
    "int4:g",
    "int4:g-1",
    "int4:g1.5",
    "int4:g99999999999",
    "int4:g32:g32",
    "int4:tensor:channel",
    "int4:mse:mse",
    "int4:mse:absmax",
    "INT4",
    " int4",
    "float:16",
    "binary:mse",
    "ternary:mse:ttq",
    "multibit:9",
    "opq:4x16",
    "pow2",
    "pow2:1",
    "pow2:9",
    "kmeans",
    "kmeans:1",
    "kmeans:257",
    "kmeans:0x10",
    "kmeans:16:g32",
    "pq:4",
    "pq:4x",
    "pq:0x16",
    "pq:4x1",
    "pq:4x257",
    "pq:4x16x2",
    "constructor",
    "__proto__",
  ])("refuses %j by name", (scheme) => {
    expect(() => parseScheme(scheme)).toThrow(SchemeError);
  });

  it("says what exists", () => {
    expect(() => parseScheme("nonsense")).toThrow(
      /^parseScheme: scheme, expected one like nf4, nvfp4, float, .*, got "nonsense"$/,
    );
    expect(() => parseScheme("ternary:best")).toThrow(
      'parseScheme: modifier ":best", expected each at most once of tensor, channel, g<n>, mse, got "ternary:best"',
    );
    expect(() => parseScheme("kmeans:1000")).toThrow(
      'parseScheme: K of kmeans:<K>, expected an integer 2..256, got "kmeans:1000"',
    );
  });

  it("gives a quantizer or a SchemeError for any string", () => {
    const pieces = fc.constantFrom(
      "int",
      "int4",
      "kmeans",
      "pq",
      "pow2",
      "binary",
      ":",
      "g",
      "4",
      "16",
      "x",
      "mse",
      "asym",
      "-",
      ".",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
        ),
        (text) => {
          try {
            expect(parseScheme(parseScheme(text).scheme).scheme).toBe(parseScheme(text).scheme);
          } catch (error) {
            expect(error).toBeInstanceOf(SchemeError);
          }
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  it("knows a user's own family", () => {
    const peaks: SchemeFamily = {
      syntax: "peaks",
      summary: "±max |w|",
      examples: ["peaks"],
      owns: (head) => head === "peaks",
      parse: (scheme) =>
        defineQuantizer({
          scheme,
          decoding: "sign",
          bits: 1,
          codebook: "fixed",
          per: "channel",
          laws: ["idempotent"],
          paper: { title: "none", authors: "none", year: 2026, url: "https://example.org" },
          encode: (w) => ({ codes: w.signCodes(), decoding: { kind: "sign" }, scale: w.absMax() }),
        }),
    };
    expect(parseScheme("peaks", [...registry, peaks]).scheme).toBe("peaks");
    expect(() => parseScheme("peaks")).toThrow(SchemeError);
  });
});

describe("traits of every registered quantizer", () => {
  it.each(registry.flatMap(({ examples }) => examples))("%s is complete", (scheme) => {
    const quantizer = parseScheme(scheme);
    expect(quantizer.paper.url).toMatch(/^https:\/\//);
    expect(quantizer.paper.year).toBeGreaterThan(1950);
    expect(quantizer.stochastic && !quantizer.seeded).toBe(false);
    expect(Object.isFrozen(quantizer)).toBe(true);
  });
});
