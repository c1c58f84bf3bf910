/** Trains a small network of ternary weights, packs it, and runs the packed file. */
import {
  agreementOf,
  batchNorm,
  dense,
  digitsDataset,
  fit,
  int8Pixels,
  logitsOf,
  Model,
  packedLogits,
  type Recipe,
  relu,
  straightThroughTraining,
  top1,
  trainedLogits,
} from "@lowbit/train/fit";
import { writePacked } from "lowbit";
import { ternary } from "lowbit/quantize";
import type { Job, Report } from "./protocol.ts";

const recipeOf = (epochs: number): Recipe => ({
  name: "digits-in-the-browser",
  description: "MLP 784-128-10 with ternary weights",
  layers: () => [
    int8Pixels("input"),
    dense("hidden", { from: [28, 28, 1], outputs: 128 }),
    batchNorm("norm1", { channels: 128 }),
    relu("relu"),
    dense("last", { from: [128], outputs: 10 }),
    batchNorm("norm2", { channels: 10 }),
  ],
  strategy: () => straightThroughTraining({ quantizer: ternary() }),
  epochs,
  batch: 50,
  peakRate: 0.004,
  warmup: 50,
  shift: 1,
});

const report = (message: Report): void => self.postMessage(message);

async function work({ training, test, epochs, seed }: Job): Promise<void> {
  const started = performance.now();
  const recipe = recipeOf(epochs);
  const fitted = await fit(recipe, {
    training,
    validation: test,
    seed,
    onProgress({ epoch, step, steps, loss, entry }) {
      // An epoch's last report has the mean of its losses.
      if (entry === undefined) report({ kind: "step", done: (epoch - 1) * steps + step, steps: epochs * steps, loss });
      else report({ kind: "epoch", entry });
    },
  });
  const model = new Model(recipe.layers());
  const input = { name: "image", dtype: "f32", shape: [28, 28, 1] } as const;
  const bytes = writePacked({
    graph: model.toGraph(fitted.tensors, { name: recipe.name, input, weights: fitted.weights }),
  });
  const data = digitsDataset(test);
  const packed = await packedLogits(bytes, data, input.name);
  const { equal, answers } = agreementOf(logitsOf(data, await trainedLogits(model, fitted)), packed, test.count);
  const seconds = (performance.now() - started) / 1000;
  report({ kind: "result", bytes: bytes.length, top1: top1(packed, test.labels), equal, answers, seconds });
}

self.onmessage = ({ data }: MessageEvent<Job>) => {
  work(data).catch((error) => report({ kind: "error", message: String(error?.stack ?? error) }));
};
