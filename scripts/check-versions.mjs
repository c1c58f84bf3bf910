// Crates and npm packages share one version.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

/** Every place that names the version: `[where, version]`. */
export function versionsInUse() {
  const folders = [...readdirSync(join(root, "packages")).map((name) => join("packages", name)), "bench"];
  const packages = folders.map((folder) => {
    const { name: title, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return [title, version];
  });
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  return [
    ...packages,
    ["Cargo.toml, workspace.package", cargo.match(/\[workspace\.package\][^[]*?\nversion = "([^"]+)"/)?.[1]],
    ["Cargo.toml, dependency lowbit-kernels", cargo.match(/lowbit-kernels = \{[^}]*version = "=([^"]+)"/)?.[1]],
  ];
}

export function checkVersions() {
  const found = versionsInUse();
  if (new Set(found.map(([, version]) => version)).size !== 1) {
    throw new Error(`versions differ:\n${found.map(([where, version]) => `${version}  ${where}`).join("\n")}`);
  }
}

await whenMain(import.meta.url, checkVersions);
