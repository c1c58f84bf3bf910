import { describe, expect, test } from "vitest";
import { allCases } from "../src/cases/index.ts";
import { sources } from "../src/engines/index.ts";
import { boundOf, type Limits } from "../src/limits.ts";
import { matcher, selectCases, selectSources, selectsEngine } from "../src/select.ts";
import { quantile, spreadOf } from "../src/statistics.ts";

describe("selection", () => {
  test("a filter is a list of parts, or of patterns for the whole id", () => {
    expect(["ab/1", "b/2", "c/3"].filter(matcher("b/"))).toEqual(["ab/1", "b/2"]);
    expect(["ab/1", "b/2", "c/3"].filter(matcher("b/*,c"))).toEqual(["b/2", "c/3"]);
    expect(["a.b", "axb"].filter(matcher("a.*"))).toEqual(["a.b"]);
    expect(matcher(undefined)("anything")).toBe(true);
  });

  test("--quick is a part of the suite", () => {
    const quick = selectCases(allCases(), { quick: true });
    expect(quick.length).toBeLessThan(allCases().length / 2);
    expect(selectCases(allCases(), { quick: false })).toEqual(allCases());
    const filter = "xnor_gemm/16x1024x1024";
    expect(selectCases(allCases(), { quick: true, filter })).toEqual(selectCases(allCases(), { quick: false, filter }));
  });

  test("ours always run, peers by the list", () => {
    const peer = { name: "litert", kind: "peer", open: async () => [] } as const;
    const names = (peers: string) =>
      selectSources([...sources.filter(({ kind }) => kind === "ours"), peer], peers).map(({ name }) => name);
    expect(names("none")).not.toContain("litert");
    expect(names("all")).toContain("litert");
    expect(names("litert:int8")).toEqual(names("all"));
    expect(names("tfjs-wasm")).toEqual(names("none"));
    const passes = selectsEngine("litert:int8", new Set(["lowbit"]));
    expect(["lowbit:relaxed", "litert:int8", "litert:fp32"].map(passes)).toEqual([true, true, false]);
  });
});

describe("limits", () => {
  const limits: Limits = {
    popcnt64: 4,
    popcnt8: 1,
    swizzle: 2,
    relaxedSwizzle: 4,
    dot16: 5,
    relaxedDot: 3,
    f32: 5,
    readMemory: 10,
  };
  const of = (id: string) => allCases().find((each) => each.id === id)!;

  test("the best instruction of the tier binds a product", () => {
    expect(boundOf(of("xnor_gemm/64x1024x1024"), "simd128", limits)).toEqual({ by: "popcnt64", rate: 256 });
    expect(boundOf(of("xnor_gemm/64x1024x1024"), "relaxed", limits)).toEqual({ by: "relaxedSwizzle", rate: 512 });
    expect(boundOf(of("int8_gemm/64x1024x1024"), "simd128", limits)).toEqual({ by: "dot16", rate: 40 });
    expect(boundOf(of("gemm_f32/64x1024x1024"), "relaxed", limits, 2)).toEqual({ by: "f32", rate: 40 });
  });

  test("memory binds cold weights where it is slower", () => {
    const cold = of("int8_gemv_cold/1x4096x4096");
    expect(boundOf(cold, "relaxed", limits)).toEqual({ by: "readMemory", rate: 10 });
    expect(boundOf(cold, "relaxed", { ...limits, readMemory: 1000 })).toEqual({ by: "relaxedDot", rate: 48 });
  });

  test("the scalar tier has none, and neither has an engine that measured none", () => {
    expect(boundOf(of("xnor_gemm/64x1024x1024"), "scalar", limits)).toBeUndefined();
    expect(boundOf(of("xnor_gemm/64x1024x1024"), "simd128", {})).toBeUndefined();
  });
});

test("quantiles lie between neighbours in proportion", () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(spreadOf([5, 1, 3])).toEqual({ medianMs: 3, minMs: 1, q1Ms: 2, q3Ms: 4, rounds: 3 });
});
