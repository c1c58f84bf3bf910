/** Functions of a model's own, and branches of conditions that are known: what importers see is neither. */
import { createModel, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  create,
  FunctionProtoSchema,
  fromBinary,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  toBinary,
  ValueInfoProtoSchema,
} from "../src/onnx/schema.ts";
import { DataType, floatTensor, OnnxBuilder } from "./support/onnx.ts";

const DOMAIN = "own";

type Attributes = readonly Partial<AttributeProto>[];

const call = (
  opType: string,
  input: string[],
  output: string[],
  attributes: Attributes = [],
  domain = DOMAIN,
): NodeProto =>
  create(NodeProtoSchema, {
    ...{ opType, input, output, domain },
    attribute: attributes.map((one) => create(AttributeProtoSchema, one as AttributeProto)),
  });
const operator = (opType: string, input: string[], output: string[], attributes: Attributes = []) =>
  call(opType, input, output, attributes, "");

const float = (name: string, f: number) => ({ name, type: AttributeType.FLOAT, f });
const reference = (name: string, refAttrName: string) => ({ name, type: AttributeType.FLOAT, refAttrName });
const graphOf = (name: string, g: GraphProto) => ({ name, type: AttributeType.GRAPH, g });

const define = (
  name: string,
  input: string[],
  output: string[],
  node: NodeProto[],
  attributeProto: Attributes = [],
  version = 17n,
) =>
  create(FunctionProtoSchema, {
    ...{ name, domain: DOMAIN, input, output, node, opsetImport: [{ domain: "", version }] },
    attributeProto: attributeProto.map((one) => create(AttributeProtoSchema, one as AttributeProto)),
  });

const branch = (node: NodeProto[], output: string, initializer: GraphProto["initializer"] = []) =>
  create(GraphProtoSchema, { node, initializer, output: [create(ValueInfoProtoSchema, { name: output })] });

/** A model of x f32 [n, 3] with these nodes and functions. */
function file(node: NodeProto[], functions: ReturnType<typeof define>[] = [], edit?: (net: OnnxBuilder) => void) {
  const net = new OnnxBuilder(17);
  net.input("x", ["n", 3]);
  edit?.(net);
  const model = fromBinary(
    ModelProtoSchema,
    net.build(["y"], (graph) => graph.node.push(...node)),
  );
  model.functions.push(...functions);
  return toBinary(ModelProtoSchema, model);
}

async function run(bytes: Uint8Array, x: number[]): Promise<number[]> {
  using model = await createModel(runPasses(importModel(bytes)), { tier: "simd128" });
  const { y } = await model.run({ x: new Tensor("f32", [x.length / 3, 3], Float32Array.from(x)) });
  return Array.from(y!.data as Float32Array);
}

const x = [-1, 2, -4, 8, -16, 32];

