import {
  createModel,
  type Graph,
  GraphError,
  KernelError,
  loadModel,
  OutOfRangeError,
  type RegisteredOp,
  readPacked,
  registerOp,
  UnsupportedError,
  validateGraph,
  writePacked,
} from "lowbit";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";

/** y = x < low ? low : x > high ? high : x, on the kernel of `clip`; `bias`, where it is there, is read like a value. */
const clamped = () =>
  registerOp<{ readonly low: number; readonly high: number; readonly note?: string }>({
    name: "test.clamped",
    attributes: {
      low: { test: (value) => Number.isFinite(value), wants: "a finite number" },
      high: { test: (value) => Number.isFinite(value), wants: "a finite number" },
      note: { test: (value) => typeof value === "string", wants: "a text", optional: true },
    },
    inputs: [{ dtypes: ["f32"] }, { what: "bias", dtypes: ["f32"], constant: true, optional: true }],
    lower(node, context) {
      const [x = "", bias = ""] = node.inputs;
      const { low, high } = node.attributes;
      expectTypeOf(low).toEqualTypeOf<number>();
      if (low > high) return context.refuse(node, "low above high");
      const { elementwise_clip } = context.instance.exports;
      return {
        storage: "inPlace",
        macs: (shape) => shape(x).length,
        bind({ instance, pointer, shape }) {
          const [from, to] = [pointer(x), pointer(node.outputs[0]!)];
          const count = shape(x).reduce((product, size) => product * size, 1);
          const offset = bias === "" ? 0 : instance.f32(pointer(bias), 1)[0]!;
          return () => void instance.check(elementwise_clip(from, to, count, low + offset, high + offset));
        },
      };
    },
  });

const graphWith = (node: Graph["nodes"][number], constants: Graph["constants"] = new Map()): Graph => ({
  name: "custom",
  inputs: ["x"],
  outputs: ["y"],
  values: new Map([
    ["x", { dtype: "f32", shape: ["N", 3] }],
    ["y", { dtype: "f32", shape: ["N", 3] }],
  ]),
  constants,
  nodes: [node],
});

const x = Float32Array.of(-9, -1, 0, 1, 2, 9);

