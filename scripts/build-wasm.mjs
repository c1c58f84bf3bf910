// Builds crates/wasm three times, once per tier, into packages/core/wasm/lowbit.<tier>.wasm, without the rarer kernels
// lowbit-core.<tier>.wasm, for several threads lowbit-threads.<tier>.wasm, and for indexes of vectors lowbit-search.<tier>.wasm, and writes the types of its exports. A tier whose sources, compiler and tools are the same as last time is left alone.
//
//   node scripts/build-wasm.mjs [--force] [--tier simd128]
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";
import { ask, run } from "./setup/run.mjs";
import { lockedCrate, versions } from "./setup/versions.mjs";
import { wasmCompiler, wasmEnv } from "./setup/wasm.mjs";
import { writeExportTypes } from "./wasm-exports.mjs";
import { cutCore, cutSearch } from "./wasm-parts.mjs";
import { strictFloats } from "./wasm-strict.mjs";
import { cutThreads, shareMemory } from "./wasm-threads.mjs";
import { trapOnPanic } from "./wasm-traps.mjs";

/** What every tier may use: engines have had these since 2021 (Node 16, Safari 15), and rustc's own std uses them. */
const base = [
  "bulk-memory",
  "sign-ext",
  "nontrapping-float-to-int",
  "mutable-globals",
  "multivalue",
  "reference-types",
];

/** A tier is a build of its own, for an engine validates a module as a whole. */
export const tiers = {
  scalar: { rust: "-simd128", opt: [] },
  simd128: { rust: "+simd128", opt: ["simd"] },
  relaxed: { rust: "+simd128,+relaxed-simd", opt: ["simd", "relaxed-simd"] },
};

/**
 * LLVM's superword vectoriser turns the four popcounts of a loop into lane shuffles (measured: 95 against 175 multiply-adds per ns). Its loop vectoriser
 * stays: it does well on the plain loops of pooling and element-wise operators.
 */
const codegen = [
  "-C no-vectorize-slp",
  // Size, at the same measured speed: inner loops say themselves what is inlined, and keep their own accumulators apart.
  "-C llvm-args=-inline-threshold=25",
  "-C llvm-args=-unroll-runtime=false",
  "-C llvm-args=-force-vector-interleave=1",
].join(" ");

const out = join(root, "packages", "core", "wasm");
const work = join(root, "target", "wasm");

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(rs|toml)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** A digest of all that decides a tier's bytes. */
async function digest() {
  const hash = createHash("sha256");
  const sources = ["crates/kernels/src", "crates/wasm/src"].flatMap(filesBelow);
  const manifests = [
    "Cargo.toml",
    "Cargo.lock",
    "crates/kernels/Cargo.toml",
    "crates/wasm/Cargo.toml",
    "scripts/build-wasm.mjs",
    "scripts/wasm-parts.mjs",
    "scripts/wasm-strict.mjs",
    "scripts/wasm-threads.mjs",
    "scripts/wasm-traps.mjs",
  ];
  for (const file of [...sources, ...manifests.map((name) => join(root, name))])
    hash.update(file.slice(root.length)).update(readFileSync(file));
  const binaryen = JSON.parse(readFileSync(join(root, "node_modules", "binaryen", "package.json"), "utf8")).version;
  return hash.update(`${await wasmCompiler()} ${versions.wasmBindgen} ${versions.wasmPack} ${binaryen}`).digest("hex");
}

/** wasm-bindgen's crate and command speak a private protocol: they must be of one version. */
async function checkBindgen(env) {
  const cli = (await ask("wasm-bindgen", ["--version"], { env }))?.split(" ")[1];
  const crate = lockedCrate("wasm-bindgen");
  if (cli !== crate)
    throw new Error(
      `wasm-bindgen: the crate is ${crate} and the command is ${cli ?? "missing"}; \`npm start\` installs the one that fits`,
    );
}

