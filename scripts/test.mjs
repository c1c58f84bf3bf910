// `npm test`: sets up whatever is missing, builds, and runs every test and check. Its last line is `N passed, N failed`.
//
//   npm test                      everything
//   npm test -- --only vitest     the checks whose name holds this word
import { performLanes, summarize } from "./checks/check.mjs";
import { generatedFiles } from "./generated-files.mjs";
import { prepare } from "./prepare.mjs";

const since = Date.now();
const generated = generatedFiles();
if (!(await prepare({ tests: true }))) {
  console.log("\n0 passed, 1 failed");
  process.exit(1);
}

console.log("\nTests and checks");
// They import packages, which are there only now.
const { rustChecks } = await import("./checks/rust.mjs");
const { javascriptChecks } = await import("./checks/javascript.mjs");
const at = process.argv.indexOf("--only");
const wanted = at > 0 ? process.argv[at + 1] : "";
const lanes = [await rustChecks(), javascriptChecks(generated)];
const results = await performLanes(lanes.map((lane) => lane.filter(({ name }) => name.includes(wanted))));
console.log(`\nin ${((Date.now() - since) / 60_000).toFixed(1)} min`);
process.exit(summarize(results) ? 0 : 1);
