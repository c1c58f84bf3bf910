/** Operators that read or write at places which indices name, and what makes numbers or cuts by place: random ones against their references. */
import { createModel, type OpsAttributes, OutOfRangeError, Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode, type Given } from "./check.ts";

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);
const sizeOf = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1);
const reductions = ["none", "add", "mul", "min", "max"] as const;

class Case extends RandomData {
  readonly shape: readonly number[];

  constructor(seed: number, least = 1) {
    super(seed);
    this.shape = Array.from({ length: this.between(least, 4) }, () => this.between(1, 5));
  }

  /** A type that every reduction knows, or one of bits alone. */
  tensor(shape: readonly number[], reduction: (typeof reductions)[number] = "none", seed = this.below(5)): Tensor {
    const size = sizeOf(shape);
    const small = this.integers(size, -3, 3);
    return [
      () =>
        new Tensor(
          "f32",
          shape,
          Float32Array.from(small, (v) => v / 2),
        ),
      () => new Tensor("int64", shape, BigInt64Array.from(small, BigInt)),
      () => new Tensor("int8", shape, Int8Array.from(small)),
      () => new Tensor("f64", shape, Float64Array.from(small)),
      () =>
        reduction === "none"
          ? new Tensor("f16", shape, Uint16Array.from(this.bytes(size)))
          : new Tensor("int16", shape, Int16Array.from(small)),
    ][seed]!();
  }

  /** Indices of axes of these sizes, the last axis of `shape` going through them. */
  indices(shape: readonly number[], sizes: readonly number[]): Given {
    const list = Array.from({ length: sizeOf(shape) }, (_, i) => {
      const size = sizes[i % sizes.length]!;
      return this.between(-size, size - 1);
    });
    const tensor = this.below(2)
      ? new Tensor("int64", shape, BigInt64Array.from(list, BigInt))
      : new Tensor("int32", shape, Int32Array.from(list));
    return { tensor, as: this.pick(["input", "constant"] as const) };
  }

  given(tensor: Tensor): Given {
    return { tensor, as: this.pick(["input", "constant"] as const) };
  }
}

describe("gather", () => {
  it.each(seeds(20))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const axis = c.between(-c.shape.length, c.shape.length - 1);
    const shape = seeds(c.below(3)).map(() => c.between(0, 4));
    const x: Given = { tensor: c.tensor(c.shape), as: c.pick(["input", "symbolic", "constant"]) };
    await checkNode("gather", [x, c.indices(shape, [c.shape.at(axis)!])], { axis });
  });

  it("of sizes, before the run", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 3]);
    const shape = builder.ops("shape", [x], { start: 0, end: 2, count: false });
    const rows = builder.ops("gather", [...shape, builder.plain("int64", [1], BigInt64Array.of(-2n))], { axis: 0 });
    const y = builder.input("y", "f32", [1]);
    const model = await createModel(builder.build(...builder.ops("expand", [y, ...rows], {})));
    const results = await model.run({ x: new Tensor("f32", [4, 3]), y: new Tensor("f32", [1]) });
    expect(Object.values(results)[0]!.shape).toEqual([4]);
    model.dispose();
  });

  it("refuses an index beyond its axis, with the number", async () => {
    const builder = new GraphBuilder();
    const inputs = [builder.input("x", "f32", [3, 2]), builder.input("at", "int64", [2])];
    const model = await createModel(builder.build(...builder.ops("gather", inputs, { axis: 0 })));
    const run = (at: bigint) => model.run({ x: new Tensor("f32", [3, 2]), at: BigInt64Array.of(0n, at) });
    await expect(run(3n)).rejects.toThrow(/gather: index, expected 2, got 3/);
    await expect(run(-4n)).rejects.toThrow(OutOfRangeError);
    await expect(run(-3n)).resolves.toBeDefined();
    model.dispose();
  });
});

describe("gatherElements, scatterElements", () => {
  it.each(seeds(30))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const axis = c.between(-c.shape.length, c.shape.length - 1);
    const at = axis < 0 ? axis + c.shape.length : axis;
    const shape = c.shape.map((size, a) => (a === at ? c.between(0, 6) : c.between(1, size)));
    const size = c.shape[at]!;
    await checkNode("gatherElements", [c.given(c.tensor(c.shape)), c.indices(shape, [size])], { axis });
    const reduction = c.pick(reductions);
    const type = c.below(5);
    await checkNode(
      "scatterElements",
      [
        c.given(c.tensor(c.shape, reduction, type)),
        c.indices(shape, [size]),
        c.given(c.tensor(shape, reduction, type)),
      ],
      { axis, reduction },
    );
  });
});

