// `pnpm bench`: sets up and builds what is missing, then `lowbit bench` with the same words.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare } from "./prepare.mjs";
import { root } from "./setup/paths.mjs";

if (!(await prepare({ tests: true }))) process.exit(1);
console.log();
const command = [join(root, "packages", "cli", "bin", "lowbit.js"), "bench", ...process.argv.slice(2)];
// Ctrl-C reaches the command too, which then keeps what it has measured: this process only waits.
process.on("SIGINT", () => {});
const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
