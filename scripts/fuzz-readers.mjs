// Seeded fuzzing of every reader of files: mutated files end in a named error of one line or are read; none crashes, takes a second or more, or takes buffers of more than twice
// the file (readers that inflate or use kernels: and a fixed amount beside). What fails is kept in packages/convert/test/corpus, which the tests read ever after.
//
//   node scripts/fuzz-readers.mjs                                     each reader for 5 seconds, a seed of the clock
//   node scripts/fuzz-readers.mjs --reader gguf --inputs 1000000 --seed 7 --record packages/convert/test/fuzz/runs.json
//
// --record adds the run to a file; the committed one holds what was really run.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const convert = join(root, "packages", "convert");

/** Every source keeps the address that it has, beside which it finds modules and files. */
const ownAddress = {
  name: "own-address",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/packages\/.*\.ts$/ }, ({ path }) => {
      const address = JSON.stringify(pathToFileURL(path).href);
      return { contents: readFileSync(path, "utf8").replaceAll("import.meta.url", address), loader: "ts" };
    }),
};

/** The readers are TypeScript: bundled into one module. */
async function bundled() {
  const outfile = join(root, ".cache", "fuzz", `readers-${process.pid}.mjs`);
  const contents = `
    export { READERS } from "./readers.ts";
    export { attempt } from "./attempt.ts";
    export { RandomData } from "../../../core/src/testing/random-data.ts";`;
  const stdin = { contents, resolveDir: join(convert, "test", "fuzz"), loader: "ts" };
  await build({
    ...{ stdin, outfile, bundle: true, format: "esm", platform: "node", target: "node20", logLevel: "error" },
    conditions: ["@lowbit/source"],
    plugins: [ownAddress],
  });
  return import(pathToFileURL(outfile));
}

const number = (text, name) => {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 0)) throw new Error(`--${name}: an integer of 0 or more, not ${text}`);
  return value;
};

async function fuzz({ RandomData, attempt }, reader, { seed, inputs, until }) {
  const random = new RandomData(seed);
  const files = reader.files();
  const run = { reader: reader.name, seed, inputs: 0, read: 0, failed: 0, slowestMs: 0, seconds: 0 };
  const start = performance.now();
  for (; run.inputs < inputs && performance.now() < until; run.inputs++) {
    const bytes = reader.mutate(files[run.inputs % files.length], random);
    const result = await attempt(reader, bytes);
    if (result.failure !== undefined) {
      const name = `${reader.name}-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.bin`;
      const corpus = join(convert, "test", "corpus");
      mkdirSync(corpus, { recursive: true });
      writeFileSync(join(corpus, name), bytes);
      console.log(`${reader.name}, seed ${seed}, input ${run.inputs}: ${result.failure}; kept as ${name}`);
      run.failed++;
      process.exitCode = 1;
    }
    run.read += Number(result.isRead);
    run.slowestMs = Math.max(run.slowestMs, result.ms);
  }
  run.slowestMs = Math.round(run.slowestMs);
  run.seconds = Math.round((performance.now() - start) / 1000);
  return run;
}

async function main() {
  const { values } = parseArgs({
    options: {
      reader: { type: "string" },
      inputs: { type: "string" },
      seconds: { type: "string", default: "5" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      record: { type: "string" },
    },
  });
  const module = await bundled();
  const wanted = module.READERS.filter(({ name }) => values.reader === undefined || name === values.reader);
  if (wanted.length === 0) throw new Error(`--reader: one of ${module.READERS.map(({ name }) => name).join(", ")}`);
  const inputs = values.inputs === undefined ? Number.POSITIVE_INFINITY : number(values.inputs, "inputs");
  const seconds = values.inputs === undefined ? number(values.seconds, "seconds") : Number.POSITIVE_INFINITY;
  for (const reader of wanted) {
    const until = performance.now() + seconds * 1000;
    const run = await fuzz(module, reader, { seed: number(values.seed, "seed"), inputs, until });
    console.log(
      `${run.reader}: ${run.inputs} inputs of seed ${run.seed}, ${run.read} read, ${run.failed} failed, the slowest ${run.slowestMs} ms, ${run.seconds} s`,
    );
    if (values.record !== undefined) {
      const before = existsSync(values.record) ? JSON.parse(readFileSync(values.record, "utf8")) : [];
      writeFileSync(values.record, `${JSON.stringify([...before, run], undefined, 2)}\n`);
    }
  }
}

await whenMain(import.meta.url, main);
