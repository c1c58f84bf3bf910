// `pnpm release:version`: lets changesets set the version and write the changelogs, then gives the crates the same version.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkVersions } from "./check-versions.mjs";
import { whenMain } from "./main-module.mjs";
import { pnpm, pnpmEnv } from "./setup/node.mjs";
import { root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";

await whenMain(import.meta.url, async () => {
  await run("changeset", ["version"], { env: pnpmEnv(), live: true });
  const { version } = JSON.parse(readFileSync(join(root, "packages", "core", "package.json"), "utf8"));
  const file = join(root, "Cargo.toml");
  const text = readFileSync(file, "utf8")
    .replace(/(\[workspace\.package\][^[]*?\nversion = ")[^"]+/, `$1${version}`)
    .replace(/(lowbit-kernels = \{[^}]*version = "=)[^"]+/, `$1${version}`);
  writeFileSync(file, text);
  // Names only: the crates' own entries in Cargo.lock follow.
  await run("cargo", ["update", "--workspace", "--offline"], { live: true });
  await pnpm(["install", "--lockfile-only", "--offline"], { log: "release-lock" });
  checkVersions();
  console.log(`all packages and crates are now ${version}`);
});