async function buildTier(tier, env) {
  const { rust, opt } = tiers[tier];
  const folder = join(work, tier);
  const pkg = join(folder, "pkg");
  const flags = [
    "--mode",
    "no-install",
    "--target",
    "web",
    "--release",
    "--no-opt",
    "--no-pack",
    "--out-dir",
    pkg,
    "--out-name",
    "lowbit",
  ];
  await run("wasm-pack", ["build", join(root, "crates", "wasm"), ...flags], {
    env: { ...env, CARGO_TARGET_DIR: folder, RUSTFLAGS: `-C target-feature=${rust} ${codegen}` },
    log: `wasm-${tier}`,
    timeout: 900,
  });
  const everything = join(pkg, "lowbit_bg.wasm");
  if (opt.includes("relaxed-simd")) strictFloats(everything);
  const parts = ["networks", "search", "all", "core", "threads"];
  const [networks, search, all, core, threads] = parts.map((part) => join(pkg, `lowbit_${part}.wasm`));
  cutSearch(everything, networks, search);
  cutThreads(networks, all);
  for (const part of [search, all, networks]) trapOnPanic(part);
  cutCore(all, core);
  shareMemory(networks, threads);
  await optimise(search, join(out, `lowbit-search.${tier}.wasm`), opt, env, `wasm-opt-search-${tier}`);
  await optimise(all, join(out, `lowbit.${tier}.wasm`), opt, env, `wasm-opt-${tier}`);
  await optimise(core, join(out, `lowbit-core.${tier}.wasm`), opt, env, `wasm-opt-core-${tier}`);
  await optimise(
    threads,
    join(out, `lowbit-threads.${tier}.wasm`),
    [...opt, "threads"],
    env,
    `wasm-opt-threads-${tier}`,
  );
}

async function optimise(input, result, opt, env, log) {
  const optimised = `${result}.${process.pid}.part`;
  const features = [...base, ...opt].map((feature) => `--enable-${feature}`);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  // No program of ours touches the lowest kilobyte (the far end of the stack), so no sum of a pointer and a small constant wraps, and the constants go
  // into the loads: an instruction less per load in unrolled loops.
  await run(
    "wasm-opt",
    ["-O3", "--low-memory-unused", "--mvp-features", ...features, ...strip, input, "-o", optimised],
    {
      env,
      log,
      timeout: 300,
    },
  );
  // In one step, so that a program that loads the module meanwhile sees the old one or the new one.
  renameSync(optimised, result);
}

/** The whole module of a tier, its core, that for threads, and that for search. */
const modulesOf = (tier) =>
  ["lowbit", "lowbit-core", "lowbit-threads", "lowbit-search"].map((name) => join(out, `${name}.${tier}.wasm`));

/** Writes the types of the exports from the last build of every tier. */
export function writeTypesOfBuild() {
  writeExportTypes(
    Object.keys(tiers).map((tier) => readFileSync(join(work, tier, "pkg", "lowbit_bg.wasm.d.ts"), "utf8")),
  );
}

/** Builds what is out of date among `wanted`; resolves once packages/core/wasm holds all of them. */
export async function buildWasm({ force = false, quiet = false, wanted = Object.keys(tiers) } = {}) {
  const since = Date.now();
  const say = quiet ? () => {} : console.log;
  const current = await digest();
  const stampOf = (tier) => join(work, `${tier}.sha256`);
  const isFresh = (tier) => {
    const files = [...modulesOf(tier), stampOf(tier), join(work, tier, "pkg", "lowbit_bg.wasm.d.ts")];
    return files.every((file) => existsSync(file)) && readFileSync(stampOf(tier), "utf8") === current;
  };
  const stale = wanted.filter((tier) => force || !isFresh(tier));
  if (stale.length === 0) return say(`  · wasm ${wanted.join(", ")} (up to date)`);
  const env = wasmEnv();
  await checkBindgen(env);
  mkdirSync(out, { recursive: true });
  mkdirSync(work, { recursive: true });
  await Promise.all(
    stale.map(async (tier) => {
      await buildTier(tier, env);
      writeFileSync(stampOf(tier), current);
      const [all, core, threads, search] = modulesOf(tier).map(
        (file) => gzipSync(readFileSync(file), { level: 9 }).length,
      );
      say(`  ✓ wasm ${tier.padEnd(8)} ${all} bytes gzipped, core ${core}, threads ${threads}, search ${search}`);
    }),
  );
  if (wanted.length === Object.keys(tiers).length) writeTypesOfBuild();
  say(`  wasm built in ${((Date.now() - since) / 1000).toFixed(1)} s`);
}

await whenMain(import.meta.url, () => {
  const at = process.argv.indexOf("--tier");
  return buildWasm({ force: process.argv.includes("--force"), ...(at > 0 ? { wanted: [process.argv[at + 1]] } : {}) });
});
