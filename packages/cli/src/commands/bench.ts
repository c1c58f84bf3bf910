import { execFile } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchRecord } from "@lowbit/bench";
import { defineCommand } from "citty";
import { benchRows, enginesOf, timesAsFast } from "../report/bench-figures.ts";
import { formatTimes, significant } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { checkOutput, naming, writeOutput } from "../shared/files.ts";
import { Interrupt } from "../shared/interrupt.ts";
import { optionalPeer } from "../shared/peer.ts";
import { createProgress } from "../shared/progress.ts";
import { VERSION } from "../version.ts";

type Bench = typeof import("@lowbit/bench");

const loadBench = () => optionalPeer("@lowbit/bench", "benchmarks need", () => import("@lowbit/bench"));

/** The checkout's revision; undefined where this package is installed: the revision of a user's own project says nothing. */
async function revisionOf(): Promise<string | undefined> {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const git = async (...args: string[]) => (await promisify(execFile)("git", args, { cwd })).stdout.trim();
  try {
    await git("ls-files", "--error-unmatch", "package.json");
    const changed = await git("status", "--porcelain", "--untracked-files=no");
    return (await git("rev-parse", "--short=12", "HEAD")) + (changed === "" ? "" : "+");
  } catch {
    return undefined;
  }
}

/** A result to a line, all of them one array. */
const printResults = ({ results }: BenchRecord): void => {
  process.stdout.write(`[\n${results.map((result) => `  ${JSON.stringify(result)}`).join(",\n")}\n]\n`);
};

/** Our best engine per case and platform, its share of the limit, and how many times as fast as each other engine it is. */
function printTable(record: BenchRecord): void {
  const rows = benchRows(record);
  // The record and its report have all of them; a terminal has room for the strongest.
  const others = enginesOf(rows, (engine) => !/^(lowbit:|naive|litert-compat:|.*:\d+$)/.test(engine));
  console.log(
    textTable(
      [
        { title: "case", cell: ({ ours }) => ours.case },
        { title: "platform", cell: (row) => row.platform },
        { title: "lowbit", cell: ({ ours }) => ours.engine.replace("lowbit:", "") },
        { title: "ms", numeric: true, cell: ({ ours }) => significant(ours.medianMs) },
        { title: "G/s", numeric: true, cell: ({ ours }) => significant(ours.gmacs) },
        {
          title: "of limit",
          numeric: true,
          cell: ({ ours }) => (ours.ofLimit === undefined ? "" : `${Math.round(ours.ofLimit * 100)} %`),
        },
        ...others.map((engine) => ({
          title: `x ${engine}`,
          numeric: true,
          cell: (row: (typeof rows)[number]) => {
            const ratio = timesAsFast(row, engine);
            return ratio === undefined ? "" : formatTimes(ratio);
          },
        })),
      ],
      rows,
    ),
  );
}

/** Addresses at which other devices find this machine. */
const addresses = (port: number): string[] =>
  Object.values(networkInterfaces())
    .flat()
    .filter((address) => address && address.family === "IPv4" && !address.internal)
    .map((address) => `http://${address?.address}:${port}/`);

const list = (text: string | undefined): string[] | undefined => text?.split(",").filter(Boolean);

interface Keeping {
  /** Where `record` goes. */
  path(record: BenchRecord): string | undefined;
  /** What `--resume` goes on with: `--out`, or the newest record of the machine, on whichever day it was begun. */
  previous(machine: string): Promise<string | undefined>;
  keep(record: BenchRecord): Promise<void>;
}

/** `--out` names the file, `--record` lets machine and date name it. */
function keeping({ formatRecord }: Bench, out: string | undefined, isRecord: boolean): Keeping {
  const path = ({ machine, started }: BenchRecord) =>
    isRecord ? join("bench", "record", machine.name, `${started.slice(0, 10)}.json`) : out;
  return {
    path,
    async previous(machine) {
      if (!isRecord) return out;
      const folder = join("bench", "record", machine);
      const files = await readdir(folder).catch(() => []);
      const newest = files
        .filter((file) => file.endsWith(".json"))
        .sort()
        .at(-1);
      return newest && join(folder, newest);
    },
    async keep(record) {
      const target = path(record);
      if (target === undefined) return;
      if (isRecord) await mkdir(dirname(target), { recursive: true });
      await writeOutput(target, formatRecord(record));
    },
  };
}

/** The page beside the record. */
async function writeReport(record: BenchRecord, path: string): Promise<string> {
  const { benchPage } = await import("../report/bench-page.ts");
  const page = path.replace(/(\.json)?$/, ".html");
  await writeOutput(page, benchPage(record));
  return page;
}

