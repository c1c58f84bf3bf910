// Packs the low-bit networks of models/ from the ONNX files that the recipes wrote: recognised as what they are, no flag. The
// packed file also says what the classes are called and how a picture becomes an input. Run it after `lowbit train`. Of the pruned networks, whose ONNX files
// stay out of the repository, the packed files with their weights as sparse floats are what is kept, and the curvature of each weight in another.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isTrained, TRAINED } from "./digits/contestants.mjs";
import { convert } from "./digits/packages.mjs";
import { root } from "./setup/paths.mjs";

const lowbit = join(root, "packages", "cli", "bin", "lowbit.js");

/** White digits on black, 28 x 28, pixels as they are: the networks normalise by themselves. */
const preprocessing = { width: 28, height: 28, channels: "gray", layout: "NCHW", mean: [0], std: [1] };
const labels = Array.from({ length: 10 }, (_, digit) => String(digit));

for (const name of TRAINED.filter(isTrained)) {
  const file = join(root, "models", `${name}.safetensors`);
  const packing = ["quantize", join(root, "models", `${name}.onnx`), "-o", file];
  const { status } = spawnSync(process.execPath, [lowbit, ...packing], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  const { graph, ...meta } = convert.readModel(readFileSync(file));
  const described = { ...graph, labels, preprocessing: { [graph.inputs[0]]: preprocessing } };
  const bytes = convert.writeModel(described, meta);
  writeFileSync(file, bytes);
  console.log(`models/${basename(file)}: ${bytes.length} bytes`);
}

/** Training multiplies by masks: half of the pruned weights are -0, which is the same weight but other bytes. */
function withPlainZeros(graph) {
  const plain = (constant) =>
    constant.dtype === "f32" ? { ...constant, data: constant.data.map((w) => w + 0) } : constant;
  return { ...graph, constants: new Map([...graph.constants].map(([name, constant]) => [name, plain(constant)])) };
}

for (const name of ["mnist-lenet-300-100", "mnist-lenet-5"])
  for (const part of [name, `${name}.curvature`]) {
    const onnx = join(root, "models", `${part}.onnx`);
    if (!existsSync(onnx)) continue;
    const graph = withPlainZeros(convert.runPasses(convert.importModel(readFileSync(onnx), { name: part })));
    const described = part === name ? { ...graph, labels, preprocessing: { [graph.inputs[0]]: preprocessing } } : graph;
    const recipe = `node scripts/pack-models.mjs, after lowbit train ${name}`;
    const bytes = convert.writeModel(
      described,
      { provenance: { source: basename(onnx), recipe } },
      { pack: "smallest" },
    );
    writeFileSync(join(root, "models", `${part}.safetensors`), bytes);
    console.log(`models/${part}.safetensors: ${bytes.length} bytes`);
  }
