// Builds every npm package that is out of date, by turbo, in dependency order.
import { join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { pnpmEnv } from "./setup/node.mjs";
import { root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";

/** Turbo without its daemon, its telemetry and its notices; its cache stays inside the checkout. */
export const turboEnv = () => ({
  ...pnpmEnv(),
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  TURBO_CACHE_DIR: join(root, ".cache", "turbo"),
  DO_NOT_TRACK: "1",
});

export async function buildPackages() {
  const since = Date.now();
  const output = await run("turbo", ["run", "build", "--output-logs=errors-only"], {
    env: turboEnv(),
    log: "packages-build",
    timeout: 300,
  });
  const cached = /Cached:\s+(\d+) cached, (\d+) total/.exec(output);
  const words =
    cached && cached[1] === cached[2] ? "(up to date)" : `built in ${((Date.now() - since) / 1000).toFixed(1)} s`;
  console.log(`  ✓ packages ${words}`);
}

await whenMain(import.meta.url, buildPackages);
