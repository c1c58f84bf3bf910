// all-MiniLM-L6-v2 from its safetensors file to quantized encoders: what importing, quantizing and writing take, the sizes, and Spearman's correlation with people's
// judgement of STS-B's pairs (Cer et al. 2017), each scheme against float.
//
//   node scripts/get-minilm.mjs && node scripts/minilm.mjs [--pairs 1500] [--schemes float,int8,int4:g64]
//
// Needs a build (`pnpm build`) and the data sets beside the checkout or where LOWBIT_DATA points.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { minilm } from "./get-minilm.mjs";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const data = process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data");
const resolve = (name) => pathToFileURL(createRequire(join(root, "packages", "convert", "package.json")).resolve(name));

/** The pairs of STS-B's development set with their scores. */
export function pairsOf(text) {
  // first sentence, second sentence, score; quoted where a sentence has a comma or a quote.
  const cell = /(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\r?\n|$)/g;
  return text
    .trim()
    .split("\n")
    .map((line) => [...line.matchAll(cell)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain))
    .map(([a, b, score]) => ({ a, b, score: Number(score) }));
}

/** Spearman's rank correlation; equal values share the mean of their ranks. */
export function spearman(x, y) {
  const ranks = (values) => {
    const order = values.map((value, i) => [value, i]).sort((a, b) => a[0] - b[0]);
    const rank = new Float64Array(values.length);
    for (let from = 0; from < order.length; ) {
      let to = from;
      while (to < order.length && order[to][0] === order[from][0]) to++;
      for (let i = from; i < to; i++) rank[order[i][1]] = (from + to - 1) / 2;
      from = to;
    }
    return rank;
  };
  const [a, b] = [ranks(x), ranks(y)];
  const mean = (x.length - 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) ** 2;
    bb += (b[i] - mean) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

async function main() {
  const { values } = parseArgs({
    options: {
      pairs: { type: "string", default: "1500" },
      schemes: { type: "string", default: "float,int8,int4:g64" },
      save: { type: "string" },
    },
  });
  if (!existsSync(minilm)) throw new Error("no MiniLM here: run node scripts/get-minilm.mjs");
  const { importHuggingFace, quantizeModel, writeModel } = await import(resolve("@lowbit/convert"));
  const { loadEncoder } = await import(resolve("lowbit/encoder"));
  const tokenizers = await import(resolve("@huggingface/tokenizers"));
  const { Tokenizer } = tokenizers.default ?? tokenizers;
  const read = (name) => (existsSync(join(minilm, name)) ? readFileSync(join(minilm, name)) : undefined);
  const json = (name) => JSON.parse(read(name));
  const tokenizer = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
  const pairs = pairsOf(readFileSync(join(data, "stsb", "stsb-en-dev.csv"), "utf8")).slice(0, Number(values.pairs));
  const texts = pairs.flatMap(({ a, b }) => [a, b]);
  let float;
  for (const scheme of values.schemes.split(",")) {
    const begin = performance.now();
    const graph = await importHuggingFace(read, { name: "minilm" });
    const imported = performance.now();
    const options = scheme === "float" ? {} : { weights: scheme, activations: "int8:dynamic" };
    const result = await quantizeModel(graph, options);
    const quantized = performance.now();
    const bytes = writeModel(result.graph);
    const written = performance.now();
    if (values.save) writeFileSync(join(values.save, `minilm-${scheme.replace(":", "-")}.safetensors`), bytes);
    const encoder = await loadEncoder(bytes, tokenizer);
    const start = performance.now();
    const vectors = await encoder.encode(texts);
    const seconds = (performance.now() - start) / 1000;
    encoder.dispose();
    float ??= vectors;
    const cosines = vectors.map((vector, i) => dot(vector, float[i])).sort((a, b) => a - b);
    const rho = spearman(
      pairs.map((_, i) => dot(vectors[2 * i], vectors[2 * i + 1])),
      pairs.map(({ score }) => score),
    );
    const source = read("model.safetensors").length;
    console.log(
      [
        `${scheme.padEnd(8)} ${(bytes.length / 1e6).toFixed(2)} MB (${(source / bytes.length).toFixed(2)}x smaller)`,
        `import ${(imported - begin).toFixed(0)} ms, quantize ${(quantized - imported).toFixed(0)} ms, write ${(written - quantized).toFixed(0)} ms`,
        `Spearman ${rho.toFixed(4)} of ${pairs.length} pairs, cosine with the first mean ${(cosines.reduce((a, b) => a + b) / cosines.length).toFixed(6)}, least ${cosines[0].toFixed(6)}`,
        `${(texts.length / seconds).toFixed(0)} texts/s on ${encoder.model.tier}`,
      ].join(" · "),
    );
  }
}

whenMain(import.meta.url, main);
