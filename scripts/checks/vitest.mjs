// Runs vitest with a configuration and reads the counts from its JSON report.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { pnpmEnv } from "../setup/node.mjs";
import { root } from "../setup/paths.mjs";
import { run } from "../setup/run.mjs";

/** The titles of the tests that did not run. */
const skippedTitles = (report) =>
  report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => ["pending", "skipped", "todo"].includes(test.status))
    .map((test) => test.fullName);

const firstLine = (text) => text.trim().split("\n")[0];

/** Title and what went wrong at first of the tests that passed when they were tried again. */
const retriedTitles = (report) =>
  report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status === "passed" && test.failureMessages.length > 0)
    .map((test) => `${test.fullName}: ${firstLine(test.failureMessages[0])}`);

/** Title and first line of what is wrong of each test, or of each file, that failed; where vitest itself did, its first error. */
function failures({ testResults }, failure) {
  const titles = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const red = assertionResults.filter((test) => test.status === "failed");
    if (red.length === 0 && status === "failed") return [`${relative(root, name)}: ${firstLine(message)}`];
    return red.map((test) => `${test.fullName}: ${firstLine(test.failureMessages[0] ?? "")}`);
  });
  if (titles.length > 0 || !failure) return titles;
  return [firstLine(/^.*(Unhandled|Error:).*(\n.*){0,2}/m.exec(failure.output)?.[0] ?? failure.message)];
}

/** @returns {import("./check.mjs").Check} */
export const vitest = (name, config, { timeout = 900, env = {}, args = [] } = {}) => ({
  name,
  async run() {
    const slug = name.replace(/\W+/g, "-");
    const file = join(root, ".cache", "reports", `${slug}.json`);
    mkdirSync(join(file, ".."), { recursive: true });
    rmSync(file, { force: true });
    const flags = [
      "run",
      "--config",
      config,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...args,
    ];
    let failure;
    try {
      await run("vitest", flags, { env: { ...pnpmEnv(), NO_COLOR: "1", ...env }, log: slug, timeout });
    } catch (error) {
      failure = error;
    }
    let report;
    try {
      report = JSON.parse(readFileSync(file, "utf8"));
    } catch {
      throw failure ?? new Error("vitest wrote no report");
    }
    const failed = Math.max(report.numFailedTests, failure ? 1 : 0);
    return {
      passed: report.numPassedTests,
      failed,
      skipped: skippedTitles(report),
      retried: retriedTitles(report),
      failures: failures(report, failure),
      output: failure ? `${failure.message}\n${failuresOf(failure.output)}` : undefined,
    };
  },
});

/** From the first failure on, vitest prints what failed and where; before that, what passed. */
function failuresOf(output) {
  const lines = output.split("\n");
  const first = lines.findIndex((line) => /Failed (Tests|Suites)|Unhandled Error|Error:/.test(line));
  return lines.slice(first < 0 ? -80 : first, first < 0 ? undefined : first + 120).join("\n");
}
