import {
  createModel,
  DisposedError,
  DTypeError,
  type Graph,
  GraphError,
  InputError,
  LoadError,
  loadModel,
  type Model,
  NotFiniteError,
  OutOfRangeError,
  type Part,
  readSource,
  ShapeError,
  Tensor,
  type Tier,
  UnsupportedError,
  writePacked,
} from "lowbit";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { bundledWasm } from "../src/bundled.ts";
import { GraphBuilder, square } from "../src/testing/builder.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { integerCnn } from "../src/testing/random-graphs.ts";
import { interpret, runReference } from "../src/testing/reference.ts";

interface Small {
  inputs: { x: Tensor<"f32">; gain: Tensor<"f32"> };
  outputs: { "dense1.y": Tensor<"f32"> };
}

/** y = W (x * gain), x [N, 6], gain [N, 1] -> [N, 3]. */
function small(): Graph {
  const random = new RandomData(5);
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 6]);
  const gain = builder.input("gain", "f32", ["N", 1]);
  const scaled = builder.node("mul", [x, gain], {}, "f32");
  const weight = builder.plain("f32", [3, 6], random.floats(18));
  return builder.build(builder.node("dense", [scaled, weight], {}, "f32"));
}

const feedOf = (batch: number) => ({
  x: new Tensor("f32", [batch, 6], new RandomData(batch).floats(batch * 6)),
  gain: new Tensor("f32", [batch, 1], new RandomData(batch + 1).floats(batch)),
});

