import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { arrayOf, createModel, KernelInstance, type Model, type TensorData } from "lowbit";
import { expect, it, vi } from "vitest";
import { GraphBuilder } from "../src/testing/builder.ts";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { binaryCnn, integerCnn } from "../src/testing/random-graphs.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Arrays of one image for every input, or for every output. */
function arrays(ports: Model["inputs"] | Model["outputs"]): Record<string, TensorData> {
  const size = (shape: readonly (number | string)[]) =>
    shape.reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
  return Object.fromEntries(ports.map(({ name, dtype, shape }) => [name, new arrayOf[dtype](size(shape))]));
}

/** Bytes that `runs` calls leave on JavaScript's heap, beside those of looking. */
function allocated(action: () => void, runs: number): number {
  collect();
  const before = getHeapStatistics().used_heap_size;
  for (let i = 0; i < runs; i++) action();
  return getHeapStatistics().used_heap_size - before;
}

/** A thousand layers of one element. */
function thinGraph() {
  const builder = new GraphBuilder();
  let x = builder.input("x", "f32", ["N", 1]);
  for (let i = 0; i < 500; i++) {
    x = builder.node("leakyRelu", [x], { alpha: 0.5 }, "f32");
    x = builder.node("clip", [x], { min: -3, max: 3 }, "f32");
  }
  return builder.build(x);
}

const bigDense = () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 1024]);
  return builder.build(
    builder.node("dense", [x, builder.plain("f32", [1024, 1024], new RandomData(1).floats(1 << 20))], {}, "f32"),
  );
};

const graphs = {
  golden: goldenGraph,
  binary: () => binaryCnn(3).graph,
  integer: () => integerCnn(5).graph,
  "a thousand layers of one element": thinGraph,
  "a layer that two threads share out": bigDense,
};

it.each(Object.entries(graphs))("runInto allocates nothing once it is warm: %s", async (name, make) => {
  using model = await createModel(make(), { threads: name.includes("threads") ? 2 : 1 });
  const [feed, target] = [arrays(model.inputs), arrays(model.outputs)];
  const run = () => model.runInto(feed, target);
  const runs = 200;
  const inWasm = [vi.spyOn(KernelInstance.prototype, "alloc"), vi.spyOn(KernelInstance.prototype, "upload")];
  // The engine allocates while it learns and compiles, on a busy machine for seconds; once it is done, each run must leave less than one object.
  let least = Number.POSITIVE_INFINITY;
  for (const until = performance.now() + 20_000; least >= 8 * runs && performance.now() < until; ) {
    for (let round = 0; round < 10; round++) least = Math.min(least, allocated(run, runs));
    // Compilers finish between the rounds.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(least).toBeLessThan(8 * runs);
  for (const spy of inWasm) {
    spy.mockClear();
    run();
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});
