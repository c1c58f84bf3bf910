/** Node in two generations, Deno, Bun: each a child process that runs `child.js`. */
import { execFile, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromToolchain, type Launcher, type Platform, type Running, which } from "./platform.ts";

/** Built beside this module's bundle. */
const child = () => fileURLToPath(new URL("./child.js", import.meta.url));

export function launchProcess(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const started = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let last = "";
  started.stderr.on("data", (chunk: Buffer) => {
    last = (last + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<string>((resolve) => {
    started.on("error", (error) => resolve(error.message));
    started.on("close", (code, signal) => {
      const lines = last.split("\n").filter(Boolean);
      // Node ends its traces with its own version.
      const words = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
      resolve(`ended with ${code ?? signal}${words ? `: ${words}` : ""}`);
    });
  });
  return {
    ended,
    async stop() {
      if (started.exitCode === null && started.signalCode === null) started.kill("SIGKILL");
      await ended;
    },
  };
}

const launcher = (name: string, file: string, flags: readonly string[]): Launcher => ({
  launch: async (server) => launchProcess(file, [...flags, child(), server, name]),
});

async function majorOf(node: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(node, ["--version"]);
    return Number(/^v(\d+)\./.exec(stdout)?.[1]);
  } catch {
    return undefined;
  }
}

/** This process's own Node where it is of that major, then LOWBIT_NODE<major>, the checkout's, and PATH. */
function node(major: number): Platform {
  const name = `node${major}`;
  const variable = `LOWBIT_NODE${major}`;
  return {
    name,
    async find() {
      const named = process.env[variable];
      const isNode = process.versions.bun === undefined && !("Deno" in globalThis);
      const candidates = [
        named,
        isNode && Number(process.versions.node.split(".")[0]) === major ? process.execPath : undefined,
        fromToolchain(name, "node"),
        which(name, `node-${major}`, "node"),
      ];
      for (const candidate of candidates)
        if (candidate !== undefined && (await majorOf(candidate)) === major) return launcher(name, candidate, []);
      return { absent: `no Node ${major} in .toolchain or PATH; ${variable} may name one` };
    },
  };
}

function other(name: string, flags: readonly string[]): Platform {
  const variable = `LOWBIT_${name.toUpperCase()}`;
  return {
    name,
    find() {
      const file = process.env[variable] ?? fromToolchain(name, name) ?? which(name);
      if (file !== undefined) return launcher(name, file, flags);
      return { absent: `no ${name} in .toolchain or PATH; ${variable} may name one` };
    },
  };
}

export const runtimes: readonly Platform[] = [
  node(20),
  node(24),
  // Its permission to run nothing and write nothing is kept; peers read their files and are asked for their environment.
  other("deno", ["run", "--allow-read", "--allow-env", "--allow-net", "--allow-sys", "--no-prompt"]),
  other("bun", ["run"]),
];
