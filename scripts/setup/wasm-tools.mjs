// wasm-bindgen and wasm-pack, from crates into .toolchain/bin.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bin, builds, exe, toolchain } from "./paths.mjs";
import { run } from "./run.mjs";
import { nativeTool } from "./rust.mjs";
import { versions } from "./versions.mjs";

/** They run for a second per build, so they are compiled for quick compiling, not for speed: a third of the time. */
const quick = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "0",
  RUSTFLAGS: "",
};

const toolStep = (crate, version, executable, flags) => ({
  name: executable,
  needs: ["rust"],
  version: () => `${crate} ${version}`,
  present: () => existsSync(join(bin, exe(executable))),
  async install() {
    const folder = join(builds, executable);
    const args = [
      "install",
      "--root",
      toolchain,
      "--version",
      version,
      "--target-dir",
      folder,
      "--force",
      ...flags,
      crate,
    ];
    await run(nativeTool("cargo"), args, { env: quick, log: executable, timeout: 1200 });
    rmSync(folder, { recursive: true, force: true });
  },
  advice: `cargo could not build ${crate} ${version}: its log is .toolchain/logs/${executable}.log; check that crates.io is in reach and that a C compiler is installed.`,
});

// Not --locked: the lock file that wasm-bindgen-cli was published with names a crate version that has been withdrawn.
export const bindgenStep = toolStep("wasm-bindgen-cli", versions.wasmBindgen, "wasm-bindgen", [
  "--bin",
  "wasm-bindgen",
]);
export const packStep = toolStep("wasm-pack", versions.wasmPack, "wasm-pack", ["--locked"]);
