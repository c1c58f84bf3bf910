// Size budgets, in gzipped bytes: what a user of each entry downloads, bundled and minified by esbuild. Prints the table;
// fails when a line is over its budget. A budget may rise only with a reason in the commit that raises it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { tiers } from "./build-wasm.mjs";
import { whenMain } from "./main-module.mjs";
import { readmeExample } from "./readme-example.mjs";
import { root } from "./setup/paths.mjs";
import { moduleName, networkParts, parts } from "./wasm-parts.mjs";

/** Everything that loading and running a network of a usual type may cost: the JavaScript of the README's example with one tier of the module for that type. */
const total = 100_000;

/** Budget of each entry of `lowbit` when all of it is used, and of each tier's module. */
const budgets = {
  // registerOp, the report of tiers and their self-test came in (1 kB of the example), then what threads, lookup tables and more modules ask of lowering (1.3 kB).
  // Version 3 of the packed file: writers and readers of Huffman and sparse codes, 4 kB where all is used; a page that only loads models has 0.3 kB of it, and the rest when a file has such codes.
  ".": 41_600,
  // Wrappers of arithmetic of any type, of indices, graphs and fixed points: 2 kB where all are used.
  "./kernels": 15_600,
  // Operators beyond those of every network: arithmetic of any element type and reductions came in, 62 operators in 3.5 kB; then what indices name, sizes of a run and fixed points, 5.5 kB; recurrent cells and floats of 8 bits, 2.5 kB.
  "./ops": 34_800,
  "./encoder": 32_600,
  // A hundred methods of the survey and since; who imports one loads a few of these.
  "./quantize": 63_100,
  "./slim": 41_200,
  "./worker": 36_000,
  // Loaded only where threads are asked for, a graph has operators of lowbit/ops, a file has packed codes, or a page came by plain http, where engines have no digests.
  later: 29_500,
};

/** Budget of each part's module, of its largest tier. */
const moduleBudgets = {
  // What networks of int8 call, and convolutions of 3 x 3 by fewer products, 3.5 kB; no ternary weights, no scales per group.
  // Tiles of six rows, a fifth faster where a relaxed dot is one instruction: 2.6 kB, and in `all`, `ops`, `transformer` and `threads`, whose weights have 4 and 2 bits too, 3.8 to 4.
  // Blocks of memory found by halving: 0.2 kB of every module.
  int8: 66_200,
  bits: 68_000,
  bytes: 69_800,
  // Sums of bases and of codebooks, offsets and hashed weights: 2.8 kB.
  floats: 57_000,
  // What the decision on parts says is left: networks that mix bits with operators beyond a convolutional network's.
  // The nearest of many centroids by products of floats: 0.8 kB. Convolutions of 3 x 3 by Winograd's products: 4.8 to 5.2 kB, here and in the two below.
  all: 147_400,
  // Everything of `all`, what transformers have, and the operators of lowbit/ops: 29 kB are functions of any element type, conversions between all types, and reductions, with libm's functions in f64; 5 kB what indices name; 6 kB products of floats
  // for the nearest centroid, and fixed points.
  // The constants of exp and GELU in variables instead of at every use, here and in the two below: 0.9 kB, for two thirds of GELU's time and 7 % of an encoder's.
  ops: 239_300,
  // Attention, norms, embeddings and int8 rows beside coded weights: what an encoder of text loads, and no other module.
  transformer: 100_400,
  // Everything of `ops`: who asks for threads runs any network, and one module more for each tier would be another 200 kB of the package.
  threads: 244_200,
  // Plain rows, RaBitQ and what is done to vectors before came in: 14 kB. Graphs: 10 kB, of which trits and pooling, which no index calls, gave back 4.
  // Products of floats, by which codebooks are trained in a third of the time: 6 kB; looking again only at centroids whose product is near, 7 % of that time: 1.4 kB.
  // Codes as sums of whole vectors, by a beam over tables of products (6 kB), and those of the score-aware loss with the fit of their codebooks (5 kB).
  // Scans that leave a code after its first entries, 1.2 to 1.4 times as fast, and lists of an inverted file in one call by one set of tables: the forms of either, 6.5 kB.
  // A sieve of the upper halves of codes before them, 1.15 to 1.6 times as fast again: 2.5 kB; kept from lists with offsets, which have no use for it: 1 kB more in one tier, by how it is inlined.
  search: 94_200,
  // The solvers, searches and codecs of all quantizers, every block type of GGUF among them, products of floats for k-means (4 kB), and AQLM's fit and search (6 kB).
  // The same search for sums of whole vectors, by which residual and additive codebooks are trained: 7 kB with its tables. AdaRound's products with a
  // Hessian that is rounded as it is read, instead of copied: 2 kB.
  quantize: 121_500,
};

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Size of `code`, a module that imports from the built packages, bundled for a browser: what it loads at once, and what it loads when it has to. */
async function bundled(code) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: join(root, "packages", "cli"), loader: "ts" },
    bundle: true,
    splitting: true,
    metafile: true,
    outdir: "out",
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
    external: ["node:*"],
  });
  const files = Object.entries(metafile.outputs);
  const atOnce = new Set();
  const follow = ([path, { imports }]) => {
    if (atOnce.has(path)) return;
    atOnce.add(path);
    for (const { path: to, kind, external } of imports)
      if (kind === "import-statement" && !external) follow([to, metafile.outputs[to]]);
  };
  follow(files.find(([, { entryPoint }]) => entryPoint === "<stdin>"));
  const sizes = { atOnce: 0, later: 0 };
  for (const [i, [path]] of files.entries())
    sizes[atOnce.has(path) ? "atOnce" : "later"] += gzipped(outputFiles[i].contents);
  return sizes;
}

