import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";
import { expect, test } from "vitest";
import { folded, foldOffsets } from "../../scripts/wasm-offsets.mjs";

const load = (operation, address) => `(v128.${operation} ${address})`;
const plus = (address, constant) => `(i32.add ${address} (i32.const ${constant}))`;
const pointer = "(local.get $0)";

test("a constant goes into a load that repeats or widens", () => {
  expect(folded(load("load32_splat", plus(pointer, 12)))).toBe(`(v128.load32_splat offset=12 ${pointer})`);
  expect(folded(load("load8x8_u offset=8 align=1", plus(pointer, 4)))).toBe(
    `(v128.load8x8_u offset=12 align=1 ${pointer})`,
  );
});

test("what may wrap, and what is no constant, stays", () => {
  for (const text of [
    load("load32_splat", plus(pointer, 1024)),
    load("load32_splat", plus(pointer, -4)),
    load("load32_splat", `(i32.add ${pointer} (local.get $1))`),
    load("load32_splat", pointer),
    load("load32_lane 0", plus(pointer, 4)),
  ])
    expect(folded(text)).toBe(text);
});

test("loads inside an address are folded too", () => {
  const inner = (text) => `(i32x4.extract_lane 0 ${text})`;
  expect(folded(load("load32_splat", plus(inner(load("load64_splat", plus(pointer, 8))), 4)))).toBe(
    `(v128.load32_splat offset=4 ${inner(`(v128.load64_splat offset=8 ${pointer})`)})`,
  );
});

test("the module computes what it did", () => {
  const folder = mkdtempSync(join(tmpdir(), "lowbit-offsets-"));
  const file = join(folder, "m.wasm");
  const module = binaryen.parseText(`(module (memory (export "memory") 1)
    (func (export "f") (param $0 i32) (result i32)
      (i32x4.extract_lane 3 ${load("load32_splat", plus(pointer, 12))})))`);
  module.setFeatures(binaryen.Features.All);
  writeFileSync(file, module.emitBinary());
  module.dispose();
  const run = () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
    new Int32Array(exports.memory.buffer).set([7, 8, 9, 10, 11], 256);
    return exports.f(1024);
  };
  const before = readFileSync(file);
  expect(run()).toBe(10);
  foldOffsets(file);
  expect(run()).toBe(10);
  expect(readFileSync(file).equals(before)).toBe(false);
  rmSync(folder, { recursive: true });
});
