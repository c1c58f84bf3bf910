import { expect, test, vi } from "vitest";
import { offencesIn } from "../../scripts/check-math.mjs";
import { performLanes, single, skipped, summarize } from "../../scripts/checks/check.mjs";
import { countCargo } from "../../scripts/checks/rust.mjs";
import { interfaceOf } from "../../scripts/wasm-exports.mjs";

test("Math functions that differ between engines are found, with file and line", () => {
  const text = "const a = Math.sqrt(2);\nconst b = Math.exp(a);\nconst c = b ** 2;\nconst d = 2 ** a;\n// Math.log(1)";
  expect(offencesIn("x.ts", text)).toEqual(["x.ts:2 Math.exp", "x.ts:3 **"]);
  expect(offencesIn("x.ts", "const { log } = Math; Math['pow'](2, 3); a **= 2")).toHaveLength(3);
  expect(offencesIn("x.ts", "const { sqrt, log: ln } = Math;")).toHaveLength(1);
  expect(offencesIn("x.ts", "const { sqrt, fround: f32 } = Math;")).toEqual([]);
  expect(offencesIn("x.ts", "Math.PI + Math.fround(Math.imul(2, 3))")).toEqual([]);
});

test("the counts of every test binary are added up, ignored tests are named", () => {
  const output = [
    "test a::b ... ok",
    "test slow ... ignored, needs an hour",
    "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
    "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
  ].join("\n");
  expect(countCargo(output)).toEqual({ passed: 4, failed: 2, skipped: ["slow, needs an hour"] });
});

test("wasm-bindgen's own exports are left out, ours are sorted, tiers that differ are refused", () => {
  const types = (names) => names.map((name) => `export const ${name}: (a: number) => number;`).join("\n");
  expect(interfaceOf([types(["b", "a", "__wbindgen_start"])])).toContain(
    "  readonly a: (a: number) => number;\n  readonly b: ",
  );
  expect(interfaceOf([types(["b", "__wbindgen_start"])])).not.toContain("wbindgen_start");
  expect(() => interfaceOf([types(["a"]), types(["b"])])).toThrow("do not export the same functions");
});

test("a failed check is counted, shown and makes the whole fail; a skipped one is named and never counted", async () => {
  const said = [];
  const log = vi.spyOn(console, "log").mockImplementation((text = "") => said.push(text));
  try {
    const good = single("good", async () => {});
    const bad = single("bad", () => Promise.reject(Object.assign(new Error("broke"), { output: "the reason" })));
    const missing = skipped("missing", "no tool");
    expect(summarize(await performLanes([[good, bad], [missing]]))).toBe(false);
    expect(said.join("\n")).toContain("the reason");
    expect(said.join("\n")).toContain("missing (no tool)");
    expect(said.at(-1)).toBe("\n1 passed, 1 failed");
    expect(summarize(await performLanes([[good]]))).toBe(true);
    expect(summarize(await performLanes([[missing]]))).toBe(false);
  } finally {
    log.mockRestore();
  }
});
