/** The networks of the main job: the float CNN, what becomes of it at each scheme, and the nets trained at few bits. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";
import { convert, lowbit } from "./packages.mjs";

const { createModel, Tensor } = lowbit;
const { calibrate, importModel, quantizeModel, readNpz, runPasses, writeModel } = convert;

export const FLOAT = "mnist-cnn-float";

/**
 * Schemes that the float network is cut to. Integer activations where they let the integer kernels run. The last one is what
 * the refusal of `ternary` advises: eight bits for the layers that are small and suffer, which leaves 95 % of the weights ternary.
 */
export const SCHEMES = [
  { name: "int8, int8 activations", weights: "int8", activations: "int8" },
  { name: "int4, int8 activations", weights: "int4", activations: "int8" },
  { name: "kmeans:16", weights: "kmeans:16" },
  { name: "pq:4x64", weights: "pq:4x64" },
  { name: "ternary", weights: "ternary" },
  { name: "binary", weights: "binary" },
  {
    name: "ternary, small layers int8",
    weights: "ternary",
    layers: [
      ["conv*", "int8"],
      ["dense2", "int8"],
    ],
  },
];

/** Networks that were trained at these bits, by the repository's own recipes. */
export const TRAINED = ["mnist-cnn-ternary", "mnist-cnn-binary"];

const modelFile = (name) => join(root, "models", name);

/** A model of one image input and one output of ten scores, as the race takes it. */
function engine(name, graph) {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  return createModel(graph).then((model) => ({
    name,
    tier: model.tier,
    scores: async (images, count) => {
      const results = await model.run({ [input]: new Tensor("f32", [count, 1, 28, 28], images) });
      return results[output].data;
    },
    dispose: () => model.dispose(),
  }));
}

/** The float network: its ONNX bytes for the peer, its Graph, and how it behaves on the calibration images. */
export async function openFloat() {
  const bytes = await readFile(modelFile(`${FLOAT}.onnx`));
  const graph = runPasses(importModel(bytes, { name: FLOAT }));
  const images = readNpz(await readFile(modelFile("mnist-calibration.npz"))).get("x");
  const calibration = await calibrate(graph, feedsOf(graph, images));
  return { bytes, graph, calibration, calibrationCount: images.shape[0] };
}

/** Calibration images in batches, as the network's input. */
function feedsOf(graph, images, batch = 100) {
  const pixels = 28 * 28;
  return Array.from({ length: Math.ceil(images.shape[0] / batch) }, (_, i) => {
    const slice = Float32Array.from(images.data.subarray(i * batch * pixels, (i + 1) * batch * pixels));
    return { [graph.inputs[0]]: new Tensor("f32", [slice.length / pixels, 1, 28, 28], slice) };
  });
}

/** Figures of the file and the layers, common to cut and trained networks. */
function figuresOf(result, bytes) {
  return {
    bitsPerWeight: result.bitsPerWeight,
    bytes: bytes.length,
    layers: result.layers,
    ...(result.refused && { refused: { layer: result.refused.layer, reason: reasonOf(result.refused) } }),
  };
}

/** The figure that the gate saw and the floor that it missed. */
function reasonOf({ figure, value, floor, layerSqnr }) {
  const spell = (x) =>
    figure === "agreement" ? `${(x * 100).toFixed(1)} %` : figure === "sqnr" ? `${x.toFixed(1)} dB` : x.toFixed(4);
  const layer = figure === "sqnr" ? "" : `; this layer ${layerSqnr.toFixed(1)} dB`;
  return `${figure} ${spell(value)} under ${spell(floor)}${layer}`;
}

/** The float network on our own kernels. */
export async function floatContestant({ bytes, graph }) {
  return {
    kind: "reference",
    bitsPerWeight: 32,
    bytes: bytes.length,
    layers: [],
    engine: await engine("float", graph),
  };
}

/** The float network cut to one scheme; refused or not, it is kept, so that its accuracy can be shown. */
export async function cutContestant({ graph, calibration }, scheme) {
  const { name, ...rules } = scheme;
  const result = await quantizeModel(graph, { ...rules, calibration });
  return { kind: "cut", ...figuresOf(result, writeModel(result.graph)), engine: await engine(name, result.graph) };
}

/** A network trained at few bits: recognised as what it is and packed, without a flag. */
export async function trainedContestant(name) {
  const path = modelFile(`${name}.onnx`);
  if (!existsSync(path)) throw new Error(`models/${name}.onnx is missing: lowbit train ${name} makes it`);
  const result = await quantizeModel(runPasses(importModel(await readFile(path), { name })), {});
  const { layers: _, ...figures } = figuresOf(result, writeModel(result.graph));
  return {
    kind: "trained",
    ...figures,
    layers: [],
    engine: await engine(`${name.replace("mnist-cnn-", "")}, trained`, result.graph),
  };
}
