/** What becomes of a sign: bits, trits, thresholds, or nothing. */
import type { Graph, NodeOf } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import { create, TensorProtoSchema } from "../src/onnx/schema.ts";
import { DataType, OnnxBuilder } from "./support/onnx.ts";

const signs = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7) % 3 === 0 ? -1 : 1));

/** int8 pixels -> conv ±1 [32, 1, 3, 3] -> (tail) -> sign -> conv ±1 -> output. */
function network(
  between: (net: OnnxBuilder, x: string) => string,
  second: (net: OnnxBuilder, x: string) => string = conv,
): Graph {
  const net = new OnnxBuilder(13);
  net.input("image", ["N", 1, 8, 8]);
  net.initializer(int8Scalar("zero", -128));
  net.floats("one", [], [1]);
  net.node("QuantizeLinear", "q", ["image", "one", "zero"]);
  net.node("DequantizeLinear", "dq", ["q", "one", "zero"]);
  net.floats("w1", [32, 1, 3, 3], signs(288));
  net.floats("w2", [4, 32, 3, 3], signs(1152));
  net.node("Conv", "conv1", ["dq", "w1"]);
  const x = between(net, "conv1");
  net.node("Sign", "sign1", [x]);
  return runPasses(importModel(net.build([second(net, "sign1")])));
}

function int8Scalar(name: string, value: number) {
  return create(TensorProtoSchema, { name, dataType: DataType.INT8, dims: [], rawData: Uint8Array.of(value & 255) });
}

const conv = (net: OnnxBuilder, x: string) => net.node("Conv", "conv2", [x, "w2"]);

function offset(value: number) {
  return (net: OnnxBuilder, x: string) => net.node("Add", "offset", [x, net.floats("b", [1], [value])]);
}

const ops = (graph: Graph) => graph.nodes.map(({ op }) => op);
const byName = <N = Graph["nodes"][number]>(graph: Graph, name: string) =>
  graph.nodes.find((node) => node.name === name) as N;
const dtypeBehind = (graph: Graph, name: string) => graph.values.get(byName(graph, name).outputs[0]!)!.dtype;

describe("recognize-signs", () => {
  test("an offset that no sum reaches: integers, a threshold, bits", () => {
    const graph = network(offset(-100.5));
    expect(ops(graph)).toEqual(["quantize", "reshape", "conv2d", "threshold", "conv2d", "transpose"]);
    expect(dtypeBehind(graph, "conv1")).toBe("int32");
    expect(dtypeBehind(graph, "sign1")).toBe("bit");
    expect(graph.constants.get("sign1/threshold")!).toMatchObject({ data: new Int32Array(32).fill(101) });
  });

  test("an offset that a sum reaches: the source's expression stays, the sign becomes trits", () => {
    const graph = network(offset(-100));
    expect(dtypeBehind(graph, "conv1")).toBe("f32");
    expect(dtypeBehind(graph, "sign1")).toBe("trit");
  });

  test("a max pool goes behind the comparison, to bits", () => {
    const graph = network((net, x) =>
      offset(-100.5)(net, net.node("MaxPool", "pool", [x], { kernel_shape: [2, 2], strides: [2, 2] })),
    );
    expect(ops(graph)).toEqual(["quantize", "reshape", "conv2d", "threshold", "maxPool", "conv2d", "reshape"]);
    expect(dtypeBehind(graph, "pool")).toBe("bit");
  });

  test("a falling channel behind a max pool keeps floats, and bits where no sum gives 0", () => {
    const graph = network((net, x) => {
      const pooled = net.node("MaxPool", "pool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
      return net.node("Sub", "offset", [net.floats("b", [1], [100.5]), pooled]);
    });
    expect(ops(graph)).not.toContain("threshold");
    expect(dtypeBehind(graph, "sign1")).toBe("bit");
  });

  test("a sign whose 0 counts as +1 is the one comparison that it is, also behind a falling channel's max pool", () => {
    const graph = network((net, x) => {
      const pooled = net.node("MaxPool", "pool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
      const fallen = net.node("Sub", "offset", [net.floats("b", [1], [100]), pooled]);
      const three = net.node("Sign", "three", [fallen]);
      return net.node("Add", "raised", [three, net.floats("half", [1], [0.5])]);
    });
    expect(ops(graph).filter((op) => op === "sign" || op === "add")).toEqual(["sign"]);
    expect(dtypeBehind(graph, "sign1")).toBe("bit");
  });

  test("a falling channel without a pool has its weights negated", () => {
    const upward = network(offset(-100.5));
    const graph = network((net, x) => net.node("Sub", "offset", [net.floats("b", [1], [100.5]), x]));
    expect(ops(graph)).toContain("threshold");
    const weights = (g: Graph) =>
      g.constants.get(byName<NodeOf<"conv2d">>(g, "conv1").inputs[1]!) as { codes: Uint8Array };
    // 9 weights a row in 2 bytes: the spare bits stay 0.
    expect(weights(graph).codes).toEqual(weights(upward).codes.map((byte, i) => byte ^ (i % 2 === 0 ? 0xff : 1)));
    expect(graph.constants.get("sign1/threshold")!).toMatchObject({ data: new Int32Array(32).fill(-100) });
  });

  test("a border of +1 becomes the padding of the convolution", () => {
    const graph = network(offset(-100.5), (net, x) => {
      net.floats("plus", [], [1]);
      return conv(net, net.node("Pad", "border", [x, net.ints("pads", [0, 0, 1, 1, 0, 0, 1, 1]), "plus"]));
    });
    expect(byName<NodeOf<"conv2d">>(graph, "conv2").attributes).toMatchObject({ padding: "one", pads: [1, 1, 1, 1] });
    expect(ops(graph)).not.toContain("pad");
  });

  test("a border of +1 around something that can be 0 stays float", () => {
    const graph = network(offset(-100), (net, x) => {
      net.floats("plus", [], [1]);
      return conv(net, net.node("Pad", "border", [x, net.ints("pads", [0, 0, 1, 1, 0, 0, 1, 1]), "plus"]));
    });
    expect(dtypeBehind(graph, "sign1")).toBe("f32");
    expect(ops(graph)).toContain("pad");
  });

  test("weights of more than two values keep the sign float", () => {
    const graph = network(offset(-100.5), (net, x) => {
      net.floats(
        "w3",
        [4, 32, 3, 3],
        Float32Array.from({ length: 1152 }, (_, i) => i - 500),
      );
      return net.node("Conv", "conv2", [x, "w3"]);
    });
    expect(dtypeBehind(graph, "sign1")).toBe("f32");
  });

  test("the sign of a plain float input can be 0", () => {
    const net = new OnnxBuilder(13);
    net.input("x", ["N", 16]);
    net.floats("w", [16, 3], signs(48));
    net.node("Sign", "s", ["x"]);
    const graph = runPasses(importModel(net.build([net.node("MatMul", "y", ["s", "w"])])));
    expect(dtypeBehind(graph, "s")).toBe("trit");
    expect(graph.constants.get("y/weight/binary")).toMatchObject({ kind: "quantized", bits: 1, scaleShape: [1, 1] });
  });
});
