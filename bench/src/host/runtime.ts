/** Node, Deno or Bun: packages are folders. */
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import type { Host } from "../engine.ts";
import { packageFile } from "../packages.ts";

export const runtimeHost = (platform: string, threads: readonly number[]): Host => ({
  platform,
  isPage: false,
  threads,
  file: async (path) => pathToFileURL(packageFile(path)),
  read: async (path) => new Uint8Array(await readFile(packageFile(path))),
});
