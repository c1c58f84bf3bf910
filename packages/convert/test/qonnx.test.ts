/** QONNX's operators against their formulas, and the layers that become of them. */
import { createModel, type Graph, type QuantizedConstant, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import { importModel, readIdx, readModel, runPasses, writeModel } from "../src/index.ts";
import { hasData, readData } from "./support/data.ts";
import { QONNX, withDomains } from "./support/low-bit-networks.ts";
import { OnnxBuilder } from "./support/onnx.ts";

const { fround } = Math;

/** Every quarter from -12 to 12. */
const POINTS = Float32Array.from({ length: 97 }, (_, i) => i / 4 - 12);

/** One operator on a computed value: its parameters are scalars. */
function single(operator: string, parameters: readonly number[], attributes: Parameters<OnnxBuilder["node"]>[3] = {}) {
  const net = new OnnxBuilder();
  net.input("x", ["N"]);
  const inputs = parameters.map((value, i) => net.floats(`p${i}`, [], [value]));
  net.node(`${QONNX}.${operator}`, "y", ["x", ...inputs], attributes);
  return importModel(net.build(["y"], withDomains));
}

async function outputs(graph: Graph, x: Float32Array, shape: readonly number[] = [x.length]): Promise<Float32Array> {
  using model = await createModel(runPasses(graph));
  const { y } = await model.run({ x: new Tensor("f32", shape, x) });
  return y!.data as Float32Array;
}

const even = (x: number) => {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(x);
};
const away = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
const MODES: Readonly<Record<string, (x: number) => number>> = {
  ROUND: even,
  half_even: even,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
  UP: (x) => Math.sign(x) * Math.ceil(Math.abs(x)),
  DOWN: Math.trunc,
  HALF_UP: away,
  HALF_DOWN: (x) => Math.sign(x) * Math.ceil(Math.abs(x) - 0.5),
};

/** numpy's steps of qonnx, each rounded to f32. */
function quantized(x: number, scale: number, zero: number, [least, most]: readonly number[], round = even): number {
  const moved = fround(fround(x / scale) + zero);
  return fround(fround(round(Math.min(Math.max(moved, least!), most!)) - zero) * fround(scale)) + 0;
}

describe("QONNX operators on computed values", () => {
  test.each(Object.entries(MODES))("Quant rounds by %s", async (mode, round) => {
    for (const zero of [0, 1]) {
      const graph = single("Quant", [0.5, zero, 4], { signed: 1, narrow: 0, rounding_mode: mode });
      const expected = POINTS.map((x) => quantized(x, 0.5, zero, [-8, 7], round));
      expect((await outputs(graph, POINTS)).map((value) => value + 0)).toEqual(expected);
    }
  });

  test.each([
    [1, 0, 8, [-128, 127]],
    [1, 1, 8, [-127, 127]],
    [0, 0, 8, [0, 255]],
    [0, 1, 8, [0, 254]],
    [1, 1, 3, [-3, 3]],
    [0, 0, 2, [0, 3]],
    [1, 0, 12, [-2048, 2047]],
  ])("Quant with signed %i, narrow %i, %i bits has codes of %j", async (signed, narrow, bits, range) => {
    const graph = single("Quant", [fround(0.07), 0, bits], { signed, narrow });
    const x = POINTS.map((value) => value * 3);
    expect((await outputs(graph, x)).map((value) => value + 0)).toEqual(
      x.map((value) => quantized(value, fround(0.07), 0, range)),
    );
  });

  test("BipolarQuant, and Quant of one signed bit: 0 is +", async () => {
    const expected = POINTS.map((x) => (x >= 0 ? 0.25 : -0.25));
    expect(await outputs(single("BipolarQuant", [0.25]), POINTS)).toEqual(expected);
    expect(await outputs(single("Quant", [0.25, 0, 1], { signed: 1 }), POINTS)).toEqual(expected);
  });

  test("Trunc, both versions, drops low bits", async () => {
    const first = POINTS.map((x) => Math.floor(even(x / 0.5) / 4) * 0.5);
    expect((await outputs(single("Trunc", [0.5, 0, 8, 6]), POINTS)).map((v) => v + 0)).toEqual(first);
    const second = POINTS.map((x) => Math.min(Math.max(Math.floor(even(x / 0.5) / 4), -4), 3) * 2);
    expect((await outputs(single("Trunc", [0.5, 0, 8, 2, 3]), POINTS)).map((v) => v + 0)).toEqual(second);
  });

  test("parameters that contradict themselves are named", () => {
    expect(() => single("Quant", [0, 0, 4])).toThrow(/scale.*positive/);
    expect(() => single("Quant", [1, 0, 2.5])).toThrow(/bit width.*2\.5/);
    expect(() => single("Quant", [1, 0, 4], { rounding_mode: "SIDEWAYS" })).toThrow(/SIDEWAYS/);
    expect(() => single("Trunc", [1, 0, 8, -3, 4])).toThrow(/output scale/);
  });
});

describe("QONNX layers", () => {
  const scales = Float32Array.of(0.5, 0.25, 1, 2);
  const weights = Float32Array.from({ length: 4 * 18 }, (_, i) => ((i * 37) % 23) / 8 - 1.4);

  /** Quantized pixels, a convolution and a dense layer with weights of so many bits. */
  function network(bits: number, narrow = 0): Graph {
    const net = new OnnxBuilder();
    net.input("x", ["N", 2, 4, 4]);
    net.floats("step", [], [0.125]);
    net.floats("zero", [], [0]);
    net.floats("bits", [], [bits]);
    net.floats("eight", [], [8]);
    net.floats("w", [4, 2, 3, 3], weights);
    net.floats("scales", [4, 1, 1, 1], scales);
    const quant = (x: string, scale: string, width: string, name: string, signed = 1) =>
      net.node(`${QONNX}.Quant`, name, [x, scale, "zero", width], { signed, narrow: signed ? narrow : 0 });
    net.node("Conv", "conv", [quant("x", "step", "eight", "xq"), quant("w", "scales", "bits", "wq")]);
    const codes = quant(net.node("Relu", "relu", ["conv"]), "step", "bits", "aq", 0);
    net.node("Flatten", "flat", [codes]);
    net.floats("v", [3, 16], weights.subarray(0, 48));
    net.node("Gemm", "y", ["flat", quant("v", "step", "bits", "vq")], { transB: 1 });
    return importModel(net.build(["y"], withDomains));
  }

  test.each([
    [8, 0, [8, 8]],
    [4, 1, [4, 4]],
    [3, 0, [4, 4]],
    [2, 0, [2, 2]],
    [2, 1, [2, 2]],
  ])(
    "weights of %i bits (narrow %i) keep their codes in %j, and the layers run on int8",
    async (bits, narrow, widths) => {
      const imported = network(bits, narrow);
      const graph = runPasses(imported);
      const layers = graph.nodes.filter(({ op }) => op === "conv2d" || op === "dense");
      const codes = layers.map(({ inputs }) => graph.constants.get(inputs[1]!) as QuantizedConstant);
      expect(codes.map(({ kind, bits: width }) => [kind, width])).toEqual(widths.map((width) => ["quantized", width]));
      expect(layers.map(({ inputs }) => graph.values.get(inputs[0]!)!.dtype)).toEqual(["int8", "uint8"]);
      const x = Float32Array.from({ length: 64 }, (_, i) => ((i * 29) % 17) / 4 - 2);
      const feed = { x: new Tensor("f32", [2, 2, 4, 4], x) };
      const expected = runReference(imported, feed).y!.data as Float32Array;
      // Scales are powers of two: sums are exact in floats as in integers.
      expect(await outputs(imported, x, [2, 2, 4, 4])).toEqual(expected);
    },
  );
});

describe.skipIf(!hasData("qonnx-tfc") || !hasData("mnist"))(
  "TFC 1W1A of the QONNX model zoo (needs shared/data)",
  () => {
    test("binary kernels; 92.96 % of the 10,000 test images, every logit equal to the float evaluation's", async () => {
      const imported = importModel(readData("qonnx-tfc/TFC_1W1A.onnx"));
      const { graph } = readModel(writeModel(runPasses(imported)));
      const layers = graph.nodes.filter(({ op }) => op === "dense");
      expect(layers.map(({ inputs }) => graph.values.get(inputs[0]!)!.dtype)).toEqual(new Array(4).fill("bit"));
      expect(layers.map(({ inputs }) => graph.constants.get(inputs[1]!))).toMatchObject(
        new Array(4).fill({ scheme: "binary", bits: 1 }),
      );
      using packed = await createModel(graph);
      using float = await createModel(imported);
      const pixels = readIdx(readData("mnist/t10k-images-idx3-ubyte.gz")).data as Uint8Array;
      const labels = readIdx(readData("mnist/t10k-labels-idx1-ubyte.gz")).data as Uint8Array;
      const [got, expected] = [new Float32Array(10), new Float32Array(10)];
      let [right, different] = [0, 0];
      for (let i = 0; i < labels.length; i++) {
        const image = Float32Array.from(pixels.subarray(i * 784, (i + 1) * 784), (value) => value / 255);
        packed.runInto({ 0: image }, { 74: got });
        float.runInto({ 0: image }, { 74: expected });
        different += got.reduce((sum, value, c) => sum + (value === expected[c] ? 0 : 1), 0);
        if (got.indexOf(Math.max(...got)) === labels[i]) right++;
      }
      expect(different).toBe(0);
      expect(right).toBe(9296);
    }, 60_000);
  },
);

describe("binary layers as PyTorch exports them", () => {
  const latent = Float32Array.from({ length: 12 * 18 }, (_, i) => Math.fround((((i * 41) % 97) - 48.5) / 60));
  const binaryLayers = (graph: Graph) =>
    graph.nodes
      .filter(({ op }) => op === "conv2d" || op === "dense")
      .map(({ inputs }) => graph.constants.get(inputs[1]!));

  test("Sign(W) times the mean of |W|: sign codes", () => {
    const net = new OnnxBuilder();
    net.input("x", ["N", 2, 5, 5]);
    net.floats("w", [12, 2, 3, 3], latent);
    const mean = net.node("ReduceMean", "mean", [net.node("Abs", "abs", ["w"])], { axes: [1, 2, 3] });
    net.node("Conv", "y", ["x", net.node("Mul", "scaled", [net.node("Sign", "signs", ["w"]), mean])]);
    expect(binaryLayers(runPasses(importModel(net.build(["y"]))))).toMatchObject([{ scheme: "binary", bits: 1 }]);
  });

  test.each([
    ["GreaterOrEqual", 1, -1],
    ["Greater", 1, -1],
    ["Less", -1, 1],
  ])("Where(%s(W, 0), %d, %d) times the mean of |W|: the same codes", (comparison, yes, no) => {
    const build = (signs: (net: OnnxBuilder) => string) => {
      const net = new OnnxBuilder(16);
      net.input("x", ["N", 2, 5, 5]);
      net.floats("w", [12, 2, 3, 3], latent);
      const mean = net.node("ReduceMean", "mean", [net.node("Abs", "abs", ["w"])], { axes: [1, 2, 3] });
      net.node("Conv", "y", ["x", net.node("Mul", "scaled", [signs(net), mean])]);
      return binaryLayers(runPasses(importModel(net.build(["y"]))));
    };
    const chosen = build((net) =>
      net.node("Where", "signs", [
        net.node(comparison, "holds", ["w", net.floats("zero", [], [0])]),
        net.floats("yes", [], [yes]),
        net.floats("no", [1], [no]),
      ]),
    );
    expect(chosen).toMatchObject([{ scheme: "binary", bits: 1 }]);
    expect(chosen).toEqual(build((net) => net.node("Sign", "signs", ["w"])));
  });

  test("(Sign(W) - Clip(W)) + Clip(W), and the same around activations: bits, no leftovers", async () => {
    const net = new OnnxBuilder(11);
    net.input("x", ["N", 18]);
    const limits = [net.floats("least", [], [-1]), net.floats("most", [], [1])];
    const through = (x: string, name: string) => {
      const clip = net.node("Clip", `${name}/clip`, [x, ...limits]);
      return net.node("Add", name, [
        net.node("Sub", `${name}/sub`, [net.node("Sign", `${name}/sign`, [x]), clip]),
        clip,
      ]);
    };
    net.floats("w", [12, 18], latent);
    net.node("Gemm", "y", [through("x", "signs"), through("w", "weights")], { transB: 1 });
    const imported = importModel(net.build(["y"]));
    const graph = runPasses(imported);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["sign", "dense"]);
    expect(binaryLayers(graph)).toMatchObject([{ scheme: "binary", scale: Float32Array.of(1) }]);
    const x = Float32Array.from({ length: 36 }, (_, i) => Math.fround((((i * 13) % 31) - 15) / 11));
    const feed = { x: new Tensor("f32", [2, 18], x) };
    const expected = runReference(imported, feed).y!.data as Float32Array;
    const got = await outputs(imported, x, [2, 18]);
    for (const [i, value] of expected.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-5);
  });
});
