/** Layers quantized elsewhere and several at a time: the same network; and an abort between any two of them. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ahead } from "../src/ahead.ts";
import {
  type Calibration,
  calibrate,
  importModel,
  type Quantizing,
  quantizeLayer,
  quantizeModel,
  readNpz,
  runPasses,
  writeModel,
} from "../src/index.ts";

const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../../models/${name}`, import.meta.url)));
const network = runPasses(importModel(read("mnist-cnn-float.onnx")));
async function samples(): Promise<Calibration> {
  const { data } = (await readNpz(read("mnist-calibration.npz"))).get("x")!;
  const { Tensor } = await import("lowbit");
  const pixels = Float32Array.from(data.subarray(0, 20 * 784) as Uint8Array);
  return calibrate(network, [{ [network.inputs[0]!]: new Tensor("f32", [20, 1, 28, 28], pixels) }]);
}

/** The last begun is the first done. */
const backwards = (atOnce: number): Quantizing => {
  let begun = 0;
  return {
    atOnce,
    async quantize(task, inputs) {
      const given = await inputs();
      await new Promise((resolve) => setTimeout(resolve, 60 - 15 * begun++));
      return quantizeLayer(task, given);
    },
  };
};

describe("quantizeModel with layers elsewhere", () => {
  it.each(["int4", "gptq:3", "hkmeans:8"])("%s: the same bytes by 1 and 4 at a time", async (weights) => {
    const calibration = await samples();
    const here = await quantizeModel(network, { weights, calibration, correctBias: true });
    const bytes = writeModel(here.graph);
    for (const atOnce of [1, 4]) {
      const quantizing = backwards(atOnce);
      const there = await quantizeModel(network, { weights, calibration, correctBias: true, quantizing });
      expect(writeModel(there.graph)).toEqual(bytes);
      expect(there.layers).toEqual(here.layers);
    }
  });

  it("an abort in the middle ends it with its reason, at a layer and at a measurement", async () => {
    const calibration = await samples();
    for (const stage of ["quantize", "measure"]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const seen: string[] = [];
      const failure = quantizeModel(network, {
        ...{ weights: "int8", calibration, signal: controller.signal },
        onProgress(now) {
          seen.push(now);
          if (now === stage) controller.abort(reason);
        },
      });
      await expect(failure).rejects.toBe(reason);
      expect(seen.filter((name) => name === stage)).toHaveLength(1);
    }
  });

  it("a handler that waits for the host to run can abort: work does not keep it from running", async () => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error("by a timer")), 0);
    const calibration = await samples();
    const forever = (async () => {
      for (;;) await quantizeModel(network, { weights: "int4", calibration, signal: controller.signal });
    })();
    await expect(forever).rejects.toThrow("by a timer");
    clearTimeout(timer);
  });
});

describe("ahead", () => {
  it("begins at most so many, gives results in order, and waits for the rest where one fails", async () => {
    let [running, most, done] = [0, 0, 0];
    const work = async (item: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, item === 0 ? 20 : 1));
      running--;
      done++;
      if (item === 5) throw new Error("five");
      return item;
    };
    const got: number[] = [];
    const all = async () => {
      for await (const item of ahead([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3, work)) got.push(item);
    };
    await expect(all()).rejects.toThrow("five");
    expect(got).toEqual([0, 1, 2, 3, 4]);
    expect({ most, running, done }).toEqual({ most: 3, running: 0, done: 8 });
  });
});
