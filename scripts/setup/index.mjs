// Everything that is missing, installed; nothing that is there, touched.
import { whenMain } from "../main-module.mjs";
import { chromiumStep } from "./chromium.mjs";
import { packagesStep, pnpmStep, runtimeStep } from "./node.mjs";
import { lintersStep, rustStep } from "./rust.mjs";
import { performAll } from "./steps.mjs";
import { versions } from "./versions.mjs";
import { wasmStep } from "./wasm.mjs";
import { bindgenStep, packStep } from "./wasm-tools.mjs";

const forStart = [pnpmStep, packagesStep, rustStep, wasmStep, bindgenStep, packStep];
const forTest = [
  chromiumStep,
  lintersStep,
  runtimeStep("node24", `node@${versions.node24}`, "node_modules/.bin/node"),
  runtimeStep("deno", `deno@${versions.deno}`, "node_modules/.bin/deno"),
  runtimeStep("bun", `bun@${versions.bun}`, "node_modules/.bin/bun"),
];

/** @param {{ tests: boolean }} options with `tests`, also what only the tests need: a browser, more runtimes, linters */
export async function setup({ tests }) {
  console.log("Set-up (in .toolchain/; the first time takes some minutes)");
  if (!(await performAll(tests ? [...forStart, ...forTest] : forStart))) process.exit(1);
}

await whenMain(import.meta.url, () => setup({ tests: process.argv.includes("--tests") }));
