// Rust: format, lints (native and as WASM), tests, and whether the crates can be packaged.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { run } from "../setup/run.mjs";
import { nativeTool } from "../setup/rust.mjs";
import { single, skipped } from "./check.mjs";

// Not .toolchain/bin: its cargo is the one for WASM.
const env = { PATH: [process.env.PATH, join(homedir(), ".cargo", "bin")].join(delimiter), CARGO_TERM_COLOR: "never" };
const cargo = (args, options) =>
  run(nativeTool("cargo"), args, { timeout: 900, ...options, env: { ...env, ...options?.env } });

/** Sums the `test result:` lines of every test binary. */
export function countCargo(output) {
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const sum = (group) => lines.reduce((total, line) => total + Number(line[group]), 0);
  const ignored = [...output.matchAll(/^test (.+) \.\.\. ignored(.*)$/gm)].map(([, name, why]) => `${name}${why}`);
  return { passed: sum(1), failed: sum(2), skipped: ignored };
}

const tests = {
  name: "cargo test",
  async run() {
    try {
      return countCargo(
        await cargo(["test", "--workspace", "--all-features", "--no-fail-fast"], { log: "cargo-test", timeout: 1800 }),
      );
    } catch (error) {
      const counts = countCargo(error.output ?? "");
      return {
        ...counts,
        failed: Math.max(1, counts.failed),
        output: `${error.message}\n${(error.output ?? "").split("\n").slice(-80).join("\n")}`,
      };
    }
  },
};

const needsRustup = "comes with rustup, which is not here";
const has = (tool) => nativeTool(tool) !== undefined;

/** The tiers' code for WASM is compiled only for that target, so the lints must see it there too. */
async function wasmLints() {
  const sysroot = (await run(nativeTool("rustc"), ["--print", "sysroot"])).trim();
  const target = "wasm32-unknown-unknown";
  if (!existsSync(join(sysroot, "lib", "rustlib", target, "lib"))) {
    return skipped("cargo clippy (wasm32, every tier)", `rustup has no ${target}`);
  }
  return single("cargo clippy (wasm32, every tier)", async () => {
    for (const features of ["-simd128", "+simd128", "+simd128,+relaxed-simd"]) {
      const flags = { RUSTFLAGS: `-C target-feature=${features}` };
      await cargo(["clippy", "--workspace", "--target", target, "--", "-D", "warnings"], {
        env: flags,
        log: "clippy-wasm",
      });
    }
  });
}

export async function rustChecks() {
  return [
    has("cargo-fmt")
      ? single("cargo fmt --check", () => cargo(["fmt", "--all", "--check"]))
      : skipped("cargo fmt --check", needsRustup),
    has("cargo-clippy")
      ? single("cargo clippy (native)", () =>
          cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"], {
            log: "clippy",
          }),
        )
      : skipped("cargo clippy (native)", needsRustup),
    has("cargo-clippy") ? await wasmLints() : skipped("cargo clippy (wasm32, every tier)", needsRustup),
    tests,
    single("cargo doc", () =>
      cargo(["doc", "--workspace", "--no-deps", "--all-features"], {
        env: { RUSTDOCFLAGS: "-D warnings" },
        log: "cargo-doc",
      }),
    ),
    // Both crates at once, so that the border's package is verified against the kernels' package, not a published one.
    single("cargo package (both crates)", async () => {
      const changed =
        (await run("git", ["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"])).trim() !== "";
      const flags = changed ? ["--allow-dirty"] : [];
      await cargo(["package", "--workspace", ...flags], { log: "cargo-package" });
    }),
  ];
}
