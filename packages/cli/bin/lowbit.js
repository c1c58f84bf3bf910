#!/usr/bin/env node
import { existsSync } from "node:fs";

const built = new URL("../dist/index.js", import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  // Only in a checkout: the package always holds its build.
  process.stderr.write("lowbit: not built yet; run npm start once\n");
  process.exitCode = 2;
}
