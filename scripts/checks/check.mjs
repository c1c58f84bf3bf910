// Checks with a result: each runs alone, has a time limit through the commands it calls, and says how many tests passed.
import { tail } from "../setup/run.mjs";

/**
 * @typedef {object} Result
 * @property {number} passed
 * @property {number} failed
 * @property {string[]} [skipped] names of what did not run, with the reason
 * @property {string[]} [retried] a line of each test that passed when it was tried again, with what went wrong at first
 * @property {string[]} [failures] a line of each thing that failed, for who sees only the end
 * @property {string} [output] what to show when something failed
 */

/** A check that counts as one: passes when `action` resolves, fails with what the command printed. */
export const single = (name, action) => ({
  name,
  async run() {
    await action();
    return { passed: 1, failed: 0 };
  },
});

/** A check that cannot run here. It is listed, never counted as passed. */
export const skipped = (name, reason) => ({
  name,
  run: async () => ({ passed: 0, failed: 0, skipped: [`${name} (${reason})`] }),
});

async function perform(check) {
  const since = Date.now();
  let result;
  try {
    result = await check.run();
  } catch (error) {
    result = { passed: 0, failed: 1, output: [error.message, error.output ? tail(error.output, 80) : ""].join("\n") };
  }
  const time = `${((Date.now() - since) / 1000).toFixed(1)} s`;
  const nothingRan = result.passed + result.failed === 0;
  const mark = result.failed > 0 ? "✗" : nothingRan ? "–" : "✓";
  const counts = nothingRan ? "skipped" : `${result.passed} passed${result.failed ? `, ${result.failed} FAILED` : ""}`;
  console.log(`  ${mark} ${check.name.padEnd(44)} ${counts.padEnd(24)} ${time.padStart(9)}`);
  if (result.failed > 0 && result.output) console.log(result.output.trimEnd().replace(/^/gm, "      "));
  return { check, ...result };
}

/** Runs lanes side by side, the checks of a lane one after another. Resolves with the results in order. */
export async function performLanes(lanes) {
  const results = await Promise.all(
    lanes.map(async (lane) => {
      const done = [];
      for (const check of lane) done.push(await perform(check));
      return done;
    }),
  );
  return results.flat();
}

/** Names that differ by a number only, as one line: `... seed 1 (and 24 more like it)`. */
function grouped(names) {
  const groups = new Map();
  for (const name of names) {
    const kind = name.replace(/\d+/g, "#");
    groups.set(kind, [...(groups.get(kind) ?? []), name]);
  }
  return [...groups.values()].map(([first, ...more]) =>
    more.length > 0 ? `${first} (and ${more.length} more like it)` : first,
  );
}

/** Prints what was skipped and what failed, and the line of sums; resolves with whether all is well. */
export function summarize(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const missing = grouped(
    results.flatMap(({ check, skipped = [] }) =>
      skipped.map((name) => (name.startsWith(check.name) ? name : `${check.name}: ${name}`)),
    ),
  );
  if (missing.length > 0) console.log(`\nNot run here:\n${missing.map((name) => `  – ${name}`).join("\n")}`);
  const retried = results.flatMap(({ check, retried = [] }) => retried.map((line) => `${check.name}: ${line}`));
  if (retried.length > 0) console.log(`\nPassed when tried again:\n${retried.map((line) => `  – ${line}`).join("\n")}`);
  const red = results.filter((result) => result.failed > 0);
  if (red.length > 0) console.log(`\nFailed: ${red.map((result) => result.check.name).join(", ")}`);
  for (const { check, failures = [] } of red) for (const line of failures) console.log(`  ✗ ${check.name}: ${line}`);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
  return red.length === 0 && sum("passed") > 0;
}