describe("Model", () => {
  let model: Model<Small>;
  beforeAll(async () => {
    model = await loadModel<Small>(writePacked({ graph: small() }));
  });
  afterAll(() => model.dispose());

  it("has the types that the caller names", async () => {
    const outputs = await model.run(feedOf(1));
    expectTypeOf(outputs["dense1.y"]).toEqualTypeOf<Tensor<"f32">>();
    expectTypeOf(outputs["dense1.y"].data).toEqualTypeOf<Float32Array>();
  });

  it("describes its inputs and outputs", () => {
    expect(model.inputs).toEqual([
      { name: "x", dtype: "f32", shape: ["N", 6] },
      { name: "gain", dtype: "f32", shape: ["N", 1] },
    ]);
    expect(model.outputs).toEqual([{ name: "dense1.y", dtype: "f32", shape: ["N", 3] }]);
    expect(model.labels).toEqual([]);
  });

  it("runs any batch size, in any order, to the reference's result", async () => {
    for (const batch of [1, 64, 3, 64, 1, 200, 3, ...Array.from({ length: 12 }, (_, i) => i + 1)]) {
      const feed = feedOf(batch);
      expect(await model.run(feed)).toEqual(runReference(small(), feed));
    }
  });

  it("takes bare arrays, whose length gives the batch", async () => {
    const { x, gain } = feedOf(4);
    expect(await model.run({ x: x.data, gain: gain.data })).toEqual(await model.run({ x, gain }));
  });

  it("gives outputs that later runs leave alone", async () => {
    const first = (await model.run(feedOf(2)))["dense1.y"];
    const copy = first.data.slice();
    await model.run(feedOf(3));
    expect(first.data).toEqual(copy);
  });

  it("runInto writes the same numbers into the caller's arrays and tensors", async () => {
    const feed = feedOf(5);
    const wanted = (await model.run(feed))["dense1.y"];
    const data = new Float32Array(15);
    model.runInto(feed, { "dense1.y": data });
    expect(data).toEqual(wanted.data);
    const tensor = new Tensor("f32", [5, 3]);
    model.runInto(feed, { "dense1.y": tensor });
    expect(tensor).toEqual(wanted);
  });

  it.skipIf(typeof globalThis.process?.memoryUsage !== "function")(
    "runInto makes no garbage that grows with the number of runs",
    () => {
      const feed = feedOf(8);
      const outputs = { "dense1.y": new Float32Array(24) };
      const runs = (count: number) => {
        for (let i = 0; i < count; i++) model.runInto(feed, outputs);
      };
      runs(20_000);
      const before = process.memoryUsage();
      runs(20_000);
      const after = process.memoryUsage();
      // One view a run would be 20,000 of more than 100 bytes.
      expect(after.heapUsed - before.heapUsed).toBeLessThan(1_000_000);
      expect(after.arrayBuffers).toBe(before.arrayBuffers);
    },
  );

  it.each([
    ["a missing input", { x: new Float32Array(6) }, InputError, /run: names, expected gain, got x/],
    ["an unknown input", { ...feedOf(1), z: new Float32Array(1) }, InputError, /names, expected x, gain, got z/],
    ["a name from the prototype", { ...feedOf(1), toString: new Float32Array(1) }, InputError, /got toString/],
    [
      "another dtype",
      { ...feedOf(1), x: new Tensor("int8", [1, 6]) },
      DTypeError,
      /dtype of "x", expected f32, got int8/,
    ],
    [
      "another array",
      { ...feedOf(1), x: new Float64Array(6) },
      DTypeError,
      /expected Tensor of f32 or Float32Array, got Float64Array/,
    ],
    ["a number", { ...feedOf(1), x: 3 }, DTypeError, /got number/],
    ["null", { ...feedOf(1), x: null }, DTypeError, /got object/],
    [
      "another size",
      { ...feedOf(1), x: new Tensor("f32", [1, 7]) },
      ShapeError,
      /shape of "x", expected \[N, 6\], got \[1, 7\]/,
    ],
    ["another rank", { ...feedOf(1), x: new Tensor("f32", [6]) }, ShapeError, /got \[6\]/],
    ["two batches", { ...feedOf(1), x: feedOf(2).x }, ShapeError, /shape of "gain", expected \[N, 1\], got \[1, 1\]/],
    ["an empty batch", feedOf(0), ShapeError, /sizes of "x", expected 1 or more/],
    [
      "a length that is no multiple",
      { ...feedOf(1), x: new Float32Array(7) },
      ShapeError,
      /elements of "x", expected a multiple of 6, got 7/,
    ],
    [
      "a NaN",
      { ...feedOf(1), x: Float32Array.of(1, 2, Number.NaN, 4, 5, 6) },
      NotFiniteError,
      /"x", expected finite numbers, got a NaN or an infinity at element 2/,
    ],
  ])("refuses %s by name", async (_, feed, error, message) => {
    await expect(model.run(feed as never)).rejects.toThrow(error);
    await expect(model.run(feed as never)).rejects.toThrow(message);
  });

  it("refuses outputs of another size before it writes any", () => {
    const data = new Float32Array(14).fill(7);
    expect(() => model.runInto(feedOf(5), { "dense1.y": data })).toThrow(ShapeError);
    expect(() => model.runInto(feedOf(5), { "dense1.y": new Tensor("f32", [3, 5]) })).toThrow(
      /expected \[5, 3\], got \[3, 5\]/,
    );
    expect(() => model.runInto(feedOf(5), {} as never)).toThrow(InputError);
    expect(() => model.runInto(feedOf(5), { "dense1.y": data, more: data } as never)).toThrow(InputError);
    expect(data.every((value) => value === 7)).toBe(true);
  });

  it("profiles every kernel call", async () => {
    const { nodes, tier, ms, runs } = await model.profile(feedOf(10), { runs: 3 });
    expect(tier).toBe(model.tier);
    expect(runs).toBe(3);
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(nodes.map(({ node, op, kernel, macs }) => ({ node, op, kernel, macs }))).toEqual([
      { node: "mul0", op: "mul", kernel: "elementwise", macs: 0 },
      { node: "dense1", op: "dense", kernel: "gemm_f32", macs: 180 },
    ]);
    expect((await model.profile()).nodes[1]?.macs).toBe(18);
    await expect(model.profile(undefined, { runs: 0 })).rejects.toThrow(OutOfRangeError);
  });

  it("throws DisposedError after dispose, which may be called twice", async () => {
    const other = await createModel(small());
    other.dispose();
    other.dispose();
    await expect(other.run(feedOf(1))).rejects.toThrow(DisposedError);
    expect(() => other.runInto(feedOf(1), {})).toThrow(DisposedError);
    await expect(other.profile()).rejects.toThrow(DisposedError);
  });
});

