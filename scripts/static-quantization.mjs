// A float network quantized to int8 by us and by onnxruntime's static quantization, with the same calibration samples: how many of MNIST's 10,000 test images each gets right.
//
//   python scripts/static-quantization.py DATA_FOLDER theirs.onnx      onnxruntime's network, and what it gets right in onnxruntime
//   node scripts/static-quantization.mjs [theirs.onnx]                 ours, and theirs in our runtime, whose integer sums do not saturate
//
// Needs a build (`pnpm build`) and the data sets beside the checkout or where LOWBIT_DATA points.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const data = process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data");
const resolve = (name) => pathToFileURL(createRequire(join(root, "packages", "convert", "package.json")).resolve(name));
const BATCH = 500;

async function main() {
  const { calibrate, importModel, quantizeModel, readIdx, readNpz, runPasses } = await import(
    resolve("@lowbit/convert")
  );
  const { createModel, Tensor } = await import(resolve("lowbit"));
  const idx = (name) => readIdx(readFileSync(join(data, "mnist", name))).data;
  const [pixels, labels] = [idx("t10k-images-idx3-ubyte.gz"), idx("t10k-labels-idx1-ubyte.gz")];
  const images = (bytes) => new Tensor("f32", [bytes.length / 784, 1, 28, 28], Float32Array.from(bytes));

  const report = async (name, graph) => {
    const model = await createModel(graph);
    let right = 0;
    for (let from = 0; from < labels.length; from += BATCH) {
      const { logits } = await model.run({ image: images(pixels.subarray(from * 784, (from + BATCH) * 784)) });
      for (let i = 0; i < BATCH; i++) {
        const row = logits.data.subarray(i * 10, (i + 1) * 10);
        if (row.indexOf(Math.max(...row)) === labels[from + i]) right++;
      }
    }
    model.dispose();
    console.log(`${name}: ${((100 * right) / labels.length).toFixed(2)} %`);
  };

  const read = (file) => runPasses(importModel(readFileSync(file)));
  const float = read(join(root, "models", "mnist-cnn-float.onnx"));
  await report("lowbit, float", float);
  const samples = readNpz(readFileSync(join(root, "models", "mnist-calibration.npz"))).get("x").data;
  const feeds = Array.from({ length: samples.length / 784 }, (_, i) => ({
    image: images(samples.subarray(i * 784, (i + 1) * 784)),
  }));
  const calibration = await calibrate(float, feeds);
  const { graph } = await quantizeModel(float, { weights: "int8", activations: "int8", calibration });
  await report("lowbit, int8", graph);
  if (process.argv[2]) await report("onnxruntime's int8 network in lowbit", read(process.argv[2]));
}

whenMain(import.meta.url, main);