describe("functions", () => {
  const leak = define(
    "Leak",
    ["a"],
    ["b", "same"],
    [operator("LeakyRelu", ["a"], ["b"], [reference("alpha", "slope")])],
    [float("slope", 0.5)],
  );
  const twice = define(
    "Twice",
    ["a"],
    ["c"],
    [
      call("Leak", ["a"], ["b", ""], [reference("slope", "first")]),
      call("Leak", ["b"], ["other", ""]),
      operator("Add", ["b", "other"], ["c"]),
    ],
  );
  const leaky = (slope: number) => (v: number) => (v < 0 ? v * slope : v);

  test("attributes of the call, defaults, calls in calls; the same one again", async () => {
    const nodes = [
      call("Twice", ["x"], ["t"], [float("first", 0.25)]),
      call("Twice", ["t"], ["y"], [float("first", 2)]),
    ];
    const both = (first: number) => (v: number) => leaky(first)(v) + leaky(0.5)(leaky(first)(v));
    expect(await run(file(nodes, [leak, twice]), x)).toEqual(x.map(both(0.25)).map(both(2)));
  });

  test("an attribute that neither the call nor the function has is the operator's default", async () => {
    const bare = define("Bare", ["a"], ["b"], [operator("LeakyRelu", ["a"], ["b"], [reference("alpha", "slope")])]);
    expect(await run(file([call("Bare", ["x"], ["y"])], [bare]), x)).toEqual(
      x.map((v) => Math.fround(leaky(Math.fround(0.01))(v))),
    );
  });

  test("an input that is an output as well", async () => {
    const pass = define("Pass", ["a"], ["a"], []);
    const nodes = [call("Pass", ["x"], ["p"]), operator("Neg", ["p"], ["y"])];
    expect(await run(file(nodes, [pass]), x)).toEqual(x.map((v) => -v));
  });

  test.each<[string, RegExp, NodeProto[], ReturnType<typeof define>[]]>([
    [
      "one that calls itself by way of another",
      /none that calls itself/,
      [call("A", ["x"], ["y"])],
      [define("A", ["a"], ["b"], [call("B", ["a"], ["b"])]), define("B", ["a"], ["b"], [call("A", ["a"], ["b"])])],
    ],
    [
      "a kilobyte that becomes billions of nodes",
      /at most 65536/,
      [call("F0", ["x"], ["y"])],
      Array.from({ length: 10 }, (_, i) =>
        define(
          `F${i}`,
          ["a"],
          ["b9"],
          i === 9
            ? [operator("Neg", ["a"], ["b9"])]
            : Array.from({ length: 10 }, (_, k) => call(`F${i + 1}`, ["a"], [`b${k}`])),
        ),
      ),
    ],
    [
      "another operator set",
      /operator set of function "Old", expected 17, got 16/,
      [call("Old", ["x"], ["y"])],
      [define("Old", ["a"], ["b"], [operator("Neg", ["a"], ["b"])], [], 16n)],
    ],
    ["a call without outputs", /at least one/, [call("Pass", ["x"], [""])], [define("Pass", ["a"], ["a"], [])]],
    ["a function that is not there", /own\.Gone/, [call("Gone", ["x"], ["y"])], []],
  ])("refused: %s", (_name, message, nodes, functions) => {
    expect(() => importModel(file(nodes, functions))).toThrow(message);
  });
});

describe("If", () => {
  const negate = branch([operator("Neg", ["x"], ["inner"])], "inner");
  // Reads a value of the outer graph, and one of its own of the same name as the other branch's.
  const scale = branch([operator("Mul", ["a", "two"], ["inner"])], "inner", [floatTensor("two", [1], [2])]);
  const unknown = branch([call("Gone", ["x"], ["inner"])], "inner");
  const choose = (condition: string, then: GraphProto, otherwise: GraphProto, output = "y") =>
    operator("If", [condition], [output], [graphOf("then_branch", then), graphOf("else_branch", otherwise)]);
  const doubled = operator("Add", ["x", "x"], ["a"]);
  const condition = (value: number) => (net: OnnxBuilder) =>
    net.initializer({ ...floatTensor("c", [], []), dataType: DataType.BOOL, rawData: Uint8Array.of(value) });

  test.each([1, 0])("a constant condition %i; the branch that is not taken may hold anything", async (value) => {
    const nodes = [doubled, value ? choose("c", scale, unknown) : choose("c", unknown, negate)];
    expect(await run(file(nodes, [], condition(value)), x)).toEqual(x.map((v) => (value ? 4 * v : -v)));
  });

  test("a condition that follows from known sizes, in any order of the nodes", async () => {
    const nodes = [
      choose("c", scale, unknown),
      doubled,
      operator("Shape", ["x"], ["s"], [{ name: "start", type: AttributeType.INT, i: 1n }]),
      operator("Equal", ["s", "three"], ["c"]),
    ];
    expect(
      await run(
        file(nodes, [], (net) => net.ints("three", [3])),
        x,
      ),
    ).toEqual(x.map((v) => 4 * v));
  });

  test("in a function that is called twice", async () => {
    const own = define("Own", ["x", "c"], ["r"], [operator("Add", ["x", "x"], ["a"]), choose("c", scale, negate, "r")]);
    const nodes = [call("Own", ["x", "c"], ["t"]), call("Own", ["t", "c"], ["y"])];
    expect(await run(file(nodes, [own], condition(1)), x)).toEqual(x.map((v) => 16 * v));
  });

  test.each<[string, RegExp, NodeProto[]]>([
    [
      "a condition of the data",
      /a condition computed at run time/,
      [operator("Less", ["x", "x"], ["l"]), doubled, choose("l", scale, negate)],
    ],
    ["a branch that reads what nobody writes", /a value of the graph, got "a"/, [choose("c", scale, negate)]],
    ["no branch", /attribute then_branch, expected a graph, got none/, [operator("If", ["c"], ["y"])]],
  ])("refused: %s", (_name, message, nodes) => {
    expect(() => importModel(file(nodes, [], condition(1)))).toThrow(message);
  });
});
