// A release, rehearsed in a clone: changesets sets one version everywhere, and every package can be published.
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { pnpmEnv } from "../../scripts/setup/node.mjs";
import { root } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/run.mjs";

const { folder } = inject("packaging");
const clone = join(folder, "clone");
const packages = readdirSync(join(root, "packages"));
const read = (...path) => readFileSync(join(clone, ...path), "utf8");

beforeAll(async () => {
  await run("git", ["clone", "-q", "--no-hardlinks", root, clone]);
  const shared = [".toolchain", "node_modules", ...packages.map((name) => join("packages", name, "node_modules"))];
  for (const path of shared) if (existsSync(join(root, path))) symlinkSync(join(root, path), join(clone, path));
  for (const name of packages)
    cpSync(join(root, "packages", name, "dist"), join(clone, "packages", name, "dist"), { recursive: true });
  cpSync(join(root, "packages", "core", "wasm"), join(clone, "packages", "core", "wasm"), { recursive: true });
  writeFileSync(join(clone, ".changeset", "rehearsal.md"), '---\n"lowbit": minor\n---\n\nA rehearsal.\n');
});

test("changeset version gives all packages and crates one new version", async () => {
  const before = JSON.parse(read("packages", "core", "package.json")).version;
  await run(process.execPath, ["scripts/release-version.mjs"], { cwd: clone, env: pnpmEnv() });
  const versions = packages.map((name) => JSON.parse(read("packages", name, "package.json")).version);
  expect(new Set(versions).size).toBe(1);
  expect(versions[0]).not.toBe(before);
  expect(read("Cargo.toml")).toContain(`version = "=${versions[0]}"`);
  expect(read("packages", "core", "CHANGELOG.md")).toContain("A rehearsal.");
});

test("pnpm publish --dry-run passes for every package", async () => {
  const pnpm = join(root, ".toolchain", "bin", "pnpm");
  const output = await run(pnpm, ["-r", "publish", "--dry-run", "--no-git-checks", "--access", "public"], {
    cwd: clone,
    env: pnpmEnv(),
  });
  expect(output).not.toContain("workspace:");
});
