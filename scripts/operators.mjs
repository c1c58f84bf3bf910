// Writes docs/operators.md: every ONNX operator that is imported, the kernels it runs on and its node tests, run now; needs the archive of the ONNX project's node
// tests beside the checkout or where LOWBIT_DATA points, and a built WASM. Tests of operators that it has none of are in packages/convert/test/golden/node-tests.tar.gz.
//
//   node scripts/operators.mjs             fails where what does not pass is not what the table of the test says
//   node scripts/operators.mjs --update    writes that table anew, too; sentences that stand in it stay
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { disagreements, pageOf, tableOf } from "./operators/page.mjs";
import { root } from "./setup/paths.mjs";
import { loadSources } from "./sources.mjs";

const convert = join(root, "packages", "convert");
const table = join(convert, "test", "node-tests-not-passed.json");
const versions = join(root, "scripts", "operators", "onnx-versions.json");
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

const contents = `
export { OPERATORS } from "./src/onnx/operators/registry.ts";
export { OPSETS } from "./src/onnx/reader.ts";
export { MORE_TESTS, NODE_TESTS, operatorsOf, readNodeTests, runNodeTest } from "./test/support/node-tests.ts";
export { evaluatedOps } from "../core/src/ops/evaluate.ts";
export { movable } from "../core/src/ops/operator.ts";
export { inputRule, MOST_ELEMENTS, rulesOf } from "../core/src/graph/operators.ts";
`;

export async function writeOperators({ update = false, explain = false } = {}) {
  const sources = await loadSources("operators", contents, convert);
  const archive = join(process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data"), sources.NODE_TESTS);
  if (!existsSync(archive)) {
    console.log(`docs/operators.md stays as it is: no ${sources.NODE_TESTS}`);
    return;
  }
  const run = async (path) => {
    const results = [];
    for (const test of sources.readNodeTests(new Uint8Array(readFileSync(path)))) {
      const outcome = await sources.runNodeTest(test, "simd128");
      results.push({ name: test.name, operators: sources.operatorsOf(test), ...outcome });
    }
    return results;
  };
  const tests = await run(archive);
  const more = await run(join(root, sources.MORE_TESTS));
  const passed = tests.filter(({ reason }) => reason === undefined).length;
  if (explain) console.log(`${passed} of ${tests.length} node tests pass`);
  if (update) writeFileSync(table, `${JSON.stringify(tableOf(tests, readJson(table)), null, 2)}\n`);
  const known = readJson(table);
  const problems = [...disagreements(tests, known), ...disagreements(more, {})];
  if (problems.length > 0) throw new Error(`docs/operators.md cannot be written:\n${problems.join("\n")}`);
  writeFileSync(join(root, "docs", "operators.md"), pageOf(sources, { tests, more }, known, readJson(versions)));
}

await whenMain(import.meta.url, () => writeOperators({ update: process.argv.includes("--update"), explain: true }));