describe("createModel", () => {
  it("returns values on the way where they are asked for, as the reference has them", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { graph, feed } = integerCnn(seed);
      const taps = graph.nodes.map((node) => node.outputs[0]!).filter((name) => !graph.outputs.includes(name));
      using model = await createModel(graph, { taps });
      const outputs = await model.run(feed);
      const wanted = interpret(graph, feed);
      for (const name of taps) expect(Array.from(outputs[name]!.data, Number)).toEqual([...wanted.get(name)!.data]);
    }
  });

  it("does not fuse over a value that is asked for", async () => {
    const random = new RandomData(9);
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 20]);
    const sign = builder.node("sign", [x], {}, "trit");
    const sums = builder.node(
      "dense",
      [sign, builder.quantized(random.weight({ shape: [4, 20], kind: "sign" }))],
      {},
      "int32",
    );
    const [scale, bias] = [random.positive(4), random.floats(4)].map((data) => builder.plain("f32", [4], data));
    const y = builder.node("affine", [sums, scale!, bias!], {}, "f32");
    const graph = builder.build(y);
    const feed = { x: new Tensor("f32", [2, 20], random.floats(40)) };
    using fused = await createModel(graph);
    using tapped = await createModel(graph, { taps: [sums] });
    expect((await fused.profile()).nodes.map(({ node }) => node)).toEqual(["sign0", "dense1 + affine2"]);
    expect((await tapped.profile()).nodes.map(({ node }) => node)).toEqual(["sign0", "dense1", "affine2"]);
    const outputs = await tapped.run(feed);
    expect(outputs[y]).toEqual((await fused.run(feed))[y]);
    expect([...(outputs[sums]!.data as Int32Array)]).toEqual([...interpret(graph, feed).get(sums)!.data]);
    await expect(createModel(graph, { taps: ["none"] })).rejects.toThrow(OutOfRangeError);
    await expect(createModel(graph, { taps: [sign] })).rejects.toThrow(DTypeError);
  });

  it("computes nothing that no output needs", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 4]);
    builder.node("tanh", [x], {}, "f32");
    using model = await createModel(builder.build(builder.node("clip", [x], { min: 0, max: 1 }, "f32")));
    expect((await model.profile()).nodes.map(({ op }) => op)).toEqual(["clip"]);
  });

  it("lets values that are not alive together share memory", async () => {
    const builder = new GraphBuilder();
    let x = builder.input("x", "f32", ["N", 1000]);
    for (let i = 0; i < 20; i++) x = builder.node("add", [x, builder.plain("f32", [1], Float32Array.of(1))], {}, "f32");
    using model = await createModel(builder.build(x));
    expect((await model.profile()).arenaBytes).toBeLessThanOrEqual(2 * 4032);
    const { [x]: y } = await model.run({ x: new Float32Array(1000) });
    expect(y!.data.every((value) => value === 20)).toBe(true);
  });

  it("gives NaNs one bit pattern", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 4]);
    using model = await createModel(builder.build(builder.node("sub", [x, x], {}, "f32")));
    const infinite = new Float32Array(4).fill(Number.POSITIVE_INFINITY);
    const { "sub0.y": y } = await model.run({ x: infinite });
    expect([...new Uint32Array(y!.data.buffer)]).toEqual(Array(4).fill(0x7fc00000));
  });

  it("takes int64, bool and f16 in and out", async () => {
    const builder = new GraphBuilder();
    const long = builder.input("long", "int64", ["N"]);
    const half = builder.input("half", "f16", ["N"]);
    const fromLong = builder.node("cast", [long], { to: "f32" }, "f32");
    const fromHalf = builder.node("cast", [half], { to: "f32" }, "f32");
    const sum = builder.node("add", [fromLong, fromHalf], {}, "f32");
    const casts = (["int64", "f16", "bool", "int8"] as const).map((to) => builder.node("cast", [sum], { to }, to));
    using model = await createModel(builder.build(...casts));
    const outputs = await model.run({ long: BigInt64Array.of(-3n, 3n), half: Uint16Array.of(0x3c00, 0xc200) });
    expect(casts.map((name) => Array.from(outputs[name]!.data, Number))).toEqual([
      [-2, 0],
      [0xc000, 0],
      [1, 0],
      [-2, 0],
    ]);
  });

  it("names every node that has no kernel, at once", async () => {
    const random = new RandomData(2);
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 8, 8, 3]);
    const bits = builder.node("sign", [x], {}, "bit");
    const weight = builder.quantized(random.weight({ shape: [4, 3, 3, 3], kind: "affine", bits: 2 }));
    const a = builder.node("conv2d", [bits, weight], { ...square(3), groups: 1, padding: "zero" }, "f32");
    const trits = builder.node("sign", [x], {}, "trit");
    const b = builder.node("transpose", [trits], { permutation: [0, 3, 1, 2] }, "trit");
    const c = builder.node("cast", [b], { to: "f32" }, "f32");
    const making = createModel(builder.build(a, c));
    await expect(making).rejects.toThrow(UnsupportedError);
    const error = (await making.catch((reason) => reason)) as UnsupportedError;
    expect(error.nodes).toHaveLength(2);
    expect(error.message).toMatch(
      /conv2d "conv2d1": bit x test:affine2 .*; transpose "transpose3": trit with permutation/,
    );
  });

  it("computes with constants where operators take two values, and names what should have been folded", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 2]);
    const two = builder.plain("f32", [1, 2], Float32Array.of(3, 4));
    const sum = builder.node("add", [two, two], {}, "f32");
    const y = builder.node("mul", [x, sum], {}, "f32");
    using model = await createModel(builder.build(y));
    expect([...(await model.run({ x: Float32Array.of(1, 2, 3, 4) }))[y]!.data]).toEqual([6, 16, 18, 32]);
    const folded = builder.node("add", [builder.node("tanh", [two], {}, "f32"), x], {}, "f32");
    await expect(createModel(builder.build(folded))).rejects.toThrow(/tanh "tanh2": of a constant/);
  });

  it("refuses a graph that is not valid", async () => {
    await expect(createModel({ ...small(), outputs: ["none"] })).rejects.toThrow(GraphError);
  });
});

