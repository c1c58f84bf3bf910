import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, CommandError, run, tail } from "../../scripts/setup/run.mjs";

const node = (code, options) => run(process.execPath, ["-e", code], options);

test("resolves with what was printed, and gives standard input", async () => {
  expect(await node("process.stdin.pipe(process.stdout)", { input: "in and out" })).toBe("in and out");
});

test("a failure is an error that carries the output of both streams", async () => {
  const failing = node("console.log('one'); console.error('two'); process.exit(3)");
  await expect(failing).rejects.toThrow("ended with 3");
  const error = await failing.catch((caught) => caught);
  expect(error).toBeInstanceOf(CommandError);
  expect(error.output).toContain("one");
  expect(error.output).toContain("two");
});

test("a missing command is an error, too", async () => {
  await expect(run("no-such-command-anywhere", [])).rejects.toBeInstanceOf(CommandError);
  expect(await ask("no-such-command-anywhere", [])).toBeUndefined();
});

test("the time limit ends the command and what it started", async () => {
  const child = "setInterval(() => {}, 1000)";
  const code = `const c = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]); console.log(c.pid); setInterval(() => {}, 1000)`;
  const error = await node(code, { timeout: 1.5 }).catch((caught) => caught);
  expect(error.message).toContain("still running after 1.5 s");
  const pid = Number(error.output.trim());
  expect(pid).toBeGreaterThan(0);
  await sleep(200);
  const state = () => {
    try {
      return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
    } catch {
      return undefined;
    }
  };
  // Gone, or dead and waiting for whoever inherits it.
  expect([undefined, "Z"]).toContain(process.platform === "linux" ? state() : undefined);
});

test("tail keeps the last lines", () => {
  expect(tail("a\nb\nc\n", 2)).toBe("b\nc");
});
