// The native Rust: what `cargo test`, clippy and rustfmt run on, and what builds the two command-line tools.
import { homedir } from "node:os";
import { join } from "node:path";
import { ask, run, which } from "./run.mjs";
import { SetupError } from "./steps.mjs";
import { canInstallSystemPackages, installSystemPackages } from "./system.mjs";
import { versions } from "./versions.mjs";

const advice = `Install Rust ${versions.rust} or newer by rustup (https://rustup.rs), then run this again.`;
const folders = [join(homedir(), ".cargo", "bin")];

/** Debian's Rust for building web software: compiler with std's source, cargo, and a linker for WASM. */
export const debianPackages = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/** Paths of the native tools; undefined where they are missing. */
export const nativeTool = (name) => which([name], folders);

const numbers = (version) => version.split(".").map(Number);
const isAtLeast = (found, wanted) => {
  const [a, b] = [numbers(found), numbers(wanted)];
  return a[0] !== b[0] ? a[0] > b[0] : a[1] >= (b[1] ?? 0);
};

/** The version of the native rustc, e.g. "1.95.0"; undefined where there is none, or only an older one than we need. */
export async function nativeVersion() {
  const rustc = nativeTool("rustc");
  const line = rustc && nativeTool("cargo") ? await ask(rustc, ["--version"]) : undefined;
  const found = line?.match(/^rustc (\d+\.\d+\.\d+)/)?.[1];
  return found && isAtLeast(found, versions.rust) ? found : undefined;
}

export const rustStep = {
  name: "rust",
  version: async () => `rustc ${await nativeVersion()}`,
  present: () => nativeTool("cargo") !== undefined,
  async install() {
    if (await nativeVersion()) return;
    if (!canInstallSystemPackages())
      throw new SetupError(advice, new Error(`no Rust of ${versions.rust} or newer in PATH`));
    await installSystemPackages(debianPackages, advice);
    if (!(await nativeVersion())) throw new SetupError(advice, new Error("the rustc in PATH is older than we need"));
  },
  advice,
};

/** clippy and rustfmt, for `npm test`; without rustup they may be missing, and their checks are then skipped by name. */
export const lintersStep = {
  name: "clippy, rustfmt",
  needs: ["rust"],
  version: async () => `for rustc ${await nativeVersion()}`,
  present: () => nativeTool("cargo-clippy") !== undefined && nativeTool("cargo-fmt") !== undefined,
  async install() {
    if (this.present()) return;
    const rustup = nativeTool("rustup");
    if (!rustup) throw new Error("they come with rustup");
    await run(rustup, ["component", "add", "clippy", "rustfmt"], { log: "linters", timeout: 180 });
  },
  advice: "",
  optional: true,
};
