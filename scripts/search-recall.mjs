// Recall, memory and time to build of indexes of @lowbit/search on real sentence embeddings, beside faiss-cpu's recall, as docs/results.md shows them.
//
//   node scripts/search-recall.mjs [base_f16.npy] [--only PQ48x8;HNSW32] [--spread] [--write]
//
// The file is f16 [n, 384]; its last 500 rows are the queries, or with --spread 500 that are spread evenly, of which Faiss' column is not.
//
// Needs a build (`pnpm build`), and without an argument the data sets beside the checkout or where LOWBIT_DATA points. Faiss' figures come from scripts/search-recall-faiss.py.
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { data, load, readRows } from "./search/minilm.mjs";

const QUERIES = 500;
const K = 10;

/** Each with the recall of faiss-cpu 1.15's index of the same kind, where it has one, by inner products and by distances (`@l2`). */
const SPECS = [
  ["PQ48x8", 0.737, 0.758],
  ["PQ48x8_A0.2"],
  ["PQ96x8", 0.856, 0.856],
  ["OPQ48,PQ48x8"],
  ["IVF64,PQ48x8"],
  ["PQ48x8,RFlat"],
  ["PQ48x4fs", 0.567, 0.59],
  ["PQ96x4fs", 0.717, 0.73],
  ["RQ8x8", 0.61, 0.557],
  ["LSQ8x8"],
  ["RaBitQ4", 0.949, 0.949],
  ["Binary"],
  ["Binary,RSQ8"],
];

/** At these efSearch. */
const BREADTHS = [16, 32, 64, 128, 256];
const GRAPHS = ["HNSW32", "HNSW32,SQ8", "HNSW32,PQ48x8", "HNSW32,PQ48x8,RFlat", "HNSW32,RaBitQ4"];

/** Bytes of codebooks, rotations and centroids. */
const learnedBytes = ({ state: { learned } }) =>
  Object.values(learned).reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);

await whenMain(import.meta.url, async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: "string" },
      spread: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const { Index, recall } = await load("@lowbit/search");
  const rows = await readRows(positionals[0] ?? join(data, "minilm", "base_f16.npy"));
  const { n, d } = rows;
  const count = n - QUERIES;
  const held = Array.from({ length: QUERIES }, (_, i) => (values.spread ? Math.floor((i * n) / QUERIES) : count + i));
  const others = new Set(held);
  const pick = (numbers) => {
    const data = new Float32Array(numbers.length * d);
    for (const [i, number] of numbers.entries()) data.set(rows.data.subarray(number * d, (number + 1) * d), i * d);
    return { shape: [numbers.length, d], data };
  };
  const base = pick(Array.from({ length: n }, (_, i) => i).filter((i) => !others.has(i)));
  const queries = pick(held);
  const flat = await Index.build(base, "Flat");
  const truth = { shape: [QUERIES, K], data: flat.searchAll(queries, K).numbers };
  flat.dispose();
  const lines = [];
  const say = (line) => {
    lines.push(line);
    console.log(line);
  };
  // Specs have commas of their own.
  const wanted = values.only?.split(";");
  const chosen = (spec) => wanted === undefined || wanted.includes(spec);
  say(
    `Recall@${K} of ${QUERIES} queries among ${count.toLocaleString("en")} vectors of ${d} numbers, by cosine; Node ${process.version}, load of the machine ${loadavg()[0].toFixed(1)}. Memory is what codes take over what they need.`,
  );
  say("");
  say(
    "| index | bytes a vector | recall | faiss-cpu 1.15, by inner product · distance | memory | learned, KiB | build, s |",
  );
  say("|---|---|---|---|---|---|---|");
  for (const [spec, ...faiss] of SPECS) {
    if (!chosen(spec)) continue;
    const start = performance.now();
    const index = await Index.build(base, spec);
    const seconds = (performance.now() - start) / 1000;
    const found = recall(index, queries, truth).toFixed(3);
    const memory = (index.bytes / index.size / index.bytesPerVector).toFixed(2);
    const learned = Math.round(learnedBytes(index) / 1024);
    say(
      `| \`${spec}\` | ${index.bytesPerVector} | ${found} | ${values.spread ? "" : faiss.map((one) => one.toFixed(3)).join(" · ")} | ${memory} | ${learned} | ${seconds.toFixed(1)} |`,
    );
    index.dispose();
  }
  say("");
  say(`| graph, at efSearch | ${BREADTHS.join(" | ")} |`);
  say(`|---|${BREADTHS.map(() => "---|").join("")}`);
  for (const spec of GRAPHS) {
    if (!chosen(spec)) continue;
    const index = await Index.build(base, spec);
    const found = BREADTHS.map((efSearch) => recall(index, queries, truth, { efSearch }).toFixed(3));
    say(`| \`${spec}\` | ${found.join(" | ")} |`);
    index.dispose();
  }
  if (values.write && !values.spread)
    writeSection(
      "search-recall",
      "node scripts/search-recall.mjs --write",
      `## Recall of vector search\n\n${lines.join("\n")}`,
    );
});
