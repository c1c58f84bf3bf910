/**
 * The ONNX project's own node tests, each by its name: importer, plan and kernels, compared as ONNX's own runner compares. Of the larger archive, those that do not pass stand in
 * `node-tests-not-passed.json`, each with its reason, and are wrong there as soon as they pass: `node scripts/operators.mjs --update` writes it anew.
 */
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import notPassed from "./node-tests-not-passed.json" with { type: "json" };
import { hasData, readData, readFile } from "./support/data.ts";
import {
  asTensor,
  difference,
  feedOf,
  MORE_TESTS,
  NODE_TESTS,
  type NodeTest,
  readNodeTests,
  runNodeTest,
} from "./support/node-tests.ts";

const reasons: Readonly<Record<string, string>> = notPassed;
const tests = hasData(NODE_TESTS) ? readNodeTests(readData(NODE_TESTS)) : [];

/** Runs a test, holds its kernels and its reference to it; the reason where it does not pass. */
async function check(one: NodeTest): Promise<string | undefined> {
  const { reason, ran, graph } = await runNodeTest(one, "simd128");
  if (reason !== undefined) return reason;
  for (const { kernel } of ran) expect(kernel).toMatch(/^[a-z0-9_]+$/);
  // The oracle of every other test agrees with ONNX, too.
  const results = runReference(graph!, feedOf(one, graph!));
  for (const [i, output] of graph!.outputs.entries())
    expect(difference(asTensor(one.outputs[i]!), results[output]!)).toBeUndefined();
  return undefined;
}

describe.skipIf(tests.length === 0)("ONNX node tests on simd128 (needs shared/data)", () => {
  test("are those that the table of what does not pass speaks of", () => {
    expect(tests).toHaveLength(509);
    expect(Object.keys(reasons).filter((name) => !tests.some((known) => known.name === name))).toEqual([]);
  });

  test.each(tests.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const reason = await check(one);
    expect(reason === undefined, reason ?? `passes: take "${name}" out of the table`).toBe(!(name in reasons));
  });
});

test.each(readNodeTests(readFile(MORE_TESTS)).map((one) => [one.name, one] as const))("%s", async (_name, one) => {
  expect(await check(one)).toBeUndefined();
});
