import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_GATE, judge } from "../src/gate.ts";

const layer = (name: string, sqnr: number) => ({ name, sqnr, measured: "output" as const });
const agreement = (top1: number, cosine = 1) => ({ top1, cosine, samples: 500, sqnr: 20, maxError: 1 });

describe("gate", () => {
  test("passes what reaches every floor, exactly too", () => {
    expect(judge([layer("a", 6)], agreement(0.98, 0.95), DEFAULT_GATE)).toBeUndefined();
  });

  test.each([
    ["agreement", agreement(0.979), 20],
    ["cosine", agreement(1, 0.949), 20],
    ["sqnr", agreement(1), 5.9],
    ["agreement", agreement(Number.NaN), 20],
    ["cosine", agreement(1, Number.NaN), 20],
    ["sqnr", agreement(1), Number.NaN],
  ])("refuses by %s, with layer and figure", (figure, measured, sqnr) => {
    const refusal = judge([layer("good", 30), layer("worst", sqnr)], measured, DEFAULT_GATE)!;
    expect(refusal).toMatchObject({ figure, layer: "worst", layerSqnr: sqnr });
    expect(refusal.message).toContain('"worst"');
  });

  test("a floor that is not set is not judged; without layers there is nothing to judge", () => {
    expect(judge([layer("a", -5)], agreement(0, 0), {})).toBeUndefined();
    expect(judge([], agreement(0), DEFAULT_GATE)).toBeUndefined();
  });

  test("knows no scheme", () => {
    const source = readFileSync(new URL("../src/gate.ts", import.meta.url), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    // The one that is named is advice, in the message.
    expect(source.replace("=int8", "")).not.toMatch(/scheme|binary|ternary|int\d|kmeans|pq/);
  });
});
