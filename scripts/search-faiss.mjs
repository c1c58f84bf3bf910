// Faiss' own view of the files that toFaiss writes: an index of each kind is built, written, and loaded by faiss-cpu, which says whether the codes are the same, byte for byte, and whether it finds the same
// numbers, but for ties.
//
//   pip install faiss-cpu numpy
//   node scripts/search-faiss.mjs [--python python3] [--only PQ48x8] [--folder F] [--write]      --folder: where files stay; --write: into docs/results.md
//
// Needs a build (`pnpm build`), and the data set minilm beside the checkout or where LOWBIT_DATA points: its first 4,000 rows are coded, its last 200 are queries. CI has golden files instead (packages/search/test/faiss.test.ts).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { bytesOf, data, load, normalize, readRows } from "./search/minilm.mjs";
import { root } from "./setup/paths.mjs";

const ROWS = 4000;
const QUERIES = 200;
const K = 10;

/** Spec and metric. */
const CASES = [
  ["Flat", "cosine"],
  ["Flat", "l2"],
  ["PQ48x8", "cosine"],
  ["PQ48x8", "ip"],
  ["PQ48x8", "l2"],
  ["OPQ48,PQ48x8", "cosine"],
  ["PQ48x8,RFlat", "cosine"],
  ["PQ48x4fs", "cosine"],
  ["PQ48x4fs", "l2"],
  ["IVF64,Flat", "l2"],
  ["IVF64,PQ48x8", "cosine"],
  ["IVF64,PQ48x8", "l2"],
  ["IVF64,PQ48x4fs", "cosine"],
  ["HNSW32", "cosine"],
  ["HNSW32,PQ48x8", "cosine"],
  ["Binary", "hamming"],
];

/** Codes of every vector in the order of numbers, as Faiss has them where they are not in blocks: M bytes, two codes of 4 bits to a byte, floats or bits. */
function plainCodes(index) {
  const parts = index.parts();
  const codes = parts.filter(({ name }) => name === "codes");
  const numbers = parts.filter(({ name }) => name === "numbers");
  const { codes: kind } = index.state.spec;
  const four = kind.kind === "pq" && kind.bits === 4;
  const size = four ? kind.subspaces / 2 : codes[0].bytes(1);
  const all = new Uint8Array(index.size * size);
  for (const [list, { block, of }] of codes.entries()) {
    const bytes = block.view().slice();
    const names = numbers[list] && new Uint32Array(numbers[list].block.view().slice().buffer);
    for (let i = 0; i < of.n; i++) {
      const to = size * (names?.[i] ?? i);
      if (!four) all.set(bytes.subarray(i * size, (i + 1) * size), to);
      // Blocks of 32 vectors, vectors j and 16 + j in a byte.
      else
        for (let m = 0; m < kind.subspaces; m++) {
          const byte = bytes[16 * (kind.subspaces * (i >> 5) + m) + (i & 15)];
          all[to + (m >> 1)] |= ((byte >> ((i & 31) < 16 ? 0 : 4)) & 15) << (4 * (m & 1));
        }
    }
  }
  return all;
}

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: {
      python: { type: "string", default: "python3" },
      only: { type: "string" },
      folder: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const { Index, toFaiss } = await load("@lowbit/search");
  const { n, d, data: rows } = await readRows(join(data, "minilm", "base_f16.npy"));
  const base = { shape: [ROWS, d], data: rows.subarray(0, ROWS * d) };
  const queries = { shape: [QUERIES, d], data: rows.slice((n - QUERIES) * d) };
  // Of length 1, which all metrics take the same.
  normalize(queries.data, d);
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), "lowbit-faiss-"));
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, "queries"), bytesOf(queries.data));
    const cases = [];
    for (const [spec, metric] of CASES) {
      if (values.only && spec !== values.only) continue;
      const index = await Index.build(base, spec, { metric });
      const name = String(cases.length);
      writeFileSync(join(folder, `${name}.faiss`), toFaiss(index));
      writeFileSync(join(folder, `${name}.codes`), plainCodes(index));
      writeFileSync(join(folder, `${name}.numbers`), bytesOf(index.searchAll(queries, K).numbers));
      cases.push({ name, spec, metric, k: K, dimension: d });
      index.dispose();
    }
    writeFileSync(join(folder, "cases.json"), JSON.stringify(cases));
    const script = join(root, "scripts", "search-faiss.py");
    const { status, stdout, stderr, error } = spawnSync(values.python, [script, folder], { encoding: "utf8" });
    if (error || stderr !== "") throw new Error(`${values.python}: ${error?.message ?? stderr}`);
    console.log(stdout.trimEnd());
    process.exitCode = status ?? 1;
    if (values.write && status === 0)
      writeSection(
        "search-faiss",
        "node scripts/search-faiss.mjs --write",
        `## Indexes as Faiss loads them\n\n${stdout.trimEnd()}`,
      );
  } finally {
    if (!values.folder) rmSync(folder, { recursive: true });
  }
});
