import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel, readSafetensors, Tensor } from "lowbit";
import * as quantizeEntry from "lowbit/quantize";
import { expect, it } from "vitest";
import { top1 } from "../src/evaluate.ts";
import { relu } from "../src/layers/activations.ts";
import { batchNorm } from "../src/layers/batch-norm.ts";
import { dense } from "../src/layers/dense.ts";
import { train } from "../src/main.ts";
import type { PackedRecord } from "../src/record.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import { cloudRecipe, clouds, training, validation } from "./strategy-fixtures.ts";

const page = new URL("../../../docs/how-to/train-a-quantizer.md", import.meta.url);

it("the how-to's quantizer, as written there, is trained, packed and run, and the record says what the file does", async () => {
  const [block = ""] = /import \{ defineQuantizer \}[\s\S]*?```/.exec(await readFile(page, "utf8")) ?? [];
  const source = block.slice(block.indexOf("const wideTernary"), block.lastIndexOf("```"));
  const quantizer = new Function("defineQuantizer", `${source}; return wideTernary;`)(quantizeEntry.defineQuantizer);
  await quantizeEntry.checkLaws(quantizer);

  const folder = await mkdtemp(join(tmpdir(), "lowbit-own-"));
  const out = join(folder, "wide.safetensors");
  const test = clouds(60, 5);
  const recipe = cloudRecipe({
    strategy: () => straightThroughTraining({ quantizer }),
    data: async () => ({ training, validation, test, input: { name: "x", dtype: "f32" as const, shape: [12] } }),
  });
  const record = (await train(recipe, { data: folder, out })) as PackedRecord;
  expect(record.agreement).toEqual({ answers: 60, equal: 60, differing: [] });
  expect(record.top1).toBeGreaterThan(0.9);
  expect(record.weights.map(({ scheme, bits }) => [scheme, bits])).toEqual([
    ["wide-ternary", 2],
    ["wide-ternary", 2],
  ]);
  // Fewer than as floats, scales counted.
  for (const { count, bytes = 0 } of record.weights) {
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(4 * count);
  }
  const { batch, peakRate, warmup, shift } = recipe;
  expect(record.settings).toEqual({ batch, peakRate, warmup, shift });

  using model = await loadModel(new Uint8Array(await readFile(out)));
  const x = test.range(0, test.count);
  const { logits } = await model.run({ x: new Tensor("f32", [...x.shape], x.data) });
  expect(top1(logits!.data as Float32Array, test.labels)).toBe(record.top1);
  expect(JSON.parse(await readFile(join(folder, "wide.json"), "utf8"))).toEqual(record);
  await rm(folder, { recursive: true });
});

it("the record counts the bytes of a weight that a normalization was folded into", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lowbit-folded-"));
  const out = join(folder, "folded.safetensors");
  const test = clouds(60, 5);
  const recipe = cloudRecipe({
    strategy: () => straightThroughTraining({ quantizer: quantizeEntry.binary() }),
    layers: () => [
      dense("first", { from: [12], outputs: 8 }),
      batchNorm("norm", { channels: 8 }),
      relu("relu"),
      dense("last", { from: [8], outputs: 3 }),
    ],
    data: async () => ({ training, validation, test, input: { name: "x", dtype: "f32" as const, shape: [12] } }),
  });
  const record = (await train(recipe, { data: folder, out })) as PackedRecord;
  const inFile = [...readSafetensors(new Uint8Array(await readFile(out))).tensors];
  // The normalization is in the file as the scales of `first` and as what is added to it, eight floats.
  const all = inFile.reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
  const counted = record.weights.map(({ bytes = 0 }) => bytes);
  expect(Math.min(...counted), JSON.stringify(inFile.map(([name]) => name))).toBeGreaterThan(0);
  expect(counted.reduce((sum, bytes) => sum + bytes)).toBe(all - 4 * 8);
  await rm(folder, { recursive: true });
});
