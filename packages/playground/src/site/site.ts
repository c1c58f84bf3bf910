/** A folder of static files: the page, the encoder, definitions, and every index of them. */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Index, recall } from "@lowbit/search";
import { writeDefinitions } from "../definitions.ts";
import { EXACT, FIRST, type IndexRef, type Manifest } from "../manifest.ts";
import { packedEncoder, TOKENIZER_FILES } from "./encoder.ts";
import { SiteFiles } from "./files.ts";
import { progressOf } from "./progress.ts";
import { SIZE, type VectorsOptions, vectorsOf } from "./vectors.ts";
import { readLicense, readWordNet } from "./wordnet.ts";

/** In the order in which the page shows them. */
const SPECS = [EXACT, FIRST, "Binary,RSQ8", "PQ48x8,RSQ8", "PQ48x4fs,RSQ8", "PQ48x8", "PQ48x4fs"];

/** What recall counts: so many nearest. */
const K = 10;

export interface SiteOptions extends Pick<VectorsOptions, "folder" | "cache" | "threads" | "signal"> {
  readonly wordnet: string;
  readonly output: string;
  /** Definitions, those met most often first; absent: all. */
  readonly sample?: number;
  readonly log: (line: string) => void;
}

/** @throws Error where data is missing, or the signal's reason; a folder that was there stays until the new one is whole */
export async function writeSite({ wordnet, output, sample, log, ...options }: SiteOptions): Promise<Manifest> {
  const { folder, signal } = options;
  const definitions = await readWordNet(wordnet);
  const count = Math.min(sample ?? definitions.length, definitions.length);
  const { base, queries, sentences } = await vectorsOf({ ...options, definitions, count });
  const staging = `${output}.part`;
  await rm(staging, { recursive: true, force: true });
  await copyPage(staging);
  const files = new SiteFiles(staging);
  const kept = definitions.slice(0, count);
  const vectors = { shape: [count, SIZE], data: base };
  const asked = { shape: [sentences.length, SIZE], data: queries };
  using flat = await Index.build(vectors, "Flat");
  const nearest = { shape: [sentences.length, K], data: flat.searchAll(asked, K).numbers };
  const indexes: IndexRef[] = [];
  for (const spec of SPECS) {
    const progress = progressOf(`building ${spec}`);
    using index = await Index.build(vectors, spec, {
      signal,
      onProgress: (_, done) => progress(Math.round(done * count), count),
    });
    const found = recall(index, asked, nearest, { k: K });
    indexes.push(await files.addIndex(index, found));
    log(`${spec}: ${index.bytesPerVector} bytes a vector, recall@${K} ${found.toFixed(3)}`);
  }
  const [tokenizer, tokenizerConfig] = TOKENIZER_FILES.map((name) => join(folder, name));
  const content = {
    count,
    all: definitions.length,
    encoder: await files.add(await packedEncoder(folder), ".safetensors"),
    tokenizer: await files.add(await readFile(tokenizer!), ".json"),
    tokenizerConfig: await files.add(await readFile(tokenizerConfig!), ".json"),
    definitions: await files.add(gzipSync(writeDefinitions(kept), { level: 9 })),
    license: await readLicense(wordnet),
    wasm: await addWasm(files),
    indexes,
    heldOut: {
      count: sentences.length,
      vectors: await files.add(new Uint8Array(queries.buffer)),
      nearest: [...nearest.data],
    },
  };
  const manifest = { version: await versionOf(staging, JSON.stringify(content)), ...content };
  await writeFile(join(staging, "site.json"), JSON.stringify(manifest));
  await writeShell(staging, manifest.version);
  await rm(output, { recursive: true, force: true });
  await rename(staging, output);
  return manifest;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function copyPage(into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await cp(here("../page"), into, { recursive: true });
}

/** Modules of every tier: which of them an engine takes is known when the page runs. */
async function addWasm(files: SiteFiles): Promise<Manifest["wasm"]> {
  const wasm: Record<string, Manifest["wasm"][string]> = {};
  for (const part of ["transformer", "search"])
    for (const tier of ["scalar", "simd128", "relaxed"]) {
      const path = fileURLToPath(import.meta.resolve(`lowbit/wasm/lowbit-${part}.${tier}.wasm`));
      wasm[`${part}.${tier}`] = await files.add(await readFile(path), ".wasm");
    }
  return wasm;
}

/** Files that a page begins with; what is below `data/` it fetches and keeps itself. */
const shellOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name !== "data" && name !== "service-worker.js").sort();

async function versionOf(folder: string, content: string): Promise<string> {
  const hash = createHash("sha256").update(content);
  for (const name of await shellOf(folder)) hash.update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

/** The service worker's first line names the shell and its version, so an engine sees when it changes. */
async function writeShell(folder: string, version: string): Promise<void> {
  const path = join(folder, "service-worker.js");
  const shell = JSON.stringify({ version, files: await shellOf(folder) });
  await writeFile(path, `self.SHELL = ${shell};\n${await readFile(path, "utf8")}`);
}
