// Ways to send gradients, of scripts/train-parallel.mjs and of its workers.
import { oneBitSgd, qsgd, ternGrad } from "../../packages/core/dist/quantize.js";
import { train } from "../digits/packages.mjs";

/** The variable of the environment that tells workers which. */
export const WAY = "LOWBIT_GRADIENTS";

/** By the name that a worker is started with. Buckets of 512: over the norm of a whole layer nearly all of QSGD's numbers would be 0 (Alistarh et al. 2017, section 4). TernGrad's paper clips in its own experiments: the largest of a layer's gradients, many times their deviation, is the scale of all else. */
export const ways = {
  float: { method: "float" },
  "1bit": { method: "1-bit SGD", quantizer: oneBitSgd() },
  terngrad: { method: "TernGrad", quantizer: ternGrad() },
  "terngrad-clipped": { method: "TernGrad, clipped at 2.5 σ", quantizer: ternGrad({ clip: 2.5 }) },
  qsgd: { method: "QSGD, 4 levels, buckets of 512", quantizer: qsgd({ levels: 4, bucket: 512 }) },
};

/** The network, and how many images a worker has at a step. */
export const recipe = train.recipeOf("mnist-lenet-300-100-float");
export const BATCH = 100;

/** The images that the recipes for MNIST train on. */
export async function trainingImages(folder) {
  const { training } = await train.mnistDigits(folder);
  return { height: 28, width: 28, channels: 1, classes: 10, ...training };
}
