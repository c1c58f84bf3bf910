import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OutOfMemoryError, loadKernels as ofMain } from "lowbit";
import * as entry from "lowbit/kernels";
import { describe, expect, it } from "vitest";
import { integers, naiveProduct, packCodes, packSigns } from "./kernels/random.ts";

describe("lowbit/kernels", () => {
  it("runs the example of its documentation", async () => {
    const [rows, n, channels] = [3, 5, 70];
    const next = integers(1);
    const signs = (count: number) => Array.from({ length: count }, () => 1 - 2 * next(0, 1));
    const [xs, ws] = [signs(rows * channels), signs(n * channels)];
    using kernels = await entry.loadKernels();
    const bits = packSigns(xs, channels, false);
    expect(bits.length).toBe(rows * entry.bitRowWords(channels));
    const codes = packCodes(
      ws.map((w) => (w < 0 ? 1 : 0)),
      channels,
      1,
    );
    using gemm = new entry.XnorGemm(kernels, { n, channels, codes, output: { kind: "int32" } });
    const x = kernels.upload(bits);
    const y = kernels.alloc(rows * n * 4);
    gemm.run(x, rows, y);
    expect(kernels.i32(y, rows * n)).toEqual(naiveProduct(xs, ws, channels));
  });

  it("shares its classes and errors with `lowbit`", async () => {
    using kernels = await ofMain({ tier: "scalar" });
    expect(kernels).toBeInstanceOf(entry.KernelInstance);
    expect(entry.OutOfMemoryError).toBe(OutOfMemoryError);
  });

  it("has the wrappers of every file in kernels/: a new family needs its line in kernels/index.ts", async () => {
    const folder = join(import.meta.dirname, "../src/kernels");
    // What makes instances, and the loops of the quantizers, which lowbit/quantize has.
    const loops = [
      "block-codes.ts",
      "codebooks.ts",
      "gradients.ts",
      "prune.ts",
      "quantize.ts",
      "resident.ts",
      "solve.ts",
      "stage.ts",
    ];
    const inner = new Set(["error-block.ts", "index.ts", "load.ts", "tiers.ts", ...loops]);
    const missing: string[] = [];
    for (const file of readdirSync(folder)) {
      if (inner.has(file)) continue;
      const module = await import(join(folder, file));
      for (const name of Object.keys(module)) if (!(name in entry)) missing.push(`${file}: ${name}`);
    }
    expect(missing).toEqual([]);
  });
});
