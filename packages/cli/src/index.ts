/**
 * `lowbit`, the command line. Each command is a module that loads when it is called, and loads the importer, the
 * runtime or the plots only as far as it needs them, so `lowbit --help` reads nothing but the definitions.
 */

import { defineCommand, renderUsage, runCommand } from "citty";
import { type Command, checkArguments, type Surroundings } from "./shared/command.ts";
import { complain, exitCode, UsageError } from "./shared/errors.ts";
import { VERSION } from "./version.ts";

/** In the order in which a user meets them. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  inspect: () => import("./commands/inspect.ts").then((m) => m.inspect),
  convert: () => import("./commands/convert.ts").then((m) => m.convert),
  quantize: () => import("./commands/quantize.ts").then((m) => m.quantize),
  run: () => import("./commands/run.ts").then((m) => m.run),
  eval: () => import("./commands/eval.ts").then((m) => m.evaluate),
  compare: () => import("./commands/compare.ts").then((m) => m.compare),
  dequantize: () => import("./commands/dequantize.ts").then((m) => m.dequantize),
  export: () => import("./commands/export.ts").then((m) => m.exportModel),
  bench: () => import("./commands/bench.ts").then((m) => m.bench),
  search: () => import("./commands/search.ts").then((m) => m.search),
  train: () => import("./commands/train.ts").then((m) => m.train),
  types: () => import("./commands/types.ts").then((m) => m.types),
};

const lowbit = defineCommand({
  meta: {
    name: "lowbit",
    version: VERSION,
    description: "Quantizes networks to 1-8 bits, proves the cost, runs them on WASM kernels",
  },
  subCommands: COMMANDS,
});

const HELP = new Set(["--help", "-h"]);

async function dispatch(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  if (name === undefined || HELP.has(name) || name === "help") {
    console.log(await renderUsage(lowbit));
    return;
  }
  if (name === "--version" || name === "-v") {
    console.log(VERSION);
    return;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new UsageError(`no command "${name}"; there are ${Object.keys(COMMANDS).join(", ")}`);
  const command = await load();
  if (rest.some((arg) => HELP.has(arg))) {
    console.log(await renderUsage(command, lowbit));
    return;
  }
  const surroundings: Surroundings = { values: checkArguments(name, command, rest) };
  await runCommand(command, { rawArgs: rest, data: surroundings });
}

/**
 * Runs one command line. Ctrl-C is left to the system, which ends the process at once, also in the middle of a kernel:
 * outputs are whole or not there, so nothing needs to be told. The long commands listen to it (`interrupt.ts`): training, to end between two steps; those that
 * keep what is finished, to say so.
 *
 * @param argv the words behind `lowbit`
 * @returns the exit code: 0, 1 (refused by a gate), 2 (bad usage or bad input) or 130 (interrupted). A failure has
 *   written one line to stderr.
 */
export async function main(argv: readonly string[]): Promise<number> {
  // The reader of a pipe may leave (lowbit ... | head): that is its right, not an error to report.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    await dispatch(argv);
    return 0;
  } catch (error) {
    if (process.env.LOWBIT_DEBUG) console.error(error);
    else complain(error);
    return exitCode(error);
  }
}

/** What `compare-worker.js` does: a thread of `lowbit compare`. */
export const compareThread = () => import("./compare/thread.ts").then(({ serve }) => serve());

/** What `quantize-worker.js` does: a thread of `lowbit quantize`. */
export const quantizeThread = () => import("./quantize/thread.ts").then(({ serve }) => serve());
