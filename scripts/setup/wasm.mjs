// What compiles Rust to WASM, by the first route that this machine offers:
//   rustup  the native toolchain has, or rustup can add, the target wasm32-unknown-unknown
//   debian  Debian's rustc-web with std built once from its source, in a sysroot of our own under .toolchain/
// LOWBIT_WASM_ROUTE=rustup|debian chooses by hand.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { bin, builds, root, sysroot, toolchain } from "./paths.mjs";
import { ask, run, which } from "./run.mjs";
import { debianPackages, nativeTool } from "./rust.mjs";
import { SetupError } from "./steps.mjs";
import { canInstallSystemPackages, installSystemPackages } from "./system.mjs";

const target = "wasm32-unknown-unknown";
const advice = `Install Rust by rustup and run \`rustup target add ${target}\`, then run this again (on Debian, as root, set-up does without rustup).`;
const record = join(toolchain, "wasm.json");
const debian = { rustc: "/usr/bin/rustc", cargo: "/usr/bin/cargo", source: "/usr/lib/rustlib/src/rust/library" };

/** The route that set-up took: `{ route, rustc, linker? }`; undefined before the first set-up. */
function routeTaken() {
  try {
    return JSON.parse(readFileSync(record, "utf8"));
  } catch {
    return undefined;
  }
}

/** Environment for building WASM: our tools first in PATH, wasm-opt from npm's binaryen, Debian's linker where needed. */
export function wasmEnv() {
  const taken = routeTaken();
  if (!taken) throw new Error("the WASM toolchain is not set up: run `npm start`");
  const native = nativeTool("cargo");
  const path = [bin, join(root, "node_modules", ".bin"), native && join(native, ".."), process.env.PATH];
  return { PATH: path.filter(Boolean).join(delimiter) };
}

/** The compiler's version line, which is part of what a build of the WASM depends on. */
export const wasmCompiler = async () => ask(routeTaken()?.rustc ?? "rustc", ["--version"]);

async function hasTarget(rustc) {
  const folder = await ask(rustc, ["--print", "sysroot"]);
  return folder !== undefined && existsSync(join(folder, "lib", "rustlib", target, "lib"));
}

/** Route 1. Resolves with undefined where it is not open. */
async function byRustup() {
  const rustc = nativeTool("rustc");
  if (!rustc) return undefined;
  if (!(await hasTarget(rustc))) {
    const rustup = nativeTool("rustup");
    if (!rustup) return undefined;
    await run(rustup, ["target", "add", target], { log: "rustup-target", timeout: 180 }).catch(() => {});
    if (!(await hasTarget(rustc))) return undefined;
  }
  // The wrappers of the other route would hide the native compiler.
  for (const name of ["rustc", "cargo"]) rmSync(join(bin, name), { force: true });
  return { route: "rustup", rustc };
}

/** Route 2. Resolves with undefined where it is not open. */
async function byDebian() {
  const linker = () => which(["wasm-ld-22"]);
  if (!existsSync(debian.source) || !existsSync(debian.rustc) || !existsSync(debian.cargo) || !linker()) {
    if (!canInstallSystemPackages()) return undefined;
    await installSystemPackages(debianPackages, advice);
  }
  const libraries = await buildStd();
  const host = (await run(debian.rustc, ["-vV"])).match(/^host: (.*)$/m)[1];
  makeSysroot(libraries, host);
  const wrapper = (name, lines) =>
    writeFileSync(join(bin, name), ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 });
  mkdirSync(bin, { recursive: true });
  wrapper("rustc", [`exec ${debian.rustc} --sysroot="${sysroot}" "$@"`]);
  // Scripts of crates and wasm-pack call whatever `cargo` is first in PATH, so the linker is named here.
  wrapper("cargo", [`export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="${linker()}"`, `exec ${debian.cargo} "$@"`]);
  return { route: "debian", rustc: join(bin, "rustc") };
}

/** Builds std for WASM once, by way of an empty crate; resolves with the folder of its libraries. */
async function buildStd() {
  const folder = join(builds, "std");
  mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(
    join(folder, "Cargo.toml"),
    '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\ndebug = 0\n[workspace]\n',
  );
  writeFileSync(join(folder, "src", "lib.rs"), "#![no_std]\n");
  const env = {
    RUSTC: debian.rustc,
    // -Z build-std on a stable compiler.
    RUSTC_BOOTSTRAP: "1",
    // Machine code and bitcode side by side, so that std links with and without link-time optimisation.
    RUSTFLAGS: "-Cembed-bitcode=yes",
    CARGO_TARGET_DIR: join(folder, "target"),
  };
  const args = ["build", "--release", "--target", target, "-Z", "build-std=std,panic_abort"];
  await run(debian.cargo, args, { cwd: folder, env, log: "wasm-std", timeout: 900 });
  return join(folder, "target", target, "release", "deps");
}

/** A sysroot of our own: the host's libraries by a link, those of the WASM target copied in. */
function makeSysroot(libraries, host) {
  rmSync(sysroot, { recursive: true, force: true });
  const rustlib = join(sysroot, "lib", "rustlib");
  mkdirSync(join(rustlib, target, "lib"), { recursive: true });
  symlinkSync(`/usr/lib/rustlib/${host}`, join(rustlib, host));
  for (const file of readdirSync(libraries)) {
    if (/\.(rlib|rmeta)$/.test(file) && !file.startsWith("libempty-"))
      cpSync(join(libraries, file), join(rustlib, target, "lib", file));
  }
}

export const wasmStep = {
  name: "wasm target",
  needs: ["rust"],
  async version() {
    const taken = routeTaken();
    const line = taken && (await ask(taken.rustc, ["--version"]));
    return line ? `${line.split(" ").slice(0, 2).join(" ")} by ${taken.route}` : "none";
  },
  present() {
    const taken = routeTaken();
    const wanted = process.env.LOWBIT_WASM_ROUTE ?? taken?.route;
    return taken !== undefined && taken.route === wanted && existsSync(taken.rustc);
  },
  async install() {
    const routes = { rustup: [byRustup], debian: [byDebian] }[process.env.LOWBIT_WASM_ROUTE] ?? [byRustup, byDebian];
    for (const route of routes) {
      const taken = await route();
      if (taken) {
        mkdirSync(toolchain, { recursive: true });
        writeFileSync(record, JSON.stringify(taken));
        return this.version();
      }
    }
    throw new SetupError(advice, new Error(`no Rust compiler with std for ${target}`));
  },
  advice,
};
