// pnpm and the npm packages of the workspace.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { bin, root, runtimes, toolchain } from "./paths.mjs";
import { run } from "./run.mjs";
import { versions } from "./versions.mjs";

const pnpmFolder = join(toolchain, "pnpm");
const pnpmEntry = join(pnpmFolder, "node_modules", "pnpm", "bin", "pnpm.mjs");

/** Installs exactly `spec` by npm into a folder of its own, where nothing of the workspace is in sight. */
export async function npmInto(folder, specs, log) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const quiet = ["--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error"];
  await run("npm", ["install", "--prefix", folder, ...quiet, ...specs], { cwd: folder, log, timeout: 300 });
}

/** Runs our own pnpm: `pnpm(["install"], { log: "pnpm" })`. */
export const pnpm = (args, options) =>
  run(process.execPath, [pnpmEntry, ...args], { ...options, env: { ...pnpmEnv(), ...options?.env } });

/** Our pnpm and the workspace's tools first in PATH; no question is ever asked. */
export const pnpmEnv = () => ({
  PATH: [bin, join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
  CI: "1",
  npm_config_manage_package_manager_versions: "false",
});

export const pnpmStep = {
  name: "pnpm",
  version: () => `pnpm ${versions.pnpm}`,
  present: () => existsSync(pnpmEntry) && existsSync(join(bin, "pnpm")),
  async install() {
    rmSync(pnpmFolder, { recursive: true, force: true });
    await npmInto(pnpmFolder, [`pnpm@${versions.pnpm}`], "pnpm");
    mkdirSync(bin, { recursive: true });
    const script = '#!/bin/sh\nexec node "$(dirname "$0")/../pnpm/node_modules/pnpm/bin/pnpm.mjs" "$@"\n';
    writeFileSync(join(bin, "pnpm"), script, { mode: 0o755 });
  },
  advice: "npm could not install pnpm into .toolchain/pnpm: check that npm reaches its registry, then run this again.",
};

export const packagesStep = {
  name: "packages",
  needs: ["pnpm"],
  version() {
    const hash = createHash("sha256");
    const manifests = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifestsOfWorkspace()];
    for (const file of manifests.sort()) hash.update(file).update(readFileSync(join(root, file)));
    return `npm packages, lock ${hash.digest("hex").slice(0, 12)}`;
  },
  present: () => existsSync(join(root, "node_modules", ".modules.yaml")),
  install: () => pnpm(["install", "--frozen-lockfile"], { log: "packages", timeout: 600 }).then(() => undefined),
  advice:
    "pnpm could not install the packages: if package.json changed, run `.toolchain/bin/pnpm install` to bring pnpm-lock.yaml up to date; else check that npm's registry is in reach.",
};

function manifestsOfWorkspace() {
  return ["bench", "packages/cli", "packages/convert", "packages/core", "packages/search", "packages/train"]
    .map((folder) => `${folder}/package.json`)
    .filter((file) => existsSync(join(root, file)));
}

/** A JavaScript runtime that the packaging tests use, from npm. */
export const runtimeStep = (name, spec, executable) => ({
  name,
  version: () => spec,
  present: () => existsSync(join(runtimes, name, executable)),
  install: () => npmInto(join(runtimes, name), [spec], name),
  advice: "",
  optional: true,
});