export const bench = defineCommand({
  meta: { name: "bench", description: "Time the kernels against other runtimes, on every JavaScript engine to be had" },
  args: {
    quick: { type: "boolean", description: "A case of each kind, few rounds, on one engine: under two minutes" },
    filter: {
      type: "string",
      valueHint: "F",
      description: "Cases whose id holds F (a list with commas; * for anything)",
    },
    peers: {
      type: "string",
      valueHint: "P",
      description: "Other runtimes: all (default), none, or a list: litert,onnxruntime-web:int8",
    },
    platforms: {
      type: "string",
      valueHint: "L",
      description: "all (default), or a list: node20,node24,deno,bun,chromium,firefox,webkit; --quick: node24",
    },
    threads: { type: "string", valueHint: "N", description: "Also with N threads (2); 1 for without" },
    processes: {
      type: "string",
      valueHint: "N",
      description: "Each case in N processes (1), of which every engine keeps its fastest median",
    },
    out: {
      type: "string",
      alias: "o",
      valueHint: "R.json",
      description: "Write the record here, and a report with plots beside it",
    },
    record: { type: "boolean", description: "Write them as bench/record/<machine>/<date>.json" },
    machine: {
      type: "string",
      valueHint: "NAME",
      description: "The machine's name in the record (processor and cores)",
    },
    resume: {
      type: "boolean",
      description: "Go on with the record that is there (of --record: the newest): what it holds is not run again",
    },
    for: { type: "string", valueHint: "SECONDS", description: "Begin no case after that; --resume goes on" },
    serve: {
      type: "boolean",
      description: "Serve the suite as a page that other devices open; their records come back",
    },
    port: { type: "string", valueHint: "N", description: "Of --serve (8080)" },
    host: {
      type: "string",
      valueHint: "ADDRESS",
      description: "Of --serve: 127.0.0.1 for this machine only (all addresses)",
    },
    json: JSON_ARGUMENT,
  },
  async run({ args, rawArgs }) {
    if (args.out !== undefined && args.record) throw new UsageError("--out and --record both name the file; give one");
    if (args.resume && args.out === undefined && !args.record) throw new UsageError("--resume needs --out or --record");
    const threads = numberOption("threads", args.threads, 1, true) ?? 2;
    const processes = numberOption("processes", args.processes, 1, true);
    const seconds = numberOption("for", args.for, 1);
    const port = numberOption("port", args.port, 0, true);
    if (args.out !== undefined) await checkOutput(args.out, []);
    const library = await loadBench();
    const keeper = keeping(library, args.out, args.record === true);
    const progress = createProgress(args.json);
    using interrupt = new Interrupt();
    const common = {
      ...{ filter: args.filter, peers: args.peers, threads: threads > 1 ? [threads] : [] },
      ...{
        command: ["lowbit bench", ...rawArgs].join(" "),
        versions: { lowbit: VERSION },
        revision: await revisionOf(),
      },
    };

    if (args.serve) {
      // Records of devices come one after another: a single --out would be overwritten by the next.
      const serving = await library.serveSuite({
        ...{ ...common, port, host: args.host, onNote: (note) => progress.note(note) },
        async onRecord(record) {
          const device = args.out === undefined ? keeping(library, undefined, true) : keeper;
          await device.keep(record);
          await writeReport(record, device.path(record) as string);
        },
      });
      console.log(`http://localhost:${serving.port}/`);
      if (args.host === undefined) for (const address of addresses(serving.port)) console.log(address);
      console.log("Open one of them in the browser to be measured; Ctrl-C ends.");
      await new Promise<void>((resolve) => interrupt.signal.addEventListener("abort", () => resolve()));
      await serving.close();
      return;
    }

    const { name } = library.thisMachine(args.machine);
    const previous = args.resume ? await previousRecord(library, await keeper.previous(name)) : undefined;
    let titled = false;
    const record = await library.bench({
      ...common,
      ...{ quick: args.quick, platforms: list(args.platforms), machine: args.machine, previous, seconds, processes },
      signal: interrupt.signal,
      onRecord: (each) => keeper.keep(each),
      onNote: (note) => (args.json ? process.stderr.write(`${note}\n`) : progress.note(note)),
      onProgress({ done, of, platform, case: id }) {
        if (!titled) progress.stage("bench", of);
        titled = true;
        progress.retitle(`${platform.padEnd(8)} ${id ?? ""}`);
        progress.update(done);
      },
    });
    progress.end();
    if (args.json) printResults(record);
    else printTable(record);
    const path = keeper.path(record);
    if (path !== undefined) {
      const page = await writeReport(record, path);
      if (!args.json) console.log(`\n${path}\n${page}`);
    }
    // The record holds what was measured until then.
    interrupt.signal.throwIfAborted();
    const wrong = record.untimed.filter(({ kind }) => kind === "wrong");
    if (wrong.length > 0 && !args.json)
      console.log(`${wrong.length} wrong answers, whose times do not count: see above`);
  },
});

/** The record that `--resume` goes on with; none yet is no error. */
async function previousRecord({ parseRecord }: Bench, path: string | undefined): Promise<BenchRecord | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined;
  }
  return naming(path, () => parseRecord(JSON.parse(text)));
}
