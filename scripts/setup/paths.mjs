// Where things live: the checkout, and `.toolchain/`, the only folder that set-up writes to (git-ignored).
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const toolchain = join(root, ".toolchain");
export const bin = join(toolchain, "bin");
export const logs = join(toolchain, "logs");
export const stamps = join(toolchain, "stamps");
export const builds = join(toolchain, "build");
export const sysroot = join(toolchain, "sysroot");
export const runtimes = join(toolchain, "runtimes");

/** `name` as the executable is called on this system. */
export const exe = (name) => (process.platform === "win32" ? `${name}.exe` : name);
