/** Runs the built command as a user does, in its own process. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const BIN = process.env.LOWBIT_BIN ?? fileURLToPath(new URL("../bin/lowbit.js", import.meta.url));

if (!process.env.LOWBIT_BIN && !existsSync(fileURLToPath(new URL("../dist/index.js", import.meta.url))))
  throw new Error("packages/cli is not built; run pnpm build first");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than any command here takes; a hang is a failure with a name. */
const TIMEOUT_MS = 60_000;

export const lowbit = (...args: readonly string[]): Promise<Finished> => lowbitIn(process.cwd(), ...args);

/** The same, run in a folder. */
export function lowbitIn(cwd: string, ...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`lowbit ${args.join(" ")} hangs: ${stdout}${stderr}`));
    }, TIMEOUT_MS);
    child.on("error", reject).on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a command that must succeed with `--json`, and returns what it printed. */
export async function lowbitJson<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await lowbit(...args, "--json");
  if (code !== 0) throw new Error(`lowbit ${args.join(" ")}: exit ${code}\n${stderr}`);
  return JSON.parse(stdout) as T;
}
