// One text of 16, 32 and 128 tokens through all-MiniLM-L6-v2 on one thread: ours in int8 and 4 bits beside onnxruntime-web on the model that onnxruntime's quantize_dynamic makes,
// medians of interleaved rounds; then where our time goes.
//
//   node scripts/minilm.mjs --schemes int8,int4:g64 --save FOLDER
//   python bench/scripts/make-minilm-onnx.py .toolchain/cache/minilm FOLDER
//   node scripts/minilm-speed.mjs FOLDER [--rounds 15]
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const from = (folder, name) => pathToFileURL(createRequire(join(root, folder, "package.json")).resolve(name));

/** Multiply-adds of the dense layers, by token. */
const MACS = 6 * (4 * 384 * 384 + 2 * 384 * 1536);

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function ours(file) {
  const { loadModel, Tensor } = await import(from("packages/convert", "lowbit"));
  const model = await loadModel(readFileSync(file));
  const feed = (length) => ({
    input_ids: new Tensor(
      "int32",
      [1, length],
      new Int32Array(length).map((_, i) => 1000 + 37 * i),
    ),
    attention_mask: new Tensor("int32", [1, length], new Int32Array(length).fill(1)),
  });
  return { run: (length) => model.run(feed(length)), model, feed };
}

async function onnxruntime(file) {
  const { default: ort } = await import(from("bench", "onnxruntime-web"));
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(file), { executionProviders: ["wasm"] });
  const feed = (length) => ({
    input_ids: new ort.Tensor(
      "int64",
      BigInt64Array.from({ length }, (_, i) => BigInt(1000 + 37 * i)),
      [1, length],
    ),
    attention_mask: new ort.Tensor("int64", new BigInt64Array(length).fill(1n), [1, length]),
  });
  return { run: (length) => session.run(feed(length)) };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: "string", default: "15" } },
  });
  const [folder = "."] = positionals;
  const engines = new Map();
  for (const [name, make, file] of [
    ["lowbit int8", ours, "minilm-int8.safetensors"],
    ["lowbit int4:g64", ours, "minilm-int4-g64.safetensors"],
    ["lowbit int7", ours, "minilm-int7.safetensors"],
    ["lowbit int4", ours, "minilm-int4.safetensors"],
    ["onnxruntime-web int8", onnxruntime, "minilm-int8.onnx"],
  ])
    if (existsSync(join(folder, file))) engines.set(name, await make(join(folder, file)));
  for (const length of [16, 32, 128]) {
    const times = new Map([...engines.keys()].map((name) => [name, []]));
    for (let round = -3; round < Number(values.rounds); round++)
      for (const [name, { run }] of engines) {
        const begin = performance.now();
        await run(length);
        if (round >= 0) times.get(name).push(performance.now() - begin);
      }
    const line = [...times].map(([name, list]) => {
      const ms = median(list);
      return `${name} ${ms.toFixed(2)} ms (${((MACS * length) / ms / 1e6).toFixed(1)} GMAC/s)`;
    });
    console.log(`${length} tokens: ${line.join(", ")}`);
  }
  const { model, feed } = engines.get("lowbit int8");
  const { ms, tier, nodes } = await model.profile(feed(128), { runs: 7 });
  const byKernel = new Map();
  for (const { op, ms } of nodes) byKernel.set(op, (byKernel.get(op) ?? 0) + ms);
  const parts = [...byKernel].sort((a, b) => b[1] - a[1]).map(([op, ms]) => `${op} ${ms.toFixed(2)}`);
  console.log(`lowbit int8, 128 tokens, ${tier}: ${ms.toFixed(2)} ms = ${parts.join(" + ")}`);
}

whenMain(import.meta.url, main);
