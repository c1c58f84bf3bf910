// `pnpm bench`: sets up and builds what is missing, then `lowbit bench` with the same words.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare } from "./prepare.mjs";
import { exe, root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";
import { nativeTool } from "./setup/rust.mjs";

if (!(await prepare({ tests: true }))) process.exit(1);

// Our kernels as machine code, an engine of their own. For this processor, so in a folder of its own.
if (process.env.LOWBIT_NATIVE === undefined && nativeTool("cargo")) {
  const target = join(root, "target", "native");
  const options = { env: { RUSTFLAGS: "-C target-cpu=native" }, log: "native", timeout: 900 };
  await run(nativeTool("cargo"), ["build", "--release", "-p", "lowbit-native", "--target-dir", target], options);
  process.env.LOWBIT_NATIVE = join(target, "release", exe("lowbit-native"));
}
console.log();
const command = [join(root, "packages", "cli", "bin", "lowbit.js"), "bench", ...process.argv.slice(2)];
// Ctrl-C reaches the command too, which then keeps what it has measured: this process only waits.
process.on("SIGINT", () => {});
const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
