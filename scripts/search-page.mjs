// What an index of @lowbit/search costs in a page: 100,000 vectors of 384 numbers in Chromium on one thread, recall against exact, milliseconds of a query and of the build; then a million
// vectors. The vectors are the data set minilm (README of the data sets) and mixtures of its rows with noise, seeded; 200 of its rows are the queries and in no index.
//
//   node scripts/search-page.mjs [--spec Binary,RSQ8] [--n 100000] [--million Binary] [--write]      --write: into docs/results.md
//
// Needs built WASM, Chromium, and the data sets beside the checkout or where LOWBIT_DATA points.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { launch, serve, titleOf } from "../tests/packaging/browser.mjs";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { root } from "./setup/paths.mjs";

const data = process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data");

/** The page, the modules where its code looks for them, and the vectors. */
async function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "lowbit-search-page-"));
  await build({
    entryPoints: [join(root, "scripts", "search", "page.mjs")],
    outdir: join(folder, "app"),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@lowbit/source"],
    external: ["node:*"],
    // Packages see each other from here.
    nodePaths: [join(root, "packages", "cli", "node_modules")],
    logLevel: "warning",
  });
  symlinkSync(join(root, "packages", "core", "wasm"), join(folder, "wasm"));
  symlinkSync(join(data, "minilm", "base_f16.npy"), join(folder, "app", "base_f16.npy"));
  writeFileSync(join(folder, "app", "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  return folder;
}

const ratioOf = ({ bytes, n, bytesPerVector }) => (bytes / n / bytesPerVector).toFixed(2);

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: {
      spec: { type: "string", default: "Binary,RSQ8" },
      n: { type: "string", default: "100000" },
      million: { type: "string", default: "Binary" },
      write: { type: "boolean", default: false },
    },
  });
  const folder = await makeFolder();
  const server = await serve(folder);
  const browser = await launch();
  try {
    const { write, ...asked } = values;
    const load = loadavg()[0].toFixed(1);
    const { error, small, large, agent } = await titleOf(
      browser,
      `${server.url}app/?${new URLSearchParams(asked)}`,
      900_000,
    );
    if (error) throw new Error(error);
    const text = [
      `${/Chrome\/[\d.]+/.exec(agent)?.[0] ?? agent}, one thread; load of the machine before it began ${load}.`,
      "",
      "| index | vectors of 384 | recall@10 | ms a query | build, s | codes in memory | over what they need |",
      "|---|---|---|---|---|---|---|",
      `| \`${small.spec}\` | ${small.n.toLocaleString("en")} | ${small.recall.toFixed(3)} | ${small.ms.toFixed(2)} | ${small.built.toFixed(1)} | ${megabytes(small.bytes)} | ${ratioOf(small)} |`,
      ...(large
        ? [
            `| \`${large.spec}\` | ${large.n.toLocaleString("en")} | | ${large.ms.toFixed(2)} | ${large.adding.toFixed(1)} of nine tenths | ${megabytes(large.bytes)} | ${ratioOf(large)} |`,
          ]
        : []),
    ].join("\n");
    console.log(text);
    if (write)
      writeSection("search-page", "node scripts/search-page.mjs --write", `## Vector search in a page\n\n${text}`);
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
