// node build.mjs [tier …]: the module once per tier, as wasm/acme.<tier>.wasm. Wants cargo with the target wasm32-unknown-unknown, and wasm-pack.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const features = { scalar: "-simd128", simd128: "+simd128", relaxed: "+simd128,+relaxed-simd" };
const here = import.meta.dirname;
// Shared with cargo's own runs, but for the flags: a folder per tier.
const target = process.env.CARGO_TARGET_DIR ?? join(here, "target");
const wanted = process.argv.slice(2);

mkdirSync(join(here, "wasm"), { recursive: true });
for (const tier of wanted.length > 0 ? wanted : Object.keys(features)) {
  const pkg = join(target, "wasm", tier, "pkg");
  execFileSync(
    "wasm-pack",
    ["build", here, "--target", "web", "--release", "--no-pack", "--out-dir", pkg, "--out-name", "acme"],
    {
      // LLVM's superword vectoriser spoils lowbit's popcount loops.
      env: {
        ...process.env,
        CARGO_TARGET_DIR: join(target, "wasm", tier),
        RUSTFLAGS: `-C target-feature=${features[tier]} -C no-vectorize-slp`,
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  copyFileSync(join(pkg, "acme_bg.wasm"), join(here, "wasm", `acme.${tier}.wasm`));
  console.log(`wasm/acme.${tier}.wasm`);
}
