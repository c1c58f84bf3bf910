/** A trained network through calibration, quantization, parity and the gate. */
import { createModel, type Graph, NotFiniteError, OutOfRangeError, Tensor } from "lowbit";
import { SchemeError } from "lowbit/quantize";
import { beforeAll, describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import {
  type Calibration,
  calibrate,
  type Feed,
  importModel,
  OptionError,
  quantizeModel,
  readModel,
  readNpz,
  runPasses,
  writeModel,
} from "../src/index.ts";
import { measure } from "../src/measure.ts";
import { METHODS, methodScheme } from "../src/methods.ts";
import { readFile } from "./support/data.ts";
import { OnnxBuilder } from "./support/onnx.ts";

/** The committed float CNN and real digits that it was not trained on. */
const digits = () => readNpz(readFile("models/mnist-calibration.npz")).get("x")!;

let graph: Graph;
let calibration: Calibration;

beforeAll(async () => {
  graph = runPasses(importModel(readFile("models/mnist-cnn-float.onnx")));
  const x = digits();
  const feeds: Feed[] = [];
  for (let from = 0; from < 256; from += 64) {
    const pixels = Float32Array.from(x.data.subarray(from * 784, (from + 64) * 784) as Uint8Array);
    feeds.push({ image: new Tensor("f32", [64, 1, 28, 28], pixels) });
  }
  calibration = await calibrate(graph, feeds);
});

describe("calibrate", () => {
  test("records the range of inputs and of every float value", () => {
    expect(calibration.ranges.get("image")).toEqual({ min: 0, max: 255 });
    for (const node of graph.nodes) expect(calibration.ranges.has(node.outputs[0]!), node.name).toBe(true);
    const relu = graph.nodes.find((node) => node.op === "conv2d")!;
    expect(calibration.ranges.get(relu.outputs[0]!)!.min).toBe(0);
  });

  test("cut ranges lie within the whole one and still hold 0; a lone outlier is cut off", async () => {
    const feeds = calibration.feeds.slice(0, 1);
    const all = await calibrate(graph, feeds);
    const value = graph.nodes.find((node) => node.op === "conv2d")!.outputs[0]!;
    const { max } = all.ranges.get(value)!;
    for (const range of [{ percentile: 99 }, "kl", "mse"] as const) {
      const cut = (await calibrate(graph, feeds, { range })).ranges.get(value)!;
      expect(cut.min, String(range)).toBeCloseTo(0, 12);
      expect(cut.max, String(range)).toBeLessThan(max * 1.005);
    }
    const cut = (await calibrate(graph, feeds, { range: { percentile: 99 } })).ranges.get(value)!;
    expect(cut.max).toBeLessThan(0.9 * max);
    const far = feeds[0]!.image!;
    const data = (far.data as Float32Array).slice();
    data[0] = 1e5;
    const spoiled = [{ image: new Tensor("f32", far.shape, data) }];
    expect((await calibrate(graph, spoiled)).ranges.get("image")!.max).toBe(1e5);
    expect((await calibrate(graph, spoiled, { range: "kl" })).ranges.get("image")!.max).toBeLessThan(2000);
  });

  test("no samples, and a percentile that is none", async () => {
    await expect(calibrate(graph, [])).rejects.toThrow(OptionError);
    await expect(calibrate(graph, calibration.feeds, { range: { percentile: 7 } })).rejects.toThrow(OutOfRangeError);
  });

  test("stops when told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(calibrate(graph, calibration.feeds, { signal })).rejects.toThrow("enough");
  });
});

