import type { Digits } from "../src/data/mnist.ts";
import { binaryWeights, ternaryWeights } from "../src/estimators/weights.ts";
import { quantizedRelu, sign } from "../src/layers/activations.ts";
import { batchNorm } from "../src/layers/batch-norm.ts";
import { conv } from "../src/layers/conv.ts";
import { dense } from "../src/layers/dense.ts";
import { int8Pixels } from "../src/layers/input.ts";
import { maxPool } from "../src/layers/pool.ts";
import { Random } from "../src/random.ts";
import type { Recipe } from "../src/recipe.ts";

/** Images that are easy to tell apart: class k is a bright bar at its own place, in noise. */
export function syntheticDigits(count: number, seed: number): Digits {
  const random = new Random(seed);
  const images = new Uint8Array(count * 784);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % 10;
    labels[i] = label;
    for (let p = 0; p < 784; p++) images[i * 784 + p] = random.integer(60);
    for (let p = 0; p < 112; p++) images[i * 784 + (label * 68 + p)] = 180 + random.integer(60);
  }
  return { count, images, labels };
}

/** A recipe small enough for a test, of the parts that the MNIST recipes have. */
export function tinyRecipe(scheme: "binary" | "ternary", epochs: number): Recipe {
  const binary = scheme === "binary";
  const weights = binary ? binaryWeights : ternaryWeights;
  const activation = (name: string) => (binary ? sign(name) : quantizedRelu(name, 1 / 32));
  return {
    name: `tiny-${scheme}`,
    description: "for tests",
    epochs,
    batch: 10,
    peakRate: 0.01,
    warmup: 2,
    shift: 0,
    layers: () => [
      int8Pixels("input"),
      conv("conv1", { inputs: 1, outputs: 4, weights }),
      maxPool("pool1"),
      batchNorm("norm1", { channels: 4, scale: !binary }),
      activation("act1"),
      conv("conv2", { inputs: 4, outputs: 8, weights, border: binary ? 1 : 0 }),
      maxPool("pool2"),
      batchNorm("norm2", { channels: 8, scale: !binary }),
      activation("act2"),
      dense("dense", { from: [7, 7, 8], outputs: 10, weights }),
      batchNorm("norm3", { channels: 10 }),
    ],
  };
}

/** Logits of an ONNX model by onnxruntime, 500 images at a time. */
export async function onnxLogits(bytes: Uint8Array, digits: Digits): Promise<Float32Array> {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const all: Float32Array[] = [];
  for (let start = 0; start < digits.count; start += 500) {
    const count = Math.min(500, digits.count - start);
    const pixels = Float32Array.from(digits.images.subarray(start * 784, (start + count) * 784));
    const { logits } = await session.run({ image: new ort.Tensor("float32", pixels, [count, 1, 28, 28]) });
    all.push(logits?.data as Float32Array);
  }
  await session.release();
  return Float32Array.from({ length: digits.count * 10 }, (_, i) => all[Math.floor(i / 5000)]![i % 5000]!);
}
