/** The self-test in this Node's own compilers: the baseline one and the optimising one, with relaxed SIMD where V8 has it behind a flag. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { tierProbes } from "../src/generated/tier-probes.ts";

/** The checks of each tier that differ, or null where the engine refuses the module. */
function wrongChecks(...flags: string[]): Record<string, string[] | null> {
  const program = `
    const probes = ${JSON.stringify(tierProbes)};
    const wrong = Object.entries(probes).map(([tier, { module, checks }]) => {
      const bytes = Buffer.from(module, "base64");
      if (!WebAssembly.validate(bytes)) return [tier, null];
      const { probe } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
      return [tier, checks.flatMap(([name, hash], i) => (probe(i) === hash ? [] : [name]))];
    });
    console.log(JSON.stringify(Object.fromEntries(wrong)));`;
  return JSON.parse(execFileSync(process.execPath, [...flags, "-e", program], { encoding: "utf8" }));
}

const major = Number(process.versions.node.split(".")[0]);

it("both compilers of V8 answer simd128 as the models do", () => {
  expect(wrongChecks("--liftoff-only").simd128).toEqual([]);
  expect(wrongChecks("--no-liftoff").simd128).toEqual([]);
});

it.skipIf(major !== 20)(
  "Node 20: its baseline compiler gets the relaxed dot of 32 bits wrong, and the self-test sees it",
  () => {
    const relaxed = "--experimental-wasm-relaxed-simd";
    expect(wrongChecks(relaxed, "--liftoff-only").relaxed).toEqual(["i32x4.relaxed_dot_i8x16_i7x16_add_s"]);
    expect(wrongChecks(relaxed, "--no-liftoff").relaxed).toEqual([]);
    expect(wrongChecks().relaxed).toBeNull();
  },
);

it.skipIf(major < 22)("newer V8: both compilers answer relaxed as the models do", () => {
  expect(wrongChecks("--liftoff-only").relaxed).toEqual([]);
  expect(wrongChecks("--no-liftoff").relaxed).toEqual([]);
});
