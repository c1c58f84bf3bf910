/** Schemes that look at a layer's inputs get those of the float network. */
import { createModel, type Graph, type PlainConstant, Tensor } from "lowbit";
import { outputError, parseScheme, quantize } from "lowbit/quantize";
import { beforeAll, describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import {
  type Calibration,
  calibrate,
  importModel,
  OptionError,
  quantizeModel,
  quantizeTensors,
  runPasses,
} from "../src/index.ts";
import { LayerInputs, MOST_ROWS } from "../src/layer-inputs.ts";
import { isLayer, type Layer } from "../src/passes/channel-function.ts";
import { readFile } from "./support/data.ts";
import { OnnxBuilder } from "./support/onnx.ts";

/** conv 3x3 stride 2 pad 1, depthwise 3x3, then a dense layer, with biases. */
function network(): Graph {
  const random = new RandomData(3);
  const net = new OnnxBuilder();
  net.input("x", ["N", 2, 7, 7]);
  net.floats("w1", [3, 2, 3, 3], random.floats(54));
  net.floats("b1", [3], random.floats(3));
  net.floats("w2", [3, 1, 3, 3], random.floats(27));
  net.floats("w3", [48, 5], random.floats(240));
  const conv = (name: string, x: string, w: string[], attributes: object) =>
    net.node("Conv", name, [x, ...w], attributes as never);
  conv("c", "x", ["w1", "b1"], { strides: [2, 2], pads: [1, 1, 1, 1], kernel_shape: [3, 3] });
  conv("d", "c", ["w2"], { pads: [1, 1, 1, 1], kernel_shape: [3, 3], group: 3 });
  net.node("Flatten", "f", ["d"]);
  return runPasses(importModel(net.build([net.node("MatMul", "y", ["f", "w3"])])));
}

let graph: Graph;
let calibration: Calibration;
let layers: Layer[];

beforeAll(async () => {
  graph = network();
  const random = new RandomData(4);
  const feeds = [5, 3].map((n) => ({ x: new Tensor("f32", [n, 2, 7, 7], random.floats(n * 98)) }));
  calibration = await calibrate(graph, feeds);
  layers = graph.nodes.filter(isLayer);
});

const fetched = async (given: Calibration, of = layers) => {
  const inputs = new LayerInputs(graph, of, given.feeds);
  return Promise.all(of.map((layer) => inputs.of(layer)));
};

describe("rows of inputs", () => {
  test("times the weights are the layer's outputs, padding and strides included", async () => {
    const [patches] = await fetched(calibration, layers.slice(0, 1));
    const layer = layers[0]!;
    const weight = (graph.constants.get(layer.inputs[1]!) as PlainConstant).data as Float32Array;
    const bias = (graph.constants.get(layer.inputs[2]!) as PlainConstant).data as Float32Array;
    using model = await createModel(graph, { taps: [layer.outputs[0]!] });
    const outputs: number[] = [];
    for (const feed of calibration.feeds)
      outputs.push(...((await model.run(feed))[layer.outputs[0]!]!.data as Float32Array));
    expect(patches!.samples).toBe(8 * 16);
    for (let row = 0; row < patches!.samples; row++) {
      for (let n = 0; n < 3; n++) {
        let sum = bias[n]!;
        for (let k = 0; k < 18; k++) sum += weight[n * 18 + k]! * patches!.inputs[row * 18 + k]!;
        expect(sum).toBeCloseTo(outputs[row * 3 + n]!, 4);
      }
    }
  });

  test("of a grouped convolution are those of all groups, of a dense layer its inputs", async () => {
    const [, depthwise, dense] = await fetched(calibration);
    expect(depthwise).toMatchObject({ samples: 8 * 16 * 3 });
    expect(depthwise!.inputs.length).toBe(8 * 16 * 3 * 9);
    expect(dense).toMatchObject({ samples: 8 });
    expect(dense!.inputs.length).toBe(8 * 48);
  });

  test("are sampled to a bound, the same rows each time", async () => {
    const random = new RandomData(5);
    const feeds = [100, 120].map((n) => ({ x: new Tensor("f32", [n, 2, 7, 7], random.floats(n * 98)) }));
    const many = await calibrate(graph, feeds);
    const [once, twice] = [await fetched(many, layers.slice(0, 1)), await fetched(many, layers.slice(0, 1))];
    expect(once[0]!.samples).toBe(MOST_ROWS);
    expect(once).toEqual(twice);
  });
});

describe("quantizeModel", () => {
  const weightsOf = (layer: Layer) => graph.constants.get(layer.inputs[1]!) as PlainConstant & { data: Float32Array };

  test.each(["gptq:3", "gptq:3:g9:order", "awq:3", "adaround:3:mse"])(
    "%s sees the inputs of every layer",
    async (weights) => {
      const { graph: result, layers: reports } = await quantizeModel(graph, { weights, calibration, gate: false });
      const given = await fetched(calibration);
      for (const [index, layer] of layers.entries()) {
        expect(reports[index]!.scheme).toBe(weights);
        const direct = await quantize(weightsOf(layer), parseScheme(weights), { calibration: given[index]! } as never);
        const constant = result.constants.get(result.nodes.filter(isLayer)[index]!.inputs[1]!);
        expect(constant).toMatchObject({ codes: direct.codes });
      }
    },
  );

  test("gptq leaves less error in the outputs of the committed network than rounding on its grid", async () => {
    const real = runPasses(importModel(readFile("models/mnist-cnn-float.onnx")));
    const random = new RandomData(1);
    const pixels = random.floats(32 * 784).map((x) => Math.max(0, 200 * x));
    const some = await calibrate(real, [{ image: new Tensor("f32", [32, 1, 28, 28], pixels) }]);
    const sqnr = async (weights: string) =>
      (await quantizeModel(real, { weights, calibration: some, gate: false })).layers;
    const [rounded, fed] = [await sqnr("int3:asym"), await sqnr("gptq:3")];
    for (const [index, { name, sqnr: figure }] of fed.entries())
      expect(figure, name).toBeGreaterThan(rounded[index]!.sqnr);
  });

  test("bias correction takes the mean error out of every layer but a grouped convolution", async () => {
    const options = { weights: "int2", calibration, gate: false } as const;
    const { graph: plain } = await quantizeModel(graph, options);
    const { graph: corrected } = await quantizeModel(graph, { ...options, correctBias: true });
    const mean = async (of: Graph, index: number) => {
      const tap = of.nodes.filter(isLayer)[index]!.outputs[0]!;
      using model = await createModel(of, { taps: [tap] });
      const channels = of.values.get(tap)!.shape.at(-1) as number;
      const sums = new Float64Array(channels);
      for (const feed of calibration.feeds)
        for (const [i, y] of ((await model.run(feed))[tap]!.data as Float32Array).entries()) sums[i % channels]! += y;
      return sums;
    };
    const float = await mean(graph, 0);
    const distance = (sums: Float64Array) => Math.max(...sums.map((sum, c) => Math.abs(sum - float[c]!)));
    expect(distance(await mean(plain, 0))).toBeGreaterThan(1);
    expect(distance(await mean(corrected, 0))).toBeLessThan(1e-2);
    expect(corrected.nodes.filter(isLayer).map(({ inputs }) => inputs.length)).toEqual([3, 2, 3]);
  });

  test("without samples such a scheme is refused, with the layer's name", async () => {
    const first = layers[0]!.name;
    const failure = quantizeModel(graph, { weights: "gptq:4" });
    await expect(failure).rejects.toThrow(OptionError);
    await expect(failure).rejects.toThrow(
      `quantizeModel: calibration, expected samples, for gptq:4 of layer "${first}", got none`,
    );
    await expect(quantizeModel(graph, { weights: "int4", correctBias: true })).rejects.toThrow(/for bias correction/);
    const data = new Float32Array(16);
    const constants = new Map([["w", { kind: "plain", dtype: "f32", shape: [4, 4], data } as const]]);
    const tensors = { ...graph, inputs: [], outputs: [], nodes: [], values: new Map(), constants };
    await expect(quantizeTensors(tensors, { weights: "gptq:4" })).rejects.toThrow(
      /inputs of w, expected a network and samples/,
    );
  });

  test("a share of the float output is what the figure says", async () => {
    const [given] = await fetched(calibration);
    const { data, shape } = weightsOf(layers[0]!);
    expect(await outputError({ shape, data }, new Float32Array(data.length), given!)).toBeCloseTo(1, 12);
    expect(await outputError({ shape, data }, data, given!)).toBe(0);
    expect(
      await outputError(
        { shape, data },
        data.map((w) => w * 0.9),
        given!,
      ),
    ).toBeCloseTo(0.01, 6);
  });
});
