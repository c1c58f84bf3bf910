/** Operators that move elements, in the forms of old and new operator sets and with sizes that are computed when they run: what onnxruntime gives (golden/make-movement.py). */
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import golden from "./golden/movement.json" with { type: "json" };
import { asTensor, difference, feedOf, type NodeTest, runNodeTest } from "./support/node-tests.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));

describe("movement, as onnxruntime does it", () => {
  test.each(golden.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const [inputs, outputs] = [one.inputs.map(bytes), one.outputs.map(bytes)];
    const given: NodeTest = { name, model: bytes(one.model), inputs, outputs };
    const { reason, graph, constants } = await runNodeTest(given, "simd128");
    expect(reason).toBeUndefined();
    // Every list and every index may be a value of a run.
    expect(constants).toBe(false);
    const results = runReference(graph!, feedOf(given, graph!));
    for (const [i, output] of graph!.outputs.entries())
      expect(difference(asTensor(outputs[i]!), results[output]!)).toBeUndefined();
  });
});
