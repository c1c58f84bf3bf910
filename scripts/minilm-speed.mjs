// One text of 16, 32 and 128 tokens through all-MiniLM-L6-v2 on one thread: ours beside LiteRT.js with dynamic int8 layers and onnxruntime-web on the model that onnxruntime's
// quantize_dynamic makes, in turns; how near each is to floats; then where our time goes.
//
//   node scripts/minilm.mjs --schemes int8,int4:g64 --save FOLDER
//   python bench/scripts/make-minilm-onnx.py .toolchain/cache/minilm FOLDER
//   node scripts/minilm-speed.mjs FOLDER [--write]      --write: into docs/results.md
//
// LiteRT.js brings relaxed SIMD where the runtime has it (Node 24), as ours does; its file is made here.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { convert, lowbit } from "./digits/packages.mjs";
import { openSession, ort } from "./digits/peer.mjs";
import { inTurns, TURNS } from "./digits/turns.mjs";
import { minilm } from "./get-minilm.mjs";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { root } from "./setup/paths.mjs";
import { loadSources } from "./sources.mjs";

const LENGTHS = [16, 32, 128];
const LITERT = "LiteRT.js int8";
const ONNXRUNTIME = "onnxruntime-web int8";

const tokens = (length) => Int32Array.from({ length }, (_, i) => 1000 + 37 * i);

function feedOf(length) {
  const mask = new Int32Array(length).fill(1);
  return {
    input_ids: new lowbit.Tensor("int32", [1, length], tokens(length)),
    attention_mask: new lowbit.Tensor("int32", [1, length], mask),
  };
}

/** Each engine gives for a length the run of a text, which resolves to its embedding. */
async function ours(bytes) {
  const model = await lowbit.loadModel(bytes);
  const [{ name }] = model.outputs;
  const prepare = (length) => {
    const feed = feedOf(length);
    return async () => (await model.run(feed))[name].data;
  };
  return { model, prepare };
}

async function onnxruntime(file) {
  const session = await openSession(readFileSync(file));
  const prepare = (length) => {
    const feed = {
      input_ids: new ort.Tensor("int64", BigInt64Array.from(tokens(length), BigInt), [1, length]),
      attention_mask: new ort.Tensor("int64", new BigInt64Array(length).fill(1n), [1, length]),
    };
    return async () => (await session.run(feed)).sentence_embedding.data;
  };
  return { prepare };
}

/** A file for each length, without the mask that a text alone does not need. */
async function litert() {
  const contents = `export { LiteRt } from "./src/engines/litert-module.ts";
    export { minilmTflite } from "./src/models/minilm-tflite.ts";
    export { availableTiers } from "lowbit/kernels";`;
  const { availableTiers, LiteRt, minilmTflite } = await loadSources("minilm-litert", contents, join(root, "bench"));
  const placed = (path) => join(root, "bench", "node_modules", path);
  const host = {
    isPage: false,
    file: async (path) => pathToFileURL(placed(path)),
    read: (path) => readFile(placed(path)),
  };
  const runtime = await LiteRt.load(host, availableTiers().includes("relaxed") ? "relaxed" : "compat");
  const file = readFileSync(join(minilm, "model.safetensors"));
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString("utf8", 8, start));
  const weights = (name) => {
    const [from, to] = header[name].data_offsets.map((offset) => file.byteOffset + start + offset);
    return new Float32Array(file.buffer.slice(from, to));
  };
  const prepare = async (length) => {
    const model = await runtime.compile(minilmTflite(weights, length), tokens(length));
    return async () => {
      await model.run();
      return model.output(Float32Array);
    };
  };
  return { prepare };
}

const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

function tableOf(names, rows) {
  const head = ["tokens", ...names.map((name) => `${name}, ms`), `× ${LITERT}`, `× ${ONNXRUNTIME}`];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const body = rows.map(({ length, times }) => [
    length,
    ...names.map((name) => times[name].toFixed(2)),
    ...[LITERT, ONNXRUNTIME].map((peer) => (peer in times ? (times[peer] / times["lowbit int8"]).toFixed(2) : "")),
  ]);
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
  const [folder = "."] = positionals;
  const engines = new Map();
  for (const file of readdirSync(folder).toSorted().reverse()) {
    const [, scheme] = /^minilm-(\w+(?:-g\d+)?)\.safetensors$/.exec(file) ?? [];
    if (scheme) engines.set(`lowbit ${scheme.replace("-", ":")}`, await ours(readFileSync(join(folder, file))));
  }
  if (!engines.has("lowbit int8"))
    throw new Error(`no minilm-int8.safetensors in ${folder}: see the head of this script`);
  engines.set(LITERT, await litert());
  const peer = join(folder, "minilm-int8.onnx");
  if (existsSync(peer)) engines.set(ONNXRUNTIME, await onnxruntime(peer));
  const read = (name) => (existsSync(join(minilm, name)) ? readFileSync(join(minilm, name)) : undefined);
  const { graph } = await convert.quantizeModel(await convert.importHuggingFace(read, { name: "minilm" }), {});
  const float = await ours(convert.writeModel(graph));

  const names = [...engines.keys()];
  const rows = [];
  const least = {};
  for (const length of LENGTHS) {
    const runs = [];
    for (const { prepare } of engines.values()) runs.push(await prepare(length));
    const raced = await inTurns(runs);
    const exact = await float.prepare(length)();
    for (const [i, { result }] of raced.entries())
      least[names[i]] = Math.min(least[names[i]] ?? 1, cosine(result, exact));
    rows.push({ length, times: Object.fromEntries(raced.map(({ ms }, i) => [names[i], ms])) });
  }
  const { model } = engines.get("lowbit int8");
  const text = [
    "## Speed of a sentence encoder",
    "",
    `One text through all-MiniLM-L6-v2 on one thread, tier ${model.tier}, Node ${process.versions.node}: medians of ${TURNS} turns in one process. LiteRT.js: a file of each length, dense layers with int8`,
    "weights per channel over rows that it quantizes, no mask; onnxruntime-web: the file of onnxruntime's quantize_dynamic. The least cosine with the float network:",
    `${names.map((name) => `${name} ${least[name].toFixed(4)}`).join(", ")}.`,
    "",
    tableOf(names, rows),
  ].join("\n");
  console.log(text);
  if (values.write) writeSection("minilm-speed", "node scripts/minilm-speed.mjs FOLDER --write", text);
  const { ms, nodes } = await model.profile(feedOf(128), { runs: 7 });
  const byKernel = new Map();
  for (const { op, ms } of nodes) byKernel.set(op, (byKernel.get(op) ?? 0) + ms);
  const parts = [...byKernel].sort((a, b) => b[1] - a[1]).map(([op, ms]) => `${op} ${ms.toFixed(2)}`);
  console.log(`\nlowbit int8, 128 tokens: ${ms.toFixed(2)} ms = ${parts.join(" + ")}`);
}

whenMain(import.meta.url, main);
