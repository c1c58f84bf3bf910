/**
 * Writes the page with its data.
 *
 *   node dist/site/main.js [--sample 5000] [-o FOLDER] [--wordnet FOLDER] [--encoder FOLDER] [--threads N] [--cache FOLDER]
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { filesOf } from "../manifest.ts";
import { writeSite } from "./site.ts";

const home = fileURLToPath(new URL("../..", import.meta.url));

const { values } = parseArgs({
  // pnpm hands on the two dashes.
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    sample: { type: "string" },
    output: { type: "string", short: "o", default: join(home, "site") },
    wordnet: { type: "string", default: "/usr/share/wordnet" },
    encoder: { type: "string", default: join(home, "../../.toolchain/cache/minilm") },
    cache: { type: "string", default: join(home, ".cache") },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});

function countOf(name: "sample" | "threads"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  // Codebooks of 256 centroids are learned from that many.
  const least = name === "sample" ? 256 : 1;
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name}: expected ${least} or more, got ${text}`);
  return value;
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Ctrl-C ends it between two batches, with what was encoded kept. */
const controller = new AbortController();
process.once("SIGINT", () =>
  controller.abort(new Error("stopped; what was encoded is kept, and the same command goes on")),
);
process.once("SIGTERM", () => controller.abort(new Error("stopped")));

async function main(): Promise<void> {
  const { wordnet, encoder, output, cache } = values;
  if (!existsSync(join(wordnet, "data.noun")))
    throw new Error(`no WordNet in ${wordnet}: apt-get install wordnet-base, or --wordnet FOLDER`);
  if (!existsSync(join(encoder, "tokenizer.json")))
    throw new Error(`no encoder in ${encoder}: node scripts/get-minilm.mjs, or --encoder FOLDER`);
  const sample = countOf("sample");
  const { count, indexes, ...rest } = await writeSite({
    wordnet,
    folder: encoder,
    output: resolve(output),
    cache,
    threads: countOf("threads")!,
    ...(sample && { sample }),
    signal: controller.signal,
    log: (line) => console.log(line),
  });
  const files = [rest.encoder, rest.tokenizer, rest.definitions, rest.heldOut.vectors, ...indexes.flatMap(filesOf)];
  const bytes = [...new Map(files.map((file) => [file.path, file.bytes])).values()].reduce((a, b) => a + b, 0);
  console.log(
    `${relative(process.cwd(), output) || "."}: ${count.toLocaleString("en")} definitions, ${mb(bytes)} to keep offline. Any server of static files shows it.`,
  );
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
