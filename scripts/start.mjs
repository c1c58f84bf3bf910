// `npm start`: sets up whatever is missing, builds, and does the main job on real data.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildPackages } from "./build-packages.mjs";
import { buildWasm } from "./build-wasm.mjs";
import { setup } from "./setup/index.mjs";
import { root } from "./setup/paths.mjs";
import { tail } from "./setup/run.mjs";

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(`lowbit needs Node 20 or newer; this is Node ${process.versions.node}.`);
  process.exit(1);
}

await setup({ tests: false });
console.log("Build");
try {
  await buildWasm();
  await buildPackages();
} catch (error) {
  console.error(error.output ? `${error.message}\n${tail(error.output, 60)}` : error.message);
  process.exit(1);
}
console.log();

const mainJob = join(root, "scripts", "digits.mjs");
if (existsSync(mainJob)) {
  const { status } = spawnSync(process.execPath, [mainJob, ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    timeout: 900_000,
  });
  process.exit(status ?? 1);
}
