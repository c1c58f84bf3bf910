/** Networks from elsewhere: through importer, passes, packed file and kernels to the logits that onnxruntime gave. */
import { availableTiers, createModel, type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, readIdx, readModel, runPasses, writeModel } from "../src/index.ts";
import binaryGolden from "./golden/bnn-lfc.json" with { type: "json" };
import floatGolden from "./golden/onnx-mnist.json" with { type: "json" };
import { hasData, readData } from "./support/data.ts";

const IMAGES = "mnist/t10k-images-idx3-ubyte.gz";
const LABELS = "mnist/t10k-labels-idx1-ubyte.gz";

let images: Uint8Array | undefined;

function digits(from: number, count: number): Float32Array {
  images ??= readIdx(readData(IMAGES)).data as Uint8Array;
  return Float32Array.from(images.subarray(from * 784, (from + count) * 784));
}

describe.skipIf(!hasData(IMAGES) || !hasData("bnn-lfc"))(
  "bnn-lfc, a binary network as an ordinary ONNX graph (needs shared/data)",
  () => {
    let imported: Graph | undefined;
    const graph = () => (imported ??= runPasses(importModel(readData("bnn-lfc/lfc_w1a1.onnx"))));

    test("recognised without being told: four layers of 1-bit weights over signs", () => {
      const { nodes, constants, values } = graph();
      const layers = nodes.filter(({ op }) => op === "dense");
      expect(layers.map(({ inputs }) => constants.get(inputs[1]!))).toMatchObject(
        new Array(4).fill({ kind: "quantized", scheme: "binary", bits: 1 }),
      );
      // A pixel of 127.5 makes the first sign exactly 0, and from then on every sum can have either parity.
      expect(layers.map(({ inputs }) => values.get(inputs[0]!)!.dtype)).toEqual(new Array(4).fill("trit"));
    });

    test("packed to under 400 kB, and back", () => {
      const bytes = writeModel(graph());
      expect(bytes.length).toBeLessThan(400_000);
      const { graph: back } = readModel(bytes);
      expect(back.nodes).toEqual(graph().nodes);
      expect(writeModel(back)).toEqual(bytes);
    });

    test("every logit equal on every tier, at batch 1 and 16", async () => {
      const expected = Float32Array.from(binaryGolden.logits.flat());
      for (const tier of await availableTiers()) {
        using model = await createModel(readModel(writeModel(graph())).graph, { tier });
        const { logits } = await model.run({ image: new Tensor("f32", [16, 784], digits(0, 16)) });
        expect(logits!.data).toEqual(expected);
        const one = await model.run({ image: new Tensor("f32", [1, 784], digits(3, 1)) });
        expect(one.logits!.data).toEqual(expected.subarray(30, 40));
      }
    });

    test("98.34 % of the 10,000 test images", async () => {
      using model = await createModel(graph());
      const labels = readIdx(readData(LABELS)).data as Uint8Array;
      const { logits } = await model.run({ image: new Tensor("f32", [10_000, 784], digits(0, 10_000)) });
      expect(correct(logits!.data as Float32Array, labels)).toBe(9834);
    });
  },
);

describe.skipIf(!hasData(IMAGES) || !hasData("onnx-mnist"))(
  "onnx-mnist, a float CNN of fixed batch 1 (needs shared/data)",
  () => {
    const graph = () => runPasses(importModel(readData("onnx-mnist/mnist.onnx")));

    test("one reshape is all that is left of the transposes", () => {
      expect(graph().nodes.map(({ op }) => op)).toEqual([
        "reshape",
        "conv2d",
        "maxPool",
        "conv2d",
        "maxPool",
        "reshape",
        "dense",
      ]);
    });

    test("logits within 1e-5 of the largest", async () => {
      using model = await createModel(graph());
      for (const [index, expected] of floatGolden.logits.entries()) {
        const outputs = await model.run({ Input3: new Tensor("f32", [1, 1, 28, 28], digits(index, 1)) });
        const got = outputs.Plus214_Output_0!.data as Float32Array;
        const scale = Math.max(...expected.map(Math.abs));
        for (const [i, value] of expected.entries())
          expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(1e-5 * scale);
      }
    });

    test("98.91 % of the 10,000 test images", async () => {
      using model = await createModel(graph());
      const labels = readIdx(readData(LABELS)).data as Uint8Array;
      const pixels = digits(0, 10_000);
      const logits = new Float32Array(100_000);
      for (let i = 0; i < 10_000; i++) {
        const image = pixels.subarray(i * 784, (i + 1) * 784);
        model.runInto({ Input3: image }, { Plus214_Output_0: logits.subarray(i * 10, (i + 1) * 10) });
      }
      expect(correct(logits, labels)).toBe(9891);
    });
  },
);

/** Rows of ten logits whose largest, the first one of equals, is at the label. */
function correct(logits: Float32Array, labels: Uint8Array): number {
  return labels.reduce((sum, label, i) => {
    const row = logits.subarray(i * 10, (i + 1) * 10);
    return sum + (row.indexOf(Math.max(...row)) === label ? 1 : 0);
  }, 0);
}