describe("registerOp", () => {
  let op: ReturnType<typeof clamped> | undefined;
  afterEach(() => op?.dispose());
  const node = (fields: object = {}) =>
    op!.node({ name: "c", inputs: ["x"], outputs: ["y"], attributes: { low: -1, high: 2 }, ...fields });

  it("runs a node of the operator, and shows it in the profile", async () => {
    op = clamped();
    using model = await createModel(graphWith(node()));
    const { y } = await model.run({ x });
    expect([...(y!.data as Float32Array)]).toEqual([-1, -1, 0, 1, 2, 2]);
    const { nodes } = await model.profile({ x });
    expect(nodes).toMatchObject([{ node: "c", op: "test.clamped", kernel: "test.clamped", macs: 2 }]);
  });

  it("goes through a packed file as it is", async () => {
    op = clamped();
    const graph = graphWith(node({ attributes: { low: -1, high: 2, note: "Infinity" } }));
    const bytes = writePacked({ graph });
    expect(readPacked(bytes).graph.nodes).toEqual(graph.nodes);
    using model = await loadModel(bytes);
    expect([...((await model.run({ x })).y!.data as Float32Array)]).toEqual([-1, -1, 0, 1, 2, 2]);
  });

  it("reads constants like values", async () => {
    op = clamped();
    const bias = { kind: "plain", dtype: "f32", shape: [1], data: Float32Array.of(1) } as const;
    using model = await createModel(graphWith(node({ inputs: ["x", "b"] }), new Map([["b", bias]])));
    expect([...((await model.run({ x })).y!.data as Float32Array)]).toEqual([0, 0, 0, 1, 2, 3]);
  });

  it("is refused by name where it is not registered, also after it was disposed", async () => {
    op = clamped();
    const graph = graphWith(node());
    const bytes = writePacked({ graph });
    using running = await loadModel(bytes);
    op.dispose();
    const refusal = /node "c": operator, expected one that registerOp made known, got test.clamped/;
    expect(() => validateGraph(graph)).toThrow(GraphError);
    expect(() => readPacked(bytes)).toThrow(refusal);
    await expect(loadModel(bytes)).rejects.toThrow(refusal);
    await expect(createModel(graph)).rejects.toThrow(refusal);
    expect([...((await running.run({ x })).y!.data as Float32Array)]).toEqual([-1, -1, 0, 1, 2, 2]);
  });

  it("is checked like the operators of the library", () => {
    op = clamped();
    const wrong = (fields: object, constants?: Graph["constants"]) => () =>
      validateGraph(graphWith(node(fields), constants));
    expect(wrong({ attributes: { low: 1 } })).toThrow(
      /test.clamped "c": high, expected a finite number, got undefined/,
    );
    expect(wrong({ attributes: { low: 1, high: Number.NaN } })).toThrow(/high, expected a finite number, got NaN/);
    expect(wrong({ attributes: { low: 1, high: 2, other: 3 } })).toThrow(
      /other, expected no such attribute of test.clamped/,
    );
    expect(wrong({ inputs: [] })).toThrow(/inputs, expected 1 to 2, got 0/);
    expect(wrong({ inputs: ["nowhere"] })).toThrow(/input 0, expected a constant or a value written before/);
    expect(wrong({ inputs: ["x", "x"] })).toThrow(/input 1, expected a constant/);
    const bias = { kind: "plain", dtype: "int32", shape: [1], data: Int32Array.of(1) } as const;
    expect(wrong({ inputs: ["x", "b"] }, new Map([["b", bias]]))).toThrow(/dtype of bias, expected \[f32\], got int32/);
    const graph = graphWith(node());
    const values = new Map(graph.values).set("y", { dtype: "f32", shape: ["N", 4] });
    expect(() => validateGraph({ ...graph, values })).toThrow(/shape of the output, expected \[N, 3\], got \[N, 4\]/);
  });

  it("reports what it refuses among the nodes without a kernel", async () => {
    op = clamped();
    const graph = graphWith(node({ attributes: { low: 3, high: 2 } }));
    await expect(createModel(graph)).rejects.toThrow(UnsupportedError);
    await expect(createModel(graph)).rejects.toThrow(/test.clamped "c": low above high/);
  });

  it("takes attributes that JSON holds, and no others", () => {
    using loose = registerOp<Record<string, never>>({
      name: "test.loose",
      attributes: { any: { test: (value) => value !== undefined, wants: "anything" } },
      inputs: [{ dtypes: ["f32"] }],
      lower: () => undefined,
    });
    const of = (any: unknown) => () =>
      validateGraph(graphWith(loose.node({ name: "l", inputs: ["x"], outputs: ["y"], attributes: { any } as never })));
    for (const good of [null, 1, "a", [1, [2]], { a: { b: [true] } }]) expect(of(good)).not.toThrow();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, [[[[[1]]]]]])
      expect(of(bad)).toThrow(/any, expected what JSON holds/);
  });

  it("names the kernel that the module lacks when the model loads", async () => {
    using other: RegisteredOp = registerOp({
      name: "test.missing",
      inputs: [{ dtypes: ["f32"] }],
      lower(_, { instance }) {
        const { test_missing } = instance.exportsAs<{ test_missing(x: number): number }>();
        return { bind: () => () => void test_missing(0) };
      },
    });
    const graph = graphWith(other.node({ name: "m", inputs: ["x"], outputs: ["y"], attributes: {} }));
    await expect(createModel(graph)).rejects.toThrow(KernelError);
    await expect(createModel(graph)).rejects.toThrow(/kernel test_missing, expected .* the module that has it/);
  });

  it("refuses names without an owner, and a second operator of one name", () => {
    const make = (name: string) => () =>
      registerOp({ name: name as "a.b", inputs: [{ dtypes: ["f32"] }], lower: () => undefined });
    for (const name of ["clip", "clip.", ".clip", "a b.c", "1.2", "acme.hard-swish"])
      expect(make(name), name).toThrow(OutOfRangeError);
    op = clamped();
    expect(clamped).toThrow(/registerOp: name, expected one that is not registered yet, got test.clamped/);
    op.dispose();
    op = clamped();
  });
});
