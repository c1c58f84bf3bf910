import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createModel, readPacked, Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { type Digits, readPackagedDigits } from "../src/data/mnist.ts";
import { top1 } from "../src/evaluate.ts";
import { recipes } from "../src/recipes/index.ts";
import type { TrainingRecord } from "../src/record.ts";
import { onnxLogits } from "./fixtures.ts";

const models = resolve(import.meta.dirname, "../../../models");

/** What the main job needs of each network, on digits that none of them was trained on. */
const LEAST_TOP1: Readonly<Record<string, number>> = {
  "mnist-cnn-float": 0.99,
  "mnist-cnn-binary": 0.98,
  "mnist-cnn-ternary": 0.985,
  "mnist-lenet-300-100": 0.985,
  "mnist-lenet-5": 0.99,
};

function everyFourth({ count, images, labels }: Digits): Digits {
  const chosen = Array.from({ length: count / 4 }, (_, i) => 4 * i);
  return {
    count: chosen.length,
    images: Uint8Array.from(chosen.flatMap((i) => [...images.subarray(784 * i, 784 * (i + 1))])),
    labels: Uint8Array.from(chosen, (i) => labels[i]!),
  };
}

const recordOf = (name: string): string => resolve(models, `${name}.json`);

// Recipes with a strategy write packed files: test/recipes.test.ts. A recipe that was never run to its end has no model yet.
const exported = recipes.filter(({ strategy }) => strategy === undefined);
const trained = exported.filter(({ name }) => existsSync(recordOf(name)));
for (const { name } of exported.filter((recipe) => !trained.includes(recipe)))
  it.skip(`models/${name}: not trained (lowbit train ${name}, then node scripts/pack-models.mjs)`, () => {});

describe.each(trained)("models/$name", ({ name, epochs, pruning }) => {
  const record = JSON.parse(readFileSync(recordOf(name), "utf8")) as TrainingRecord;

  it("has the record of a whole run of its recipe, without the digits that it is measured on", () => {
    expect(record).toMatchObject({ recipe: name, epochs, removed_count: 10_000, train_count: 48_000 });
    expect(record.log.map((entry) => entry.epoch)).toEqual(Array.from({ length: epochs }, (_, i) => i + 1));
    const best = Math.max(...record.log.map((entry) => entry.validation));
    expect(record.log[record.epoch - 1]?.validation).toBe(best);
    expect(record.top1).toBeGreaterThanOrEqual(LEAST_TOP1[name]!);
    expect(record.top1_test).toBeGreaterThanOrEqual(LEAST_TOP1[name]!);
  });

  // Every fourth digit; the sampling error of so many is below 0.25 %, that of a wrong file or a wrong record is not.
  const expectRecorded = (logits: Float32Array, digits: Digits): void =>
    expect(Math.abs(top1(logits, digits.labels) - record.top1)).toBeLessThan(0.0075);

  // Of a pruned network the packed file is kept, which is a sixteenth of the other.
  it.skipIf(pruning !== undefined)("reaches its recorded accuracy in onnxruntime", async () => {
    const path = resolve(models, `${name}.onnx`);
    expect(existsSync(path)).toBe(true);
    const bytes = readFileSync(path);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(record.onnx.sha256);
    const digits = everyFourth(await readPackagedDigits());
    expectRecorded(await onnxLogits(bytes, digits), digits);
  });

  it.runIf(pruning !== undefined)(
    "reaches its recorded accuracy and zeros as a packed file of sparse floats",
    async () => {
      const { graph } = readPacked(new Uint8Array(readFileSync(resolve(models, `${name}.safetensors`))));
      const digits = everyFourth(await readPackagedDigits());
      const pixels = new Tensor("f32", [digits.count, 1, 28, 28], Float32Array.from(digits.images));
      using model = await createModel(graph);
      const { logits } = await model.run({ image: pixels });
      expectRecorded(logits!.data as Float32Array, digits);
      const zeros = record.figures.layers.reduce((sum, layer) => sum + layer.zeros * layer.weights, 0);
      const matrices = [...graph.constants.values()].filter(({ shape }) => shape.length > 1);
      const found = matrices.flatMap((constant) =>
        constant.kind === "plain" ? [...(constant.data as Float32Array)] : [],
      );
      expect(found.length).toBe(record.figures.weights);
      expect(found.filter((w) => w === 0).length / found.length).toBeCloseTo(zeros / found.length, 3);
    },
  );
});
