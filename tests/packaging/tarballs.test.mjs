import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { pnpmEnv } from "../../scripts/setup/node.mjs";
import { run } from "../../scripts/setup/run.mjs";
import { moduleName, parts } from "../../scripts/wasm-parts.mjs";

const { folder, tarballs } = inject("packaging");
const unpacked = mkdtempSync(join(folder, "unpacked-"));
afterAll(() => rmSync(unpacked, { recursive: true, force: true }));

/** Every path that an exports map leads to. */
const targets = (exports) => (typeof exports === "string" ? [exports] : Object.values(exports).flatMap(targets));

describe.each(Object.entries(tarballs))("%s", (name, tarball) => {
  const place = join(unpacked, name.replace("/", "-"));
  const load = async () => {
    if (!existsSync(place)) {
      await run("mkdir", ["-p", place]);
      await run("tar", ["-xzf", tarball, "-C", place]);
    }
    return JSON.parse(readFileSync(join(place, "package", "package.json"), "utf8"));
  };

  test("names no workspace, catalog or source path", async () => {
    const text = JSON.stringify(await load());
    expect(text).not.toMatch(/workspace:|catalog:|@lowbit\/source|\.\/src\//);
  });

  test("holds every file that its exports and bin lead to, its README and both licenses", async () => {
    const manifest = await load();
    const paths = [
      ...targets(manifest.exports),
      ...Object.values(manifest.bin ?? {}),
      "README.md",
      "LICENSE-MIT",
      "LICENSE-APACHE",
    ];
    const missing = paths.filter((path) => !path.includes("*") && !existsSync(join(place, "package", path)));
    expect(missing).toEqual([]);
  });

  test("passes publint, strictly", async () => {
    await run("publint", ["--strict", tarball], { env: pnpmEnv() });
  });

  test("has types that resolve (attw, ESM only)", async () => {
    const flags = ["--profile", "esm-only", "--format", "ascii", "--no-emoji"];
    // Modules of bytes have no types.
    const only = name === "lowbit" ? ["--exclude-entrypoints", "./wasm/*"] : [];
    await run("attw", [tarball, ...flags, ...only], { env: pnpmEnv() });
  });
});

test("the tarball of lowbit holds the WASM of every tier", async () => {
  const listed = (await run("tar", ["-tzf", tarballs.lowbit])).split("\n");
  for (const tier of ["scalar", "simd128", "relaxed"])
    for (const part of Object.keys(parts)) expect(listed).toContain(`package/wasm/${moduleName(part)}.${tier}.wasm`);
  // The worker of threads is a file that no entry imports.
  expect(listed).toContain("package/dist/thread-worker.js");
});
