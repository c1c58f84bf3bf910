// `npm start`: sets up whatever is missing, builds, and does the main job on real data.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare } from "./prepare.mjs";
import { root } from "./setup/paths.mjs";

if (!(await prepare({ tests: false }))) process.exit(1);
console.log();
const options = { cwd: root, stdio: "inherit", timeout: 900_000 };
const { status } = spawnSync(
  process.execPath,
  [join(root, "scripts", "digits.mjs"), ...process.argv.slice(2)],
  options,
);
process.exit(status ?? 1);
