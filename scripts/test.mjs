// `npm test`: sets up whatever is missing, builds, and runs every test and check. Its last line is `N passed, N failed`.
//
//   npm test                      everything
//   npm test -- --only vitest     the checks whose name holds this word
import { buildPackages } from "./build-packages.mjs";
import { buildWasm } from "./build-wasm.mjs";
import { performLanes, summarize } from "./checks/check.mjs";
import { javascriptChecks } from "./checks/javascript.mjs";
import { rustChecks } from "./checks/rust.mjs";
import { generatedFiles } from "./generate.mjs";
import { setup } from "./setup/index.mjs";
import { tail } from "./setup/run.mjs";

const since = Date.now();
const generated = generatedFiles();
await setup({ tests: true });
console.log("Build");
try {
  await buildWasm();
  await buildPackages();
} catch (error) {
  console.error(error.output ? `${error.message}\n${tail(error.output, 60)}` : error.message);
  console.log("\n0 passed, 1 failed");
  process.exit(1);
}

console.log("\nTests and checks");
const at = process.argv.indexOf("--only");
const wanted = at > 0 ? process.argv[at + 1] : "";
const lanes = [await rustChecks(), javascriptChecks(generated)].map((lane) =>
  lane.filter(({ name }) => name.includes(wanted)),
);
const well = summarize(await performLanes(lanes));
console.log(`in ${((Date.now() - since) / 60_000).toFixed(1)} min`);
process.exit(well ? 0 : 1);
