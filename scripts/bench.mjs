// `pnpm bench`: sets up and builds what is missing, then `lowbit bench` with the same words.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare } from "./prepare.mjs";
import { exe, root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";
import { nativeTool } from "./setup/rust.mjs";

if (!(await prepare({ tests: true }))) process.exit(1);

// Our kernels as machine code, engines of their own. For this processor, so in folders of their own: as a compiler makes it, and kept to vectors of 128 bits, which it would join into wider ones.
const builds = [
  ["LOWBIT_NATIVE", "native", "-C target-cpu=native"],
  [
    "LOWBIT_NATIVE_128",
    "native-128",
    "-C target-cpu=native -C target-feature=+prefer-128-bit -C llvm-args=-slp-max-reg-size=128",
  ],
];
for (const [variable, folder, flags] of builds) {
  if (process.env[variable] !== undefined || !nativeTool("cargo")) continue;
  const target = join(root, "target", folder);
  const options = { env: { RUSTFLAGS: flags }, log: folder, timeout: 900 };
  await run(nativeTool("cargo"), ["build", "--release", "-p", "lowbit-native", "--target-dir", target], options);
  process.env[variable] = join(target, "release", exe("lowbit-native"));
}
console.log();
const command = [join(root, "packages", "cli", "bin", "lowbit.js"), "bench", ...process.argv.slice(2)];
// Ctrl-C reaches the command too, which then keeps what it has measured: this process only waits.
process.on("SIGINT", () => {});
const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
