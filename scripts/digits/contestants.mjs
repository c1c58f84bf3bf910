/** The networks of the main job: the float CNN, what becomes of it at each scheme, and the nets trained at few bits. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";
import { convert, lowbit } from "./packages.mjs";

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

/** Whether its recipe has been run. */
export const isTrained = (name) => existsSync(modelFile(`${name}.onnx`));

/** Bytes of a network's ONNX file. */
export const onnxBytes = (name) => readFile(modelFile(`${name}.onnx`));

const importNetwork = async (name) => runPasses(importModel(await onnxBytes(name), { name }));

/** Calibration images in batches, as the network's input. */
async function calibrationFeeds(input, batch = 100) {
  const { data, shape } = readNpz(await readFile(modelFile("mnist-calibration.npz"))).get("x");
  const pixels = data.length / shape[0];
  return Array.from({ length: Math.ceil(shape[0] / batch) }, (_, i) => {
    const slice = Float32Array.from(data.subarray(i * batch * pixels, (i + 1) * batch * pixels));
    return { [input]: new lowbit.Tensor("f32", [slice.length / pixels, 1, 28, 28], slice) };
  });
}

/** The figure that the gate saw and the floor that it missed. */
function reasonOf({ figure, value, floor, layerSqnr }) {
  const spell = (x) =>
    figure === "agreement" ? `${(x * 100).toFixed(1)} %` : figure === "sqnr" ? `${x.toFixed(1)} dB` : x.toFixed(4);
  const layer = figure === "sqnr" ? "" : `; this layer ${layerSqnr.toFixed(1)} dB`;
  return `${figure} ${spell(value)} under ${spell(floor)}${layer}`;
}

/** Imported and calibrated once per thread. */
let floatNetwork;
function openFloat() {
  floatNetwork ??= (async () => {
    const graph = await importNetwork(FLOAT);
    return { graph, calibration: await calibrate(graph, await calibrationFeeds(graph.inputs[0])) };
  })();
  return floatNetwork;
}

/** The float network on our own kernels; its file is the ONNX file. */
export async function packFloat() {
  const { graph } = await openFloat();
  const { length } = await onnxBytes(FLOAT);
  return { name: "float", kind: "reference", file: writeModel(graph), bytes: length, bitsPerWeight: 32, layers: [] };
}

/** The float network cut to one scheme; refused or not, its file is kept here, so that its accuracy can be shown. */
export async function packCut({ name, ...rules }) {
  const { graph, calibration } = await openFloat();
  const { graph: cut, bitsPerWeight, layers, refused } = await quantizeModel(graph, { ...rules, calibration });
  const file = writeModel(cut);
  const refusal = refused && { refused: { layer: refused.layer, reason: reasonOf(refused) } };
  return { name, kind: "cut", file, bytes: file.length, bitsPerWeight, layers, ...refusal };
}

/** A network trained at few bits: recognised as what it is and packed, without a flag. */
export async function packTrained(name) {
  const { graph, bitsPerWeight } = await quantizeModel(await importNetwork(name), {});
  const file = writeModel(graph);
  const title = `${name.replace("mnist-cnn-", "")}, trained`;
  return { name: title, kind: "trained", file, bytes: file.length, bitsPerWeight, layers: [] };
}
