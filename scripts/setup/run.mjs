// Runs a command with a time limit and a log; a failure carries the end of that log.
import { spawn } from "node:child_process";
import { accessSync, appendFileSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { exe, logs, root } from "./paths.mjs";

const children = new Set();

/** Ends a command and everything it started: each runs in a process group of its own. */
function stop(child) {
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
process.on("exit", () => {
  for (const child of children) stop(child);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

export class CommandError extends Error {
  constructor(command, reason, output) {
    super(`${command}: ${reason}`);
    this.name = "CommandError";
    this.output = output;
  }
}

/** The last lines of a command's output. */
export const tail = (text, lines = 30) => text.trimEnd().split("\n").slice(-lines).join("\n");

/**
 * Runs `command args` and resolves with what it printed on standard output.
 * @param {object} [options] cwd, env (added to ours), log (a name in .toolchain/logs), timeout in seconds,
 *   live (true: output goes to the terminal as well), input (text for standard input)
 */
export function run(command, args, { cwd = root, env, log, timeout = 600, live = false, input } = {}) {
  const logFile = log ? join(logs, `${log}.log`) : undefined;
  if (logFile) {
    mkdirSync(dirname(logFile), { recursive: true });
    writeFileSync(logFile, `$ ${command} ${args.join(" ")}\n`);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      shell: process.platform === "win32" && /^(npm|npx|pnpm)$|\.cmd$/.test(command),
    });
    children.add(child);
    let stdout = "";
    let all = "";
    const collect = (isStdout) => (chunk) => {
      const text = chunk.toString();
      all += text;
      if (isStdout) stdout += text;
      if (logFile) appendFileSync(logFile, text);
      if (live) process.stdout.write(text);
    };
    child.stdout.on("data", collect(true));
    child.stderr.on("data", collect(false));
    if (input !== undefined) child.stdin.end(input);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop(child);
    }, timeout * 1000);
    const finish = () => {
      clearTimeout(timer);
      children.delete(child);
    };
    child.on("error", (error) => {
      finish();
      reject(new CommandError(command, error.message, all));
    });
    child.on("close", (code, signal) => {
      finish();
      if (code === 0 && !late) resolve(stdout);
      else
        reject(
          new CommandError(command, late ? `still running after ${timeout} s` : `ended with ${code ?? signal}`, all),
        );
    });
  });
}

/** The first line that `command args` prints, or undefined where it does not run. */
export async function ask(command, args, options) {
  try {
    return (await run(command, args, { timeout: 30, ...options })).trim().split("\n")[0];
  } catch {
    return undefined;
  }
}

/** The full path of the first of `names` that PATH (and then `extra` folders) has, or undefined. */
export function which(names, extra = []) {
  for (const name of names) {
    for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...extra]) {
      const file = join(folder, exe(name));
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}
