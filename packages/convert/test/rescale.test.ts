/** Factors that move between layers: the network stays what it was, and quantizes better where its channels are uneven. */
import { readFileSync } from "node:fs";
import { type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { runReference } from "../../core/src/testing/reference.ts";
import { floats } from "../src/graph/constants.ts";
import { GraphEditor } from "../src/graph/editor.ts";
import { calibrate, importModel, type PassRecord, quantizeModel, rescale, runPasses } from "../src/index.ts";
import { floatCnn } from "./support/networks.ts";

const outputOf = (graph: Graph, feed: Readonly<Record<string, Tensor>>): Float32Array =>
  runReference(graph, feed)[graph.outputs[0]!]!.data as Float32Array;

/** Largest difference over the largest expected value. */
function difference(expected: Float32Array, got: Float32Array): number {
  const largest = expected.reduce((far, value) => Math.max(far, Math.abs(value)), 0);
  return expected.reduce((far, value, i) => Math.max(far, Math.abs(value - got[i]!)), 0) / largest;
}

const seeds = Array.from({ length: 12 }, (_, seed) => seed);

/** Notes that tell of factors, not of what stays. */
const moved = (records: readonly PassRecord[]): string[] =>
  records.flatMap(({ changes }) => changes.filter((change) => !change.includes(": stays, ")));

describe.each(["equalize", "smooth", "smooth:0.8", "awq"])("%s", (name) => {
  test("random networks compute what they did, and some have factors moved", async () => {
    let changes = 0;
    for (const seed of seeds) {
      const network = floatCnn(seed);
      const graph = runPasses(importModel(network.file));
      const calibration = await calibrate(graph, [network.feed]);
      const records: PassRecord[] = [];
      const explain = (record: PassRecord) => records.push(record);
      const rescaled = await rescale(graph, [name], { calibration, weights: "int4", explain });
      expect(difference(outputOf(graph, network.feed), outputOf(rescaled, network.feed)), `${seed}`).toBeLessThan(1e-5);
      changes += moved(records).length;
    }
    expect(changes).toBeGreaterThan(seeds.length / 2);
  });

  test("the trained digits network computes what it did", async () => {
    const { graph, feed } = digits();
    const calibration = await calibrate(graph, [feed]);
    const records: PassRecord[] = [];
    const explain = (record: PassRecord) => records.push(record);
    const rescaled = await rescale(graph, [name], { calibration, weights: "int4", explain });
    expect(moved(records).length).toBeGreaterThan(0);
    expect(difference(outputOf(graph, feed), outputOf(rescaled, feed))).toBeLessThan(1e-5);
  });
});

/** The trained float CNN, and images of noise. */
function digits(): { graph: Graph; feed: Readonly<Record<string, Tensor>> } {
  const file = readFileSync(new URL("../../../models/mnist-cnn-float.onnx", import.meta.url));
  const graph = runPasses(importModel(file));
  const [name] = graph.inputs;
  const [, ...image] = graph.values.get(name!)!.shape as number[];
  const shape = [2, ...image];
  const data = new RandomData(1).floats(shape.reduce((product, size) => product * size, 1));
  return { graph, feed: { [name!]: new Tensor("f32", shape, data.map(Math.abs)) } };
}

/** x [32, 64] → a normalization → 48 units, ReLU → 16. `uneven`: channel c of both hidden values is 2^(c mod 7 - 3) as large as the layers behind make good. */
function mlp(uneven: boolean): { graph: Graph; feed: Readonly<Record<string, Tensor>> } {
  const random = new RandomData(7);
  const editor = new GraphEditor({ name: "mlp" });
  editor.addInput("x", { dtype: "f32", shape: [32, 64] });
  const size = (c: number) => (uneven ? 2 ** ((c % 7) - 3) : 1);
  const constant = (name: string, shape: number[], value: (i: number) => number) =>
    editor.constant(
      name,
      floats(
        shape,
        Float32Array.from({ length: shape.reduce((p, n) => p * n, 1) }, (_, i) => value(i)),
      ),
    );
  const normal = editor.add(
    "layerNorm",
    "norm",
    ["x", constant("gamma", [64], size), constant("beta", [64], (c) => 0.1 * size(c))],
    { epsilon: 1e-5 } as never,
  );
  const w1 = random.floats(48 * 64);
  const w2 = random.floats(16 * 48);
  const hidden = editor.add(
    "dense",
    "first",
    [
      normal,
      constant("w1", [48, 64], (i) => (w1[i]! * size(Math.floor(i / 64))) / size(i % 64)),
      constant("b1", [48], (c) => 0.1 * size(c)),
    ],
    { clamp: [0, Number.POSITIVE_INFINITY] } as never,
  );
  const y = editor.add(
    "dense",
    "second",
    [hidden, constant("w2", [16, 48], (i) => w2[i]! / size(i % 48))],
    {} as never,
  );
  editor.outputs = [y];
  return { graph: editor.freeze(), feed: { x: new Tensor("f32", [32, 64], random.floats(32 * 64)) } };
}

/** Signal to noise of the network's output, in dB. */
async function agreement(
  uneven: boolean,
  options: { weights: string; activations?: string; rescale?: readonly string[] },
): Promise<number> {
  const { graph, feed } = mlp(uneven);
  const calibration = await calibrate(graph, [feed]);
  const result = await quantizeModel(graph, { ...options, calibration, gate: false });
  return result.agreement!.sqnr;
}

describe("what it is for", () => {
  test("equalize: one scale for a tensor is as good over uneven channels as over even ones", async () => {
    const weights = "int8:tensor";
    const [plain, equalized, even] = [
      await agreement(true, { weights }),
      await agreement(true, { weights, rescale: ["equalize"] }),
      await agreement(false, { weights }),
    ];
    expect(plain).toBeLessThan(even - 6);
    expect(equalized).toBeGreaterThan(plain + 3);
  });

  test("smooth: int8 activations with outlier channels come near those without", async () => {
    const int8 = { weights: "int8", activations: "int8" };
    const [plain, smoothed] = [
      await agreement(true, int8),
      await agreement(true, { ...int8, rescale: ["smooth:0.5"] }),
    ];
    expect(smoothed).toBeGreaterThan(plain + 3);
  });

  test("awq: int4 weights lose less where some channels have large inputs", async () => {
    const [plain, scaled] = [
      await agreement(true, { weights: "int4" }),
      await agreement(true, { weights: "int4", rescale: ["awq"] }),
    ];
    expect(scaled).toBeGreaterThan(plain + 1);
  });
});

describe("bad input", () => {
  const { graph, feed } = mlp(false);

  test.each(["smoothly", "smooth:2", "smooth:", "cle", ""])("%j is no rescaling", async (name) => {
    await expect(rescale(graph, [name])).rejects.toThrow(/expected equalize, smooth\[:<alpha 0\.\.1>\], awq/);
  });

  test.each(["smooth", "awq"])("%s wants samples", async (name) => {
    await expect(quantizeModel(graph, { rescale: [name], weights: "int4" })).rejects.toThrow(
      new RegExp(`calibration.*samples, for ${name}`),
    );
  });

  test("awq wants to know the weights' scheme", async () => {
    const calibration = await calibrate(graph, [feed]);
    await expect(rescale(graph, ["awq"], { calibration })).rejects.toThrow(/scheme for all layers/);
  });

  test("what stays is named with the reason", async () => {
    const changes: string[] = [];
    await rescale(graph, ["equalize"], { explain: (record) => changes.push(...record.changes) });
    expect(changes).toEqual([
      "first: stays, its inputs come from layerNorm norm",
      "first: ranges of its channels equalized with those of second",
    ]);
  });

  test("aborted", async () => {
    await expect(rescale(graph, ["equalize"], { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
