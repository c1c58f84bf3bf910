/** Operators that move elements and look into none, random ones of several element sizes. */
import { createModel, Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { evaluatedOps } from "../../src/ops/evaluate.ts";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode, type Given } from "./check.ts";

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);
const list = (values: readonly number[]) => new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt));

/** A random node's pieces. */
class Case extends RandomData {
  readonly shape: readonly number[];

  constructor(seed: number, most = 4) {
    super(seed);
    this.shape = Array.from({ length: this.between(1, most) }, () => this.between(1, 5));
  }

  tensor(shape: readonly number[] = this.shape): Tensor {
    const size = shape.reduce((product, d) => product * d, 1);
    const bytes = this.bytes(size);
    return this.pick([
      () => new Tensor("f32", shape, this.floats(size)),
      () => new Tensor("uint8", shape, Uint8Array.from(bytes)),
      () => new Tensor("int16", shape, Int16Array.from(bytes)),
      () => new Tensor("int64", shape, BigInt64Array.from(bytes, BigInt)),
    ])();
  }

  x(tensor = this.tensor()): Given {
    return { tensor, as: this.pick(["input", "symbolic", "constant"] as const) };
  }

  list(values: readonly number[]): Given {
    return { tensor: list(values), as: this.pick(["input", "constant"] as const) };
  }

  /** An axis of x, counted from the front or the end. */
  axis(): number {
    const { length } = this.shape;
    return this.between(-length, length - 1);
  }
}

describe("split", () => {
  it.each(seeds(20))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const axis = c.axis();
    const size = c.shape.at(axis)!;
    const first = c.between(0, size);
    const isEqual = c.below(2) === 0;
    const tensor = c.tensor();
    await checkNode(
      "split",
      isEqual ? [{ tensor, as: c.pick(["input", "constant"]) }] : [c.x(tensor), c.list([first, 0, size - first])],
      { axis },
      { outputs: 3 },
    );
  });

  it("refuses sizes that do not make the axis", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", [4, 2]);
    const sizes = builder.plain("int64", [2], BigInt64Array.of(1n, 2n));
    expect(() => builder.ops("split", [x, sizes], { axis: 0 }, 2)).toThrow(
      /sizes, expected 2 of 0 or more that make 4, got \[1, 2\]/,
    );
  });
});

describe("expand", () => {
  it.each(seeds(20))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const x = c.shape.map((size) => (c.below(2) ? 1 : size));
    const wanted = [
      ...seeds(c.below(2)).map(() => 3),
      ...c.shape.map((size, axis) => (x[axis] === 1 ? size : c.pick([1, size]))),
    ];
    await checkNode("expand", [{ tensor: c.tensor(x), as: c.pick(["input", "constant"]) }, c.list(wanted)], {});
  });

  it("refuses a size that is neither", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", [4, 2]);
    const shape = builder.plain("int64", [1], BigInt64Array.of(3n));
    expect(() => builder.ops("expand", [x, shape], {})).toThrow(/shape, expected 1 or 2, got 3/);
  });
});

describe("tile", () => {
  it.each(seeds(20))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    await checkNode("tile", [c.x(), c.list(c.shape.map(() => c.below(4)))], {});
  });
});

describe("padNd", () => {
  it.each(seeds(40))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    const mode = c.pick(["constant", "edge", "reflect", "wrap"] as const);
    const axes = c.shape.map((_, axis) => axis).filter(() => c.below(3) > 0);
    // At most one element is cut off each end, so that nothing is cut twice.
    const pads = [...axes, ...axes].map((axis) => c.between(c.shape[axis]! > 2 ? -1 : 0, 7));
    const tensor = c.tensor();
    const [value] = tensor.data.length > 0 ? [tensor.data.slice(0, 1)] : [];
    const given = mode === "constant" && c.below(2) && value;
    await checkNode(
      "padNd",
      [
        c.x(tensor),
        c.list(pads),
        given ? { tensor: new Tensor(tensor.dtype, [], value as never), as: "constant" } : undefined,
        c.list(axes.map((axis) => (c.below(2) ? axis : axis - c.shape.length))),
      ],
      { mode },
    );
  });
});

describe("identity, fill, shape", () => {
  it.each(seeds(10))("random ones, seed %i", async (seed) => {
    const c = new Case(seed);
    await checkNode("identity", [c.x()], {});
    await checkNode("fill", [c.list(c.shape), { tensor: c.tensor([1]), as: "constant" }], {});
    const start = c.between(0, c.shape.length);
    const end = c.between(start, c.shape.length);
    const x: Given = { tensor: c.tensor(), as: c.pick(["input", "symbolic"]) };
    await checkNode("shape", [x], { start, end, count: c.below(2) === 0 });
  });
});

describe("arithmetic with sizes", () => {
  it("is done in TypeScript by at most twelve operators, on at most 4,096 numbers", async () => {
    expect(evaluatedOps().length).toBeLessThanOrEqual(12);
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", [1]);
    const many = builder.input("starts", "int64", [4097]);
    const graph = builder.build(...builder.ops("slice", [x, many, many], {}));
    await expect(createModel(graph)).rejects.toThrow(/4097 elements that decide sizes, at most 4096/);
  });
});
