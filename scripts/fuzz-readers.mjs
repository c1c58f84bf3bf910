// Seeded fuzzing of every reader of files: mutated files end in a named error of one line or are read; none crashes, takes a second or more, or takes buffers of more than twice
// the file (readers that inflate or use kernels: and a fixed amount beside). What fails is kept in packages/convert/test/corpus, which the tests read ever after.
//
//   node scripts/fuzz-readers.mjs                                              each reader for 5 seconds, from a seed of the clock on
//   node scripts/fuzz-readers.mjs --reader gguf --from 700123 --inputs 1       one input again
//   node scripts/fuzz-readers.mjs --until 1000000 --record packages/convert/test/fuzz/runs.json
//                                                                              goes on behind what the record holds, until every reader has had so many inputs
//
// Every input has a seed of its own. The committed record holds what was really run: inputs `from` (with it) to `to` (without) of a reader at a commit. Older runs, with a `seed`, drew
// all their inputs from one; their day and commit are those of the record.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const convert = join(root, "packages", "convert");
/** Inputs and seconds after which the record is written and another reader has its turn. */
const TURN = { inputs: 20_000, seconds: 60 };

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
    export { attempt, inputOf } from "./attempt.ts";`;
  const stdin = { contents, resolveDir: join(convert, "test", "fuzz"), loader: "ts" };
  await build({
    ...{ stdin, outfile, bundle: true, format: "esm", platform: "node", target: "node20", logLevel: "error" },
    conditions: ["@lowbit/source"],
    plugins: [ownAddress],
  });
  return import(pathToFileURL(outfile));
}

/** The commit that is read, with a + where sources differ from it. */
function commitOf() {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const changed = git(
    "status",
    "--porcelain",
    "packages/core/src",
    "packages/convert/src",
    "packages/convert/test/fuzz",
  );
  return git("rev-parse", "--short", "HEAD") + (changed && "+");
}

/**
 * Ends the process where an input never does: a thread that sees the same input while the process takes half a minute of processor time.
 * @returns sets what is being read
 */
function watchHangs(names) {
  const seen = new Float64Array(new SharedArrayBuffer(8));
  const source = `
    const { workerData: { seen, names } } = require("node:worker_threads");
    let [last, since] = [-1, 0];
    setInterval(() => {
      const used = process.cpuUsage().user / 1e6;
      if (seen[0] !== last) [last, since] = [seen[0], used];
      else if (used - since > 30) {
        require("node:fs").writeSync(2, "input " + (last % 2 ** 40) + " of reader " + names[Math.floor(last / 2 ** 40)] + " does not end\\n");
        process.exit(1);
      }
    }, 5000);`;
  new Worker(source, { eval: true, workerData: { seen, names } }).unref();
  return (reader, seed) => {
    seen[0] = names.indexOf(reader) * 2 ** 40 + seed;
  };
}

const number = (text, name) => {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 0)) throw new Error(`--${name}: an integer of 0 or more, not ${text}`);
  return value;
};

async function fuzz({ attempt, inputOf }, reader, { from, inputs, seconds, watch }) {
  const files = reader.files();
  // What is whole is read: else every error of a hurt file could be one of a build that lacks something.
  for (const file of files) await reader.read(file);
  const run = { inputs: 0, read: 0, failed: 0, slowestMs: 0, seconds: 0, findings: [] };
  const start = performance.now();
  for (let seed = from; seed < from + inputs && performance.now() < start + seconds * 1000; seed++, run.inputs++) {
    const bytes = inputOf(reader, files, seed);
    watch(reader.name, seed);
    const { failure, isRead, ms } = await attempt(reader, bytes);
    if (failure !== undefined) {
      const name = `${reader.name}-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.bin`;
      const corpus = join(convert, "test", "corpus");
      mkdirSync(corpus, { recursive: true });
      writeFileSync(join(corpus, name), bytes);
      console.log(`${reader.name}, input ${seed}: ${failure}; kept as ${name}`);
      run.failed++;
      run.findings.push(`${seed}: ${failure.split("\n")[0]} (${name})`);
      process.exitCode = 1;
    }
    run.read += Number(isRead);
    run.slowestMs = Math.max(run.slowestMs, Math.round(ms));
  }
  run.seconds = Math.round((performance.now() - start) / 1000);
  return run;
}

const recorded = (path) => (path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : []);

/** Adds a run: to the one that it goes on from, where reader, day and commit are the same. */
function record(path, name, commit, from, run) {
  const runs = recorded(path);
  const date = new Date().toISOString().slice(0, 10);
  const last = runs.find((one) => one.reader === name && one.date === date && one.commit === commit && one.to === from);
  if (last) {
    for (const key of ["inputs", "read", "failed", "seconds"]) last[key] += run[key];
    last.to += run.inputs;
    last.slowestMs = Math.max(last.slowestMs, run.slowestMs);
    last.findings.push(...run.findings);
  } else runs.push({ reader: name, date, commit, from, to: from + run.inputs, ...run });
  // Whole or not at all: a run may be killed at any moment.
  writeFileSync(`${path}.new`, `${JSON.stringify(runs, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Where the inputs of a reader end that are recorded from 0 on without a gap, and how many are recorded beside them. */
function recordedOf(runs, name) {
  const own = runs.filter(({ reader }) => reader === name);
  let end = 0;
  for (const { from, to } of own.filter(({ seed }) => seed === undefined).sort((a, b) => a.from - b.from))
    if (from <= end) end = Math.max(end, to);
  const sum = (of) => own.reduce((total, run) => total + of(run), 0);
  return {
    end,
    older: sum(({ seed, inputs }) => (seed === undefined ? 0 : inputs)),
    seconds: sum(({ seed, seconds }) => (seed === undefined ? seconds : 0)),
  };
}

const report = (name, from, { inputs, read, failed, slowestMs, seconds }) =>
  console.log(
    `${name}: inputs ${from} to ${from + inputs}, ${read} read, ${failed} failed, the slowest ${slowestMs} ms, ${seconds} s`,
  );

async function main() {
  const { values } = parseArgs({
    options: {
      reader: { type: "string", multiple: true },
      inputs: { type: "string" },
      seconds: { type: "string", default: "5" },
      from: { type: "string", default: String(Date.now() % 2 ** 31) },
      until: { type: "string" },
      record: { type: "string" },
    },
  });
  const module = await bundled();
  const names = module.READERS.map(({ name }) => name);
  const wanted = module.READERS.filter(({ name }) => values.reader?.includes(name) ?? true);
  if (wanted.length === 0) throw new Error(`--reader: one of ${names.join(", ")}`);
  const watch = watchHangs(names);
  const commit = commitOf();
  if (values.until === undefined) {
    const from = number(values.from, "from");
    const inputs = values.inputs === undefined ? Number.POSITIVE_INFINITY : number(values.inputs, "inputs");
    const seconds = values.inputs === undefined ? number(values.seconds, "seconds") : Number.POSITIVE_INFINITY;
    for (const reader of wanted) {
      const run = await fuzz(module, reader, { from, inputs, seconds, watch });
      report(reader.name, from, run);
      if (values.record !== undefined) record(values.record, reader.name, commit, from, run);
    }
    return;
  }
  if (values.record === undefined) throw new Error("--until goes on from a record: --record FILE");
  const until = number(values.until, "until");
  for (;;) {
    const runs = recorded(values.record);
    // By turns of equal time, so that slow readers do not keep the others waiting.
    const [next] = wanted
      .map((reader) => ({ reader, ...recordedOf(runs, reader.name) }))
      .filter(({ end, older }) => end + older < until)
      .sort((a, b) => a.seconds - b.seconds);
    if (next === undefined) return;
    const { reader, end: from, older } = next;
    const inputs = Math.min(TURN.inputs, until - older - from);
    const run = await fuzz(module, reader, { from, inputs, seconds: TURN.seconds, watch });
    report(reader.name, from, run);
    record(values.record, reader.name, commit, from, run);
  }
}

await whenMain(import.meta.url, main);
