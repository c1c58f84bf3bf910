// Recall of indexes of @lowbit/search on real sentence embeddings, as the tables of its README show it.
//
//   node scripts/search-recall.mjs [base_f16.npy]      [n, 384] f16; its last 500 rows are the queries
//
// Needs a build (`pnpm build`), and without an argument the data sets beside the checkout or where LOWBIT_DATA points.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const data = process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data");
const load = (name) =>
  import(pathToFileURL(createRequire(join(root, "packages", "cli", "package.json")).resolve(name)).href);

const QUERIES = 500;
const K = 10;

/** Each with breadths of its search, where it is a graph. */
const SPECS = ["PQ48x8", "OPQ48,PQ48x8", "PQ48x8,RFlat", "PQ48x4fs", "RaBitQ4", "Binary", "Binary,RSQ8"];
const GRAPHS = ["HNSW32", "HNSW32,SQ8", "HNSW32,PQ48x8", "HNSW32,PQ48x8,RFlat", "HNSW32,RaBitQ4"];
const BREADTHS = [16, 32, 64, 128, 256];

/** The rows of an .npy of f16 as floats. */
async function readRows(path) {
  const { fromHalf } = await load("lowbit");
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const [, n, d] = /<f2.*False.*\((\d+), (\d+)\)/.exec(bytes.toString("latin1", 10, start)) ?? [];
  if (d === undefined) throw new Error(`${path}: expected f16 [n, d]`);
  const halves = new Uint16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return { n: Number(n), d: Number(d), data: Float32Array.from(halves, fromHalf) };
}

await whenMain(import.meta.url, async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const { Index, recall } = await load("@lowbit/search");
  const rows = await readRows(positionals[0] ?? join(data, "minilm", "base_f16.npy"));
  const { n, d } = rows;
  const count = n - QUERIES;
  const base = { shape: [count, d], data: rows.data.subarray(0, count * d) };
  const queries = { shape: [QUERIES, d], data: rows.data.subarray(count * d) };
  const flat = await Index.build(base, "Flat");
  const truth = { shape: [QUERIES, K], data: flat.searchAll(queries, K).numbers };
  flat.dispose();
  console.log(`recall@${K} of ${QUERIES} queries among ${count} vectors of ${d}`);
  for (const spec of SPECS) {
    const index = await Index.build(base, spec);
    console.log(`${spec.padEnd(22)} ${recall(index, queries, truth).toFixed(3)}`);
    index.dispose();
  }
  console.log(`${"at efSearch".padEnd(22)} ${BREADTHS.map((breadth) => String(breadth).padStart(5)).join("  ")}`);
  for (const spec of GRAPHS) {
    const index = await Index.build(base, spec);
    const found = BREADTHS.map((efSearch) => recall(index, queries, truth, { efSearch }).toFixed(3));
    console.log(`${spec.padEnd(22)} ${found.join("  ")}`);
    index.dispose();
  }
});
