// Rust: format, lints (native and as WASM), tests, and whether the crates can be packaged.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "../setup/paths.mjs";
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

/** The tiers' code for WASM is compiled only for that target, so the lints must see it there too. Of the parts the build itself refuses what is unused. */
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

/**
 * Packs both crates and builds them from what was packed, the border against the packed kernels. By hand and not by cargo's own
 * verification: that keeps unpacked crates by version, and would build against last time's kernels while the version stays.
 */
async function packageCrates() {
  const changed =
    (await run("git", ["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"])).trim() !== "";
  const target = join(root, "target", "package-check");
  rmSync(join(target, "package"), { recursive: true, force: true });
  const flags = changed ? ["--allow-dirty"] : [];
  await cargo(
    ["package", "--workspace", "--exclude", "lowbit-native", "--no-verify", "--target-dir", target, ...flags],
    { log: "cargo-package" },
  );
  // Files in a package have one date, by which cargo would take last time's build for this one's.
  rmSync(join(target, "build"), { recursive: true, force: true });
  const folder = join(target, "unpacked");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = readdirSync(join(target, "package")).filter((file) => file.endsWith(".crate"));
  for (const file of packed) await run("tar", ["-xzf", join(target, "package", file), "-C", folder]);
  const members = packed.map((file) => file.replace(/\.crate$/, ""));
  const kernels = members.find((name) => name.startsWith("lowbit-kernels-"));
  const patch = `patch.crates-io.lowbit-kernels.path = ${JSON.stringify(kernels)}`;
  const workspace = `[workspace]\nresolver = "3"\nmembers = ${JSON.stringify(members)}`;
  writeFileSync(join(folder, "Cargo.toml"), `${patch}\n${workspace}\n`);
  await cargo(["build", "--workspace", "--target-dir", join(target, "build")], {
    cwd: folder,
    log: "cargo-package-build",
  });
}

/**
 * Seeded bytes through every family and tier of crates/fuzz: under AddressSanitizer where the toolchain brings its runtime. The variable lets the pinned stable
 * compiler take the flag; nothing that is shipped is built so.
 */
async function seededFuzzing() {
  const host = (await run(nativeTool("rustc"), ["-vV"])).match(/^host: (.+)$/m)[1];
  const sysroot = (await run(nativeTool("rustc"), ["--print", "sysroot"])).trim();
  const libraries = join(sysroot, "lib", "rustlib", host, "lib");
  const sanitizes = existsSync(libraries) && readdirSync(libraries).some((name) => /rt\.asan/.test(name));
  const flags = sanitizes ? { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Zsanitizer=address" } : {};
  const target = join(root, "target", sanitizes ? "fuzz-asan" : "fuzz");
  return {
    name: `seeded fuzzing, native${sanitizes ? ", AddressSanitizer" : ""}`,
    run: async () =>
      countCargo(
        await cargo(["test", "--lib", "--target", host, "--target-dir", target], {
          cwd: join(root, "crates", "fuzz"),
          env: flags,
          log: "cargo-fuzz",
          timeout: 1800,
        }),
      ),
  };
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
    has("cargo") ? await seededFuzzing() : skipped("seeded fuzzing, native", needsRustup),
    single("cargo doc", () =>
      cargo(["doc", "--workspace", "--no-deps", "--all-features"], {
        env: { RUSTDOCFLAGS: "-D warnings" },
        log: "cargo-doc",
      }),
    ),
    single("cargo package (both crates)", packageCrates),
  ];
}
