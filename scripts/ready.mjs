// `pnpm ready`: what a change must pass before it is offered: formats, generated files, every test, a clean tree.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { generate } from "./generate.mjs";
import { whenMain } from "./main-module.mjs";
import { pnpmEnv } from "./setup/node.mjs";
import { root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";
import { nativeTool } from "./setup/rust.mjs";

await whenMain(import.meta.url, async () => {
  await run("biome", ["check", "--write", "."], { env: pnpmEnv() });
  await run(nativeTool("cargo"), ["fmt", "--all"]);
  await generate();
  const { status } = spawnSync(process.execPath, [join(root, "scripts", "test.mjs")], { cwd: root, stdio: "inherit" });
  const changes = execFileSync("git", ["status", "--short"], { cwd: root, encoding: "utf8" }).trim();
  if (changes) console.log(`\nNot committed yet:\n${changes}`);
  process.exit(status ?? 1);
});