describe("gatherNd, scatterNd", () => {
  it.each(seeds(30))("random ones, seed %i", async (seed) => {
    const c = new Case(seed, 2);
    const batchDims = c.between(0, c.shape.length - 1);
    const tuple = c.between(1, c.shape.length - batchDims);
    const named = c.shape.slice(batchDims, batchDims + tuple);
    const shape = [...c.shape.slice(0, batchDims), ...seeds(c.below(2)).map(() => c.between(0, 4)), tuple];
    await checkNode("gatherNd", [c.given(c.tensor(c.shape)), c.indices(shape, named)], { batchDims });
    const reduction = c.pick(reductions);
    const type = c.below(5);
    const first = c.shape.slice(0, tuple);
    const many = [c.between(0, 5), tuple];
    const updates = c.tensor([many[0]!, ...c.shape.slice(tuple)], reduction, type);
    await checkNode(
      "scatterNd",
      [c.given(c.tensor(c.shape, reduction, type)), c.indices(many, first), c.given(updates)],
      { reduction },
    );
  });
});

describe("oneHot", () => {
  it.each(seeds(15))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const depth = c.between(1, 5);
    const axis = c.between(-c.shape.length - 1, c.shape.length);
    const size = new Tensor("int64", c.below(2) ? [] : [1], BigInt64Array.of(BigInt(depth)));
    // Beyond the axis on both sides, too.
    await checkNode("oneHot", [c.indices(c.shape, [depth + 2]), c.given(size), c.given(c.tensor([2]))], { axis });
  });
});

describe("range, trilu, centerCropPad, reshapeTo, join", () => {
  const scalar = (dtype: "f32" | "f64" | "int16" | "int32" | "int64", value: number) =>
    dtype === "int64"
      ? new Tensor(dtype, [], BigInt64Array.of(BigInt(value)))
      : new Tensor(
          dtype,
          [],
          { f32: Float32Array, f64: Float64Array, int16: Int16Array, int32: Int32Array }[dtype].of(value) as never,
        );
  const list = (values: readonly number[]) => new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt));

  it.each(seeds(20))("random ones, seed %i", async (seed) => {
    const c = new Case(seed, 2);
    const dtype = c.pick(["f32", "f64", "int16", "int32", "int64"] as const);
    const numbers = [c.between(-9, 9), c.between(-9, 9), c.pick([-3, -1, 1, 2])];
    await checkNode(
      "range",
      numbers.map((value) => c.given(scalar(dtype, value))),
      {},
    );

    const x = c.tensor(c.shape);
    const k = c.below(3) ? c.given(scalar("int64", c.pick([-7, -1, 0, 1, 2, 7]))) : undefined;
    await checkNode("trilu", [c.given(x), ...(k ? [k] : [])], { upper: c.below(2) === 0 });

    const axes = c.shape.map((_, axis) => axis).filter(() => c.below(2) > 0);
    const all = axes.length === c.shape.length || axes.length === 0;
    const attributes: OpsAttributes["centerCropPad"] = all ? {} : { axes };
    const sizes = (all ? c.shape : axes).map(() => c.between(1, 8));
    await checkNode("centerCropPad", [c.given(x), c.given(list(sizes))], attributes);

    const [first = 1, ...others] = c.shape;
    const rest = sizeOf(others);
    const target = c.pick([[-1], [first, -1], [0, -1, rest], [1, first * rest], [rest, first, 1]]);
    await checkNode("reshapeTo", [c.given(x), c.given(list(target))], { allowZero: false });

    const axis = c.between(-c.shape.length, c.shape.length - 1);
    const parts = seeds(c.between(1, 3)).map((): Given => {
      const shape = c.shape.with(axis, c.between(1, 4));
      return { tensor: c.tensor(shape, "none", 1), as: c.pick(["input", "symbolic", "constant"]) };
    });
    await checkNode("join", parts, { axis });
  });

  it("refuse what cannot be one, by name", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", [4, 3]);
    const sizes = (...values: number[]) => builder.plain("int64", [values.length], BigInt64Array.from(values, BigInt));
    expect(() => builder.ops("reshapeTo", [x, sizes(5, -1)], { allowZero: false })).toThrow(
      /elements of the new shape, expected \[4, 3\], got \[5, -1\]/,
    );
    expect(() => builder.ops("reshapeTo", [x, sizes(-1, -1)], { allowZero: false })).toThrow(/at most one -1/);
    expect(() => builder.ops("range", [sizes(0), sizes(4), sizes(0)], {})).toThrow(
      /delta, expected a number other than 0/,
    );
    expect(() => builder.ops("scatterElements", [x, sizes(1), x], { axis: 0, reduction: "none" })).toThrow(
      /axes of the indices, expected 2, got 1/,
    );
    expect(() => builder.ops("gatherNd", [x, builder.input("i", "int64", [2, 3])], { batchDims: 0 })).toThrow(
      /last axis of the indices/,
    );
  });
});
