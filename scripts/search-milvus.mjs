// What docs/scale.md says of Milvus, as far as Milvus Lite has it, which has no BINARY_VECTOR: rows of the tensor `codes` of a Flat index as FLOAT_VECTOR; whether it finds what we find, but for ties.
//
//   pip install milvus-lite pymilvus numpy
//   node scripts/search-milvus.mjs [--python python3] [--write]      --write: into docs/results.md
//
// Needs a build (`pnpm build`), and the data set minilm beside the checkout or where LOWBIT_DATA points: its first 4,000 rows are stored, its last 200 are queries.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { bytesOf, data, load, readRows } from "./search/minilm.mjs";
import { root } from "./setup/paths.mjs";

const ROWS = 4000;
const QUERIES = 200;
const K = 10;

/** How many of their numbers are not among ours, and how far scores are apart at most. */
function compare(ours, theirs) {
  let missing = 0;
  let apart = 0;
  for (let i = 0; i < QUERIES; i++) {
    const mine = ours.scores.subarray(i * K, (i + 1) * K);
    mine.forEach((score, j) => {
      apart = Math.max(apart, Math.abs(score - theirs.scores[i][j]));
    });
    const numbers = new Set(ours.numbers.subarray(i * K, (i + 1) * K));
    // As far as the last of ours, either may be there.
    theirs.ids[i].forEach((id, j) => {
      missing += Number(!numbers.has(id) && Math.abs(theirs.scores[i][j] - mine[K - 1]) > 1e-5);
    });
  }
  return { missing, apart };
}

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: { python: { type: "string", default: "python3" }, write: { type: "boolean", default: false } },
  });
  const { Index, saveIndex } = await load("@lowbit/search");
  const { n, d, data: rows } = await readRows(join(data, "minilm", "base_f16.npy"));
  const base = { shape: [ROWS, d], data: rows.slice(0, ROWS * d) };
  const queries = { shape: [QUERIES, d], data: rows.slice((n - QUERIES) * d) };
  const folder = mkdtempSync(join(tmpdir(), "lowbit-milvus-"));
  try {
    writeFileSync(join(folder, "queries"), bytesOf(queries.data));
    const lines = [];
    let version = "";
    for (const metric of ["cosine", "ip"]) {
      const index = await Index.build(base, "Flat", { metric });
      writeFileSync(join(folder, "index"), saveIndex(index));
      const ours = index.searchAll(queries, K);
      index.dispose();
      const args = [join(root, "scripts", "search-milvus.py"), folder, String(d), String(K), metric.toUpperCase()];
      const child = spawnSync(values.python, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
      if (child.status !== 0) throw new Error(`${values.python}: ${child.stderr.slice(-2000)}`);
      const found = JSON.parse(child.stdout.trim().split("\n").at(-1));
      version = found.version;
      const { missing, apart } = compare(ours, found);
      const same = `${QUERIES * K - missing} of ${QUERIES * K}`;
      lines.push(
        `| \`Flat\` | ${metric} | \`FLOAT_VECTOR\`, \`${metric.toUpperCase()}\`, \`FLAT\` | ${same} | ${apart.toExponential(0)} |`,
      );
      console.log(lines.at(-1));
    }
    const text = [
      "## Vector search: codes and vectors in Milvus",
      "",
      `What Milvus Lite ${version} finds for ${QUERIES} queries among ${ROWS.toLocaleString("en")} embeddings of MiniLM, beside what we find. It is given the rows of the file's tensor \`codes\`.`,
      "",
      "| ours | metric | field, metric, index | found by both, or tied | scores apart at most |",
      "|---|---|---|---|---|",
      ...lines,
    ];
    if (values.write) writeSection("search-milvus", "node scripts/search-milvus.mjs --write", text.join("\n"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
