// The versions that set-up installs. Everything that npm packages pin is in pnpm-workspace.yaml instead.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

/** The version of a crate that Cargo.lock settled on. The wasm-bindgen CLI must be exactly that of its crate. */
export function lockedCrate(name) {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`name = "${name}"\\nversion = "([^"]+)"`));
  if (!found) throw new Error(`Cargo.lock names no crate ${name}`);
  return found[1];
}

export const versions = {
  pnpm: JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1],
  wasmBindgen: lockedCrate("wasm-bindgen"),
  wasmPack: "0.15.1",
  /** The oldest native Rust that builds and lints the crates: Cargo.toml's rust-version. */
  rust: readFileSync(join(root, "Cargo.toml"), "utf8").match(/rust-version = "([^"]+)"/)[1],
  node24: "24.21.0",
  deno: "2.9.6",
  bun: "1.4.5",
};