async function lines() {
  const manifest = JSON.parse(readFileSync(join(root, "packages", "core", "package.json"), "utf8"));
  const entries = Object.entries(manifest.publishConfig.exports).filter(([, target]) => typeof target === "object");
  const module = (part, tier) =>
    gzipped(readFileSync(join(root, "packages", "core", "wasm", `${moduleName(part)}.${tier}.wasm`)));
  const { atOnce: example, later } = await bundled(readmeExample());
  const table = [];
  for (const [entry] of entries) {
    const name = `lowbit${entry.slice(1)}`;
    table.push({
      what: name,
      bytes: (await bundled(`import * as all from "${name}"; globalThis.all = all;`)).atOnce,
      budget: budgets[entry],
    });
  }
  for (const part of Object.keys(parts))
    for (const tier of Object.keys(tiers))
      table.push({ what: `wasm ${part}, ${tier}`, bytes: module(part, tier), budget: moduleBudgets[part] });
  const worker = gzipped(readFileSync(join(root, "packages", "core", "dist", "thread-worker.js")));
  table.push({ what: "threads, packings, digests", bytes: later + worker, budget: budgets.later });
  table.push({ what: "README example", bytes: example, budget: 31_600 });
  // What a page downloads for a network of each type; the example's own is binary.
  for (const part of networkParts.filter((part) => !["all", "ops", "transformer"].includes(part)))
    for (const tier of Object.keys(tiers))
      table.push({ what: `README example + ${part}, ${tier}`, bytes: example + module(part, tier), budget: total });
  return table;
}

export async function checkSizes() {
  const table = await lines();
  const folder = join(root, ".cache", "reports");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "size.json"), JSON.stringify(table, null, 2));
  const over = table.filter(({ bytes, budget }) => !(bytes <= budget));
  if (over.length > 0) throw new Error(`over budget (gzipped bytes):\n${format(over)}`);
  return table;
}

const format = (table) =>
  table
    .map(
      ({ what, bytes, budget }) => `  ${what.padEnd(34)} ${String(bytes).padStart(8)} of ${String(budget).padStart(8)}`,
    )
    .join("\n");

await whenMain(import.meta.url, async () => console.log(`gzipped bytes\n${format(await checkSizes())}`));
