// A small scheduler: each step runs once its needs are met, side by side with the others, and leaves a stamp that names
// what it installed, so that the next run repeats nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stamps } from "./paths.mjs";
import { tail } from "./run.mjs";

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** One line of progress. */
export function report(mark, name, text = "", time = "") {
  console.log(`  ${mark} ${name.padEnd(22)} ${text.padEnd(46)} ${time.padStart(8)}`.trimEnd());
}

/** What went wrong with a step, and one sentence that says what to do about it. */
export class SetupError extends Error {
  constructor(advice, cause) {
    super(advice, { cause });
    this.name = "SetupError";
  }
}

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string[]} [needs] names of steps that come first
 * @property {() => string | Promise<string>} version what the step provides; the stamp holds it
 * @property {() => boolean} [present] whether what the stamp speaks of is still there
 * @property {() => Promise<string | void>} install resolves with words for the progress line
 * @property {string} advice what a person can do when it fails
 * @property {boolean} [optional] its failure is reported, and what needs it is skipped by name later
 */

function stampOf(step, folder) {
  try {
    return readFileSync(join(folder, step.name), "utf8");
  } catch {
    return undefined;
  }
}

async function perform(step, folder) {
  const since = Date.now();
  const version = await step.version();
  if (stampOf(step, folder) === version && (step.present?.() ?? true))
    return report("·", step.name, `${version.split("\n")[0]} (ready)`);
  let words;
  try {
    words = await step.install();
  } catch (error) {
    if (!step.optional) throw error;
    return report("–", step.name, `not to be had here: ${error.message}`, seconds(since));
  }
  mkdirSync(folder, { recursive: true });
  // Asked again: installing may be what makes the version known.
  writeFileSync(join(folder, step.name), await step.version());
  report("✓", step.name, words ?? version.split("\n")[0], seconds(since));
}

/**
 * Runs the steps. The first failure is printed with the end of its output and what to do about it.
 * @returns {Promise<boolean>} whether all went well; if not, other steps may still be running
 */
export async function performAll(steps, folder = stamps) {
  const since = Date.now();
  const done = new Map();
  const start = (step) => {
    if (!done.has(step.name)) {
      const needs = steps.filter((other) => step.needs?.includes(other.name));
      done.set(
        step.name,
        Promise.all(needs.map(start)).then(() =>
          perform(step, folder).catch((error) => {
            throw error.step ? error : Object.assign(error, { step });
          }),
        ),
      );
    }
    return done.get(step.name);
  };
  try {
    await Promise.all(steps.map(start));
  } catch (error) {
    const cause = error.cause ?? error;
    report("✗", error.step?.name ?? "set-up", cause.message);
    if (cause.output) console.error(tail(cause.output).replace(/^/gm, "    "));
    console.error(`\n${error instanceof SetupError ? error.message : error.step.advice}`);
    return false;
  }
  console.log(`  set-up took ${seconds(since)}\n`);
  return true;
}