describe("quantizeModel", () => {
  test.each([
    ["int8", 40, 8.1],
    ["int4", 17, 4.1],
    ["int4:g32", 18, 5.1],
  ])("%s passes the gate, and its figures are those of its bits", async (weights, sqnr, bits) => {
    const { agreement, refused, layers, bitsPerWeight } = await quantizeModel(graph, { weights, calibration });
    expect(refused).toBeUndefined();
    expect(agreement!.top1).toBeGreaterThanOrEqual(0.98);
    expect(Math.min(...layers.map((layer) => layer.sqnr))).toBeGreaterThan(sqnr);
    expect(bitsPerWeight).toBeLessThan(bits);
    expect(layers.map(({ scheme, measured }) => [scheme, measured])).toEqual(new Array(4).fill([weights, "output"]));
  });

  test.each(["ternary", "binary"])("a plain cut to %s is refused, with layer and figure", async (weights) => {
    const { agreement, refused, layers } = await quantizeModel(graph, { weights, calibration });
    expect(agreement!.top1).toBeLessThan(0.98);
    const worst = layers.reduce((a, b) => (b.sqnr < a.sqnr ? b : a));
    expect(refused).toMatchObject({
      figure: "agreement",
      value: agreement!.top1,
      floor: 0.98,
      layer: worst.name,
      layerSqnr: worst.sqnr,
    });
    expect(refused!.message).toContain(`"${worst.name}" with ${worst.sqnr.toFixed(1)} dB`);
    expect(refused!.message).not.toMatch(/\n/);
  });

  test.each(["int8:p99.9", "int8:kl", "int8:mse"])("activations %s pass the gate", async (activations) => {
    const { agreement, refused } = await quantizeModel(graph, { weights: "int8", activations, calibration });
    expect(refused).toBeUndefined();
    expect(agreement!.top1).toBeGreaterThanOrEqual(0.99);
  });

  test("int8 activations run in integers from the first layer to the last, and agree with float", async () => {
    const {
      graph: result,
      agreement,
      refused,
      layers,
    } = await quantizeModel(graph, { weights: "int8", activations: "int8", calibration });
    expect(refused).toBeUndefined();
    expect(agreement!.top1).toBeGreaterThanOrEqual(0.99);
    const types = result.nodes
      .filter(({ op }) => op === "conv2d" || op === "dense")
      .map(({ inputs, outputs }) => [inputs[0]!, outputs[0]!].map((name) => result.values.get(name)!.dtype));
    expect(types).toEqual([
      ["int8", "int8"],
      ["int8", "int8"],
      ["int8", "int8"],
      ["int8", "f32"],
    ]);
    expect(result.nodes.filter(({ op }) => op === "quantize" || op === "dequantize").map(({ op }) => op)).toEqual([
      "quantize",
    ]);
    expect(Math.min(...layers.map(({ inModel }) => inModel!.sqnr))).toBeGreaterThan(30);
  });

  test("the written file computes what was measured", async () => {
    const { graph: result } = await quantizeModel(graph, { weights: "int4", activations: "int8", calibration });
    const feed = calibration.feeds[0]!;
    using before = await createModel(result);
    using after = await createModel(readModel(writeModel(result)).graph);
    expect(await after.run(feed)).toEqual(await before.run(feed));
  });

  test("a large network is measured in groups of layers, to the same figures", async () => {
    const { graph: result } = await quantizeModel(graph, { weights: "int4" });
    const stages = { float: graph, staged: result, result };
    expect(await measure(stages, calibration, {}, 1)).toEqual(await measure(stages, calibration));
  });

  test("a scheme per layer by glob, the last rule wins, `float` leaves one alone", async () => {
    const { layers } = await quantizeModel(graph, {
      weights: "int8",
      layers: [
        ["conv*", "int4"],
        ["conv?", "int2"],
        ["conv1", "float"],
      ],
    });
    expect(layers.map(({ name, scheme }) => [name, scheme])).toEqual([
      ["conv1", "float"],
      ["conv2", "int2"],
      ["dense1", "int8"],
      ["dense2", "int8"],
    ]);
  });

  test("without calibration the figures are of the weights, and nothing is refused unless a floor is given", async () => {
    const free = await quantizeModel(graph, { weights: "binary" });
    expect(free.refused).toBeUndefined();
    expect(free.agreement).toBeUndefined();
    expect(free.layers[0]!.measured).toBe("weights");
    const { refused } = await quantizeModel(graph, { weights: "binary", minSqnr: 10 });
    expect(refused).toMatchObject({ figure: "sqnr", floor: 10 });
  });

  test("without weights nothing is quantized", async () => {
    const { graph: same, layers, agreement } = await quantizeModel(graph, { calibration });
    expect(same.constants).toEqual(graph.constants);
    expect(layers.every(({ scheme, sqnr }) => scheme === "float" && sqnr === Number.POSITIVE_INFINITY)).toBe(true);
    expect(agreement).toMatchObject({ top1: 1, sqnr: Number.POSITIVE_INFINITY, maxError: 0 });
  });

  test("the same input gives the same file", async () => {
    const once = await quantizeModel(graph, { weights: "int4", activations: "int8", calibration });
    const twice = await quantizeModel(graph, { weights: "int4", activations: "int8", calibration });
    expect(writeModel(twice.graph)).toEqual(writeModel(once.graph));
  });

  test("NaN weights, unknown schemes, globs without a layer, int8 without samples are refused by name", async () => {
    const net = new OnnxBuilder();
    net.input("x", ["N", 4]);
    net.floats(
      "w",
      [4, 8],
      Float32Array.from({ length: 32 }, (_, i) => (i === 5 ? Number.NaN : i)),
    );
    const broken = importModel(net.build([net.node("MatMul", "y", ["x", "w"])]));
    expect(() => runPasses(broken)).toThrow(/NaN at 20/);
    await expect(quantizeModel(broken, { weights: "int8" })).rejects.toThrow(NotFiniteError);
    await expect(quantizeModel(graph, { weights: "int7.5" })).rejects.toThrow(/int7\.5/);
    await expect(quantizeModel(graph, { layers: [["nothing*", "int8"]] })).rejects.toThrow(/nothing\*/);
    await expect(quantizeModel(graph, { weights: "int8", activations: "int8" })).rejects.toThrow(OptionError);
    for (const activations of ["int3", "int8:p49", "int8:p101", "int8:max", "int8:kl:mse"])
      await expect(quantizeModel(graph, { activations, calibration })).rejects.toThrow(/float, int8, int8:p<percent/);
    await expect(quantizeModel(graph, { activations: "int8:p10", calibration })).rejects.toThrow(/int8:p10/);
  });

  test("rows that sub-vectors do not divide stay float, unless the layer was named", async () => {
    const random = new RandomData(1);
    const net = new OnnxBuilder();
    net.input("x", ["N", 9]);
    net.floats("a", [9, 512], random.floats(9 * 512));
    net.floats("b", [512, 64], random.floats(512 * 64));
    net.node("MatMul", "first", ["x", "a"]);
    const two = runPasses(importModel(net.build([net.node("MatMul", "second", ["first", "b"])])));
    const { layers } = await quantizeModel(two, { weights: "pq:4x16" });
    expect(layers.map(({ scheme }) => scheme)).toEqual(["float", "pq:4x16"]);
    await expect(quantizeModel(two, { layers: [["first", "pq:4x16"]] })).rejects.toThrow(/multiple of 4/);
  });

  test("stops when told to, and says how far it is", async () => {
    const seen: string[] = [];
    const control = new AbortController();
    const run = quantizeModel(graph, {
      weights: "int8",
      calibration,
      signal: control.signal,
      onProgress: (stage, done, total) => {
        seen.push(`${stage} ${done}/${total}`);
        if (stage === "measure" && done === 2) control.abort(new Error("enough"));
      },
    });
    await expect(run).rejects.toThrow("enough");
    expect(seen).toEqual([
      "quantize 1/4",
      "quantize 2/4",
      "quantize 3/4",
      "quantize 4/4",
      "measure 1/24",
      "measure 2/24",
    ]);
  });
});

describe("methodScheme", () => {
  test("finds a spelling for the bits and groups of the weights", () => {
    expect(methodScheme("gptq", "int4:g32")).toBe("gptq:4:g32");
    expect(methodScheme("adaround", "int3")).toBe("adaround:3");
    expect(methodScheme("kmeans", "int4")).toBe("kmeans:16");
    expect(methodScheme("admm", "ternary")).toBe("admm:ternary");
  });

  test.each(METHODS)("%s takes int4 or ternary weights", (method) => {
    const schemes = ["int4", "ternary"].filter((weights) => {
      try {
        return methodScheme(method, weights) !== weights;
      } catch {
        return false;
      }
    });
    expect(schemes.length).toBeGreaterThan(0);
  });

  test("refuses what it cannot apply, by name", () => {
    expect(() => methodScheme("magic", "int4")).toThrow(/method, expected gptq, adaround/);
    expect(() => methodScheme("gptq", "ternary")).toThrow(/weights for method gptq/);
    expect(() => methodScheme("gptq", "kmeans:16")).toThrow(OptionError);
    expect(() => methodScheme("kmeans", "int4:g32")).toThrow(SchemeError);
    expect(() => methodScheme("apot", "int8")).toThrow(SchemeError);
  });
});
