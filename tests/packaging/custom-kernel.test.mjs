// examples/custom-kernel as its user has it: a folder outside of the checkout, the packed npm package, crates by path.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { root } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/run.mjs";
import { nativeTool } from "../../scripts/setup/rust.mjs";
import { wasmEnv } from "../../scripts/setup/wasm.mjs";

const { consumer } = inject("packaging");
const folder = join(consumer, "custom-kernel");
// Kept between runs: most of it is lowbit's own crates.
const target = join(root, "target", "custom-kernel");

beforeAll(() => {
  const left = /\/(wasm|target|node_modules)$/;
  cpSync(join(root, "examples", "custom-kernel"), folder, { recursive: true, filter: (path) => !left.test(path) });
  // `lowbit` is found where the tarballs were installed.
  rmSync(join(folder, "package-lock.json"), { force: true });
  const manifest = join(folder, "Cargo.toml");
  const crates = join(root, "crates");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll('"../../crates', `"${crates}`));
});

test("its tiers agree, natively", async () => {
  const env = { CARGO_TARGET_DIR: join(target, "native"), CARGO_TERM_COLOR: "never" };
  const output = await run(nativeTool("cargo"), ["test", "--locked"], { cwd: folder, env, timeout: 600 });
  expect(output).toContain("both_tiers_give_the_same_bits ... ok");
}, 600_000);

test("its own build script makes a module that a model runs on, with the right answer", async () => {
  const env = { ...wasmEnv(), CARGO_TARGET_DIR: join(target, "wasm") };
  await run(process.execPath, ["build.mjs", "simd128"], { cwd: folder, env, log: "custom-kernel", timeout: 900 });
  const output = await run(process.execPath, ["main.js", "simd128"], { cwd: folder });
  expect(output).toContain("tier simd128: gemm_f32, acme.hard_swish; 0 of 57 results differ");
  expect(output).toContain('node "swish": operator, expected one that registerOp made known, got acme.hard_swish');
}, 900_000);
