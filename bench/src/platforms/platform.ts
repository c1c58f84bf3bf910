/** Where the suite can run, and how each is started. A new one is one file and one line in `index.ts`. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What has been started. */
export interface Running {
  /** Resolves once it has ended by itself, with what is known of why. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface Launcher {
  /** @param server of the driver, ending in "/" */
  launch(server: string): Promise<Running>;
}

export interface Platform {
  /** As `--platforms` and records call it. */
  readonly name: string;
  /** How to start it, or why it is not to be had. */
  find(): Launcher | { readonly absent: string } | Promise<Launcher | { readonly absent: string }>;
}

const executable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The first of these programs that PATH has, or that exists where it is a path. */
export function which(...names: readonly string[]): string | undefined {
  const suffix = process.platform === "win32" ? ".exe" : "";
  for (const name of names) {
    if (/[\\/]/.test(name)) {
      if (executable(name)) return name;
      continue;
    }
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const file = join(folder, name + suffix);
      if (executable(file)) return file;
    }
  }
  return undefined;
}

/** A runtime that the checkout's set-up installed: `.toolchain/runtimes/<name>`, in a folder above this file or above the current one. */
export function fromToolchain(name: string, program: string): string | undefined {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()])
    for (let folder = start; ; folder = dirname(folder)) {
      const file = join(folder, ".toolchain", "runtimes", name, "node_modules", ".bin", program);
      if (existsSync(file)) return file;
      if (dirname(folder) === folder) break;
    }
  return undefined;
}
