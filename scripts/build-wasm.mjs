// Builds crates/wasm once per tier and links it once per part (scripts/wasm-parts.mjs), into packages/core/wasm/lowbit[-<part>].<tier>.wasm, and writes the types of
// its exports. A tier whose sources, compiler and tools are the same as last time is left alone.
//
//   node scripts/build-wasm.mjs [--force] [--tier simd128] [--part quantize]
//
// One part alone is for trying something out: the tier still counts as out of date.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";
import { ask, run } from "./setup/run.mjs";
import { lockedCrate, versions } from "./setup/versions.mjs";
import { wasmCompiler, wasmEnv } from "./setup/wasm.mjs";
import { addExportTypes, writeExportTypes } from "./wasm-exports.mjs";
import { foldOffsets } from "./wasm-offsets.mjs";
import { moduleName, parts } from "./wasm-parts.mjs";
import { strictFloats } from "./wasm-strict.mjs";
import { shareMemory } from "./wasm-threads.mjs";
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
  // What a part leaves out must not leave something unused behind.
  "-D unused",
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
    "scripts/wasm-offsets.mjs",
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

async function buildTier(tier, env, wanted) {
  // One after another: they share the compiled crates, and their output has one name.
  for (const part of wanted) await buildPart(tier, part, env);
}

const packageOf = (tier, part) => join(work, tier, "pkg", part);

async function buildPart(tier, part, env) {
  const { rust, opt } = tiers[tier];
  const pkg = packageOf(tier, part);
  const flags = ["--mode", "no-install", "--target", "web", "--release", "--no-opt", "--no-pack"];
  const features = ["--no-default-features", "--features", parts[part].join(",")];
  await run(
    "wasm-pack",
    ["build", join(root, "crates", "wasm"), ...flags, "--out-dir", pkg, "--out-name", "lowbit", ...features],
    {
      env: { ...env, CARGO_TARGET_DIR: join(work, tier), RUSTFLAGS: `-C target-feature=${rust} ${codegen}` },
      log: `wasm-${tier}-${part}`,
      timeout: 900,
    },
  );
  const module = join(pkg, "lowbit_bg.wasm");
  if (opt.includes("relaxed-simd")) strictFloats(module);
  trapOnPanic(module);
  if (opt.includes("simd")) foldOffsets(module);
  if (part === "threads") shareMemory(module);
  const instructions = part === "threads" ? [...opt, "threads"] : opt;
  await optimise(module, fileOf(tier, part), instructions, env, `wasm-opt-${tier}-${part}`);
}

async function optimise(input, result, opt, env, log) {
  const optimised = `${result}.${process.pid}.part`;
  const features = [...base, ...opt].map((feature) => `--enable-${feature}`);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  // No program of ours touches the lowest kilobyte (the far end of the stack), so no sum of a pointer and a small constant wraps, and the constants go
  // into the loads: an instruction less per load in unrolled loops. Passes run until nothing gets smaller: a quarter of a kilobyte of each module.
  await run(
    "wasm-opt",
    ["-O3", "--converge", "--low-memory-unused", "--mvp-features", ...features, ...strip, input, "-o", optimised],
    {
      env,
      log,
      timeout: 300,
    },
  );
  // In one step, so that a program that loads the module meanwhile sees the old one or the new one.
  renameSync(optimised, result);
}

const fileOf = (tier, part) => join(out, `${moduleName(part)}.${tier}.wasm`);

/** Where wasm-bindgen lists the exports: no part has all, these have them together. */
const typesOf = (tier) =>
  ["ops", "threads", "search", "quantize"].map((part) => join(packageOf(tier, part), "lowbit_bg.wasm.d.ts"));

/** Writes the types of the exports from the last build of every tier. */
export function writeTypesOfBuild() {
  writeExportTypes(
    Object.keys(tiers).map((tier) =>
      typesOf(tier)
        .map((file) => readFileSync(file, "utf8"))
        .join(""),
    ),
  );
}

/** Builds what is out of date among `wanted`; resolves once packages/core/wasm holds all of them. */
export async function buildWasm({ force = false, quiet = false, wanted = Object.keys(tiers), part } = {}) {
  const since = Date.now();
  const say = quiet ? () => {} : console.log;
  const current = await digest();
  const stampOf = (tier) => join(work, `${tier}.sha256`);
  const isFresh = (tier) => {
    const files = [...Object.keys(parts).map((part) => fileOf(tier, part)), stampOf(tier), ...typesOf(tier)];
    return files.every((file) => existsSync(file)) && readFileSync(stampOf(tier), "utf8") === current;
  };
  const stale = wanted.filter((tier) => force || part || !isFresh(tier));
  const wantedParts = part ? [part] : Object.keys(parts);
  if (stale.length === 0) return say(`  · wasm ${wanted.join(", ")} (up to date)`);
  const env = wasmEnv();
  await checkBindgen(env);
  mkdirSync(out, { recursive: true });
  mkdirSync(work, { recursive: true });
  await Promise.all(
    stale.map(async (tier) => {
      await buildTier(tier, env, wantedParts);
      if (!part) writeFileSync(stampOf(tier), current);
      else addExportTypes(readFileSync(join(packageOf(tier, part), "lowbit_bg.wasm.d.ts"), "utf8"));
      const size = (part) => gzipSync(readFileSync(fileOf(tier, part)), { level: 9 }).length;
      const sizes = wantedParts.map((part) => `${part} ${size(part)}`);
      say(`  ✓ wasm ${tier.padEnd(8)} bytes gzipped: ${sizes.join(", ")}`);
    }),
  );
  if (!part && wanted.length === Object.keys(tiers).length) writeTypesOfBuild();
  say(`  wasm built in ${((Date.now() - since) / 1000).toFixed(1)} s`);
}

await whenMain(import.meta.url, () => {
  const { values } = parseArgs({
    options: { force: { type: "boolean" }, tier: { type: "string" }, part: { type: "string" } },
  });
  const { force, tier, part } = values;
  if (part && !parts[part]) throw new Error(`--part: one of ${Object.keys(parts).join(", ")}, not ${part}`);
  return buildWasm({ force, ...(tier && { wanted: [tier] }), part });
});