describe("loadModel", () => {
  const bytes = writePacked({ graph: small() });

  it("throws the signal's reason", async () => {
    const reason = new Error("stop");
    await expect(loadModel(bytes, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("takes the module from the caller: bytes, a compiled module, or a function of the tier", async () => {
    const wasm = await readSource(bundledWasm("scalar", "all"));
    const asked: string[] = [];
    const provider = (tier: Tier, part: Part) => {
      asked.push(`${part} ${tier}`);
      return wasm;
    };
    for (const source of [wasm, await WebAssembly.compile(wasm), provider]) {
      using model = await loadModel(bytes, { wasm: source, tier: "scalar" });
      expect(model.tier).toBe("scalar");
      expect(await model.run(feedOf(1))).toEqual(runReference(small(), feedOf(1)));
    }
    // Only once the file says which.
    expect(asked).toEqual(["floats scalar"]);
  });

  it("names the kernel that a module of the caller's lacks", async () => {
    const wasm = await readSource(bundledWasm("scalar", "bits"));
    await expect(loadModel(bytes, { wasm, tier: "scalar" })).rejects.toThrow(/expected lowbit\.<tier>\.wasm/);
  });

  it("names a module that does not compile", async () => {
    await expect(loadModel(bytes, { wasm: Uint8Array.of(1, 2, 3) })).rejects.toThrow(LoadError);
  });
});
