// Our graphs beside those (and a tree) of other packages on sentence embeddings: WASM ones on a page in Chromium, native add-ons in Node, the same links, efConstruction and recall, one thread, rounds in turn.
//
//   (cd FOLDER && npm i hnswlib-wasm edgevec voy-search hnswlib-node usearch)
//   node scripts/search-peers.mjs --peers FOLDER [--write]      --write: into docs/results.md
//
// Needs a build (`pnpm build`), Chromium, and the data set minilm beside the checkout or where LOWBIT_DATA points.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { launch, serve, titleOf } from "../tests/packaging/browser.mjs";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { data, load, readRows } from "./search/minilm.mjs";
import { fastest, hnswlib, measure, ours, usearch } from "./search/peers.mjs";
import { root } from "./setup/paths.mjs";

const QUERIES = 200;
const RECALLS = [0.9, 0.95, 0.98];
const file = join(data, "minilm", "base_f16.npy");

async function onPage(peers) {
  const folder = mkdtempSync(join(tmpdir(), "lowbit-search-peers-"));
  await build({
    entryPoints: [join(root, "scripts", "search", "peers-page.mjs")],
    outdir: join(folder, "app"),
    ...{ bundle: true, splitting: true, minify: true, format: "esm", platform: "browser", target: "es2022" },
    conditions: ["@lowbit/source"],
    external: ["node:*"],
    nodePaths: [join(root, "packages", "cli", "node_modules")],
    logLevel: "warning",
  });
  symlinkSync(join(root, "packages", "core", "wasm"), join(folder, "wasm"));
  symlinkSync(file, join(folder, "app", "base_f16.npy"));
  symlinkSync(join(peers, "node_modules"), join(folder, "peers"));
  writeFileSync(
    join(folder, "app", "index.html"),
    '<!doctype html><script type="module" src="peers-page.js"></script>',
  );
  const server = await serve(folder);
  const browser = await launch();
  try {
    const { error, found, agent } = await titleOf(browser, `${server.url}app/`, 900_000);
    if (error) throw new Error(error);
    return { where: /Chrome\/[\d.]+/.exec(agent)?.[0] ?? agent, found };
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

async function inNode(peers) {
  const need = createRequire(join(peers, "package.json"));
  const { Index } = await load("@lowbit/search");
  const { n, d, data: rows } = await readRows(file);
  const base = { shape: [n - QUERIES, d], data: rows.slice(0, (n - QUERIES) * d) };
  const queries = { shape: [QUERIES, d], data: rows.slice((n - QUERIES) * d) };
  const flat = await Index.build(base, "Flat");
  const truth = flat.searchAll(queries, 10).numbers;
  flat.dispose();
  const folder = mkdtempSync(join(tmpdir(), "lowbit-usearch-"));
  try {
    const engines = [
      ours(Index, "HNSW16"),
      ours(Index, "HNSW16,SQ8"),
      hnswlib("hnswlib-node, native", async () => ({ ...need("hnswlib-node"), list: (row) => Array.from(row) })),
      ...["F32", "I8"].map((kind) => {
        const engine = usearch(need("usearch"), kind, folder);
        return { ...engine, name: `${engine.name}, native` };
      }),
    ];
    return { where: `Node ${process.version}`, found: await measure(engines, base, queries, truth) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: { peers: { type: "string" }, write: { type: "boolean", default: false } },
  });
  if (!values.peers)
    throw new Error("--peers FOLDER: where hnswlib-wasm, edgevec, voy-search, hnswlib-node and usearch are installed");
  const peers = resolve(values.peers);
  const lines = [
    `Milliseconds of a query (k = 10) at the least efSearch that reaches a recall, among embeddings of MiniLM, 384 numbers; M = 16, efConstruction = 100, one thread; load of the machine before it began ${loadavg()[0].toFixed(1)}. edgevec has one efSearch a graph, of 16, 64 and 256 here; voy-search is an exact tree.`,
    "",
    `| where | graph | build, s | ${RECALLS.map((recall) => `recall ${recall}`).join(" | ")} | best recall |`,
    `|---|---|---|${RECALLS.map(() => "---|").join("")}---|`,
  ];
  for (const { where, found } of [await onPage(peers), await inNode(peers)])
    for (const engine of found) {
      if (engine.error) {
        lines.push(
          `| ${where} | ${engine.name} | did not run: ${engine.error.slice(0, 80)} |${RECALLS.map(() => " |").join("")} |`,
        );
        continue;
      }
      const times = RECALLS.map((recall) => fastest(engine, recall)).map((ms) =>
        Number.isFinite(ms) ? ms.toFixed(3) : "",
      );
      const best = Math.max(...engine.points.map(({ recall }) => recall)).toFixed(3);
      lines.push(`| ${where} | ${engine.name} | ${engine.built.toFixed(1)} | ${times.join(" | ")} | ${best} |`);
    }
  const text = lines.join("\n");
  console.log(text);
  if (values.write)
    writeSection("search-peers", "node scripts/search-peers.mjs --write", `## Graphs of other packages\n\n${text}`);
});
