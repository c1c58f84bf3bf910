import {
  availableTiers,
  type CreateOptions,
  createModel,
  type Graph,
  InstanceDeadError,
  KernelInstance,
  loadModel,
  OutOfRangeError,
  Tensor,
  ThreadsError,
  type Tier,
  tiers,
  writePacked,
} from "lowbit";
import { bundledWasm, Columns, GemmF32, KernelObject, loadKernels, XnorGemm } from "lowbit/kernels";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../src/file/digest.ts";
import { GraphBuilder, square } from "../src/testing/builder.ts";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";
import * as families from "../src/testing/random-graphs.ts";
import { checkThreads } from "../src/threads.ts";

const check = () =>
  checkThreads((what, expected, got) => {
    throw new ThreadsError("test", what, expected, got);
  });

/** Chromium runs this file in a page that is cross-origin isolated: see vitest.browser.config.ts. */
const here = availableTiers();
const title = (tier: Tier) => (here.includes(tier) ? tier : `${tier} (not in this engine)`);
const eachTier = describe.each(tiers.map((tier) => ({ tier, title: title(tier) })));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const digestsOf = (outputs: Record<string, Tensor>) =>
  Object.entries(outputs).map(([name, { data }]) => [name, sha256Hex(new Uint8Array(data.buffer))]);

/** Shares out whatever can be, however little it is. Returns the spy on what was. */
function shareEverything() {
  type Call = (run: (...numbers: number[]) => number, x: number, y: number, count: number) => void;
  const prototype = KernelObject.prototype as unknown as { call: Call };
  const { call } = prototype;
  vi.spyOn(prototype, "call").mockImplementation(function (this: KernelObject, run, x, y, count) {
    const { instance } = this as unknown as { readonly instance: KernelInstance };
    if (instance.threads && this.cost > 0) instance.runShared(this.handle, x, y, count);
    else call.call(this, run, x, y, count);
  });
  return vi.spyOn(KernelInstance.prototype, "runShared");
}

/** Layers that are each worth sharing out: convolutions of bits and of int8, a product of floats, and one row by a wide ternary matrix. */
function largeGraph(): { readonly graph: Graph; readonly feed: Record<string, Tensor> } {
  const random = new RandomData(11);
  const builder = new GraphBuilder();
  let x = builder.input("image", "f32", ["N", 28, 28, 64]);
  let b = builder.node("sign", [x], {}, "bit");
  const bits = random.weight({ shape: [64, 3, 3, 64], kind: "sign" });
  b = builder.node(
    "conv2d",
    [b, builder.quantized(bits)],
    { ...square(3, { pad: 1 }), groups: 1, padding: "zero" },
    "f32",
  );
  const scale = { scale: 0.05, zeroPoint: 3 };
  x = builder.node("quantize", [b], {}, "int8", scale);
  const bytes = random.weight({ shape: [32, 3, 3, 64], kind: "affine", bits: 8, scales: "channel" });
  const window = { ...square(3, { stride: 2, pad: 1 }), groups: 1, padding: "zero" as const };
  x = builder.node("conv2d", [x, builder.quantized(bytes)], window, "int8", { scale: 0.5, zeroPoint: -2 });
  x = builder.node("reshape", [x], { shape: [0, -1] }, "int8", builder.quantization(x));
  const k = builder.channels(x);
  const ternary = random.weight({ shape: [512, k], kind: "affine", bits: 2, levels: 3, zeroPoint: 1 });
  x = builder.node("dense", [x, builder.quantized(ternary)], {}, "f32");
  const floats = builder.plain("f32", [1024, 512], random.floats(1024 * 512));
  x = builder.node("dense", [x, floats], {}, "f32");
  return {
    graph: builder.build(x),
    feed: { image: new Tensor("f32", [1, 28, 28, 64], random.floats(28 * 28 * 64)) },
  };
}

eachTier("$title", ({ tier }) => {
  const test = here.includes(tier) ? it : it.skip;

  test.each([2, 3])("%d threads give the bytes of one, in networks of every family", async (threads) => {
    const shared = shareEverything();
    for (const [name, make] of Object.entries(families))
      for (const seed of [1, 2, 3, 4, 5, 6]) {
        const { graph, feed } = make(seed);
        using one = await createModel(graph, { tier });
        using many = await createModel(graph, { tier, threads });
        expect(digestsOf(await many.run(feed)), `${name} ${seed}`).toEqual(digestsOf(await one.run(feed)));
      }
    expect(shared.mock.calls.length).toBeGreaterThan(40);
  });

  test("large layers are shared out, small ones are not, and a run of one row is cut by columns", async () => {
    const shared = vi.spyOn(KernelInstance.prototype, "runShared");
    const { graph, feed } = largeGraph();
    using one = await createModel(graph, { tier });
    using two = await createModel(graph, { tier, threads: 2 });
    const wanted = digestsOf(await one.run(feed));
    for (let i = 0; i < 20; i++) expect(digestsOf(await two.run(feed))).toEqual(wanted);
    expect(shared.mock.calls.length).toBe(4 * 20);
    const small = families.binaryMlp(1);
    using little = await createModel(small.graph, { tier, threads: 2 });
    await little.run(small.feed);
    expect(shared.mock.calls.length).toBe(4 * 20);
  });

  test("one product by rows, its slices by columns, and both in every number of rows", async () => {
    const random = new RandomData(5);
    const [n, k] = [97, 70];
    const weights = random.floats(n * k);
    using kernels = await loadKernels({ tier, threads: 3 });
    const { threads } = kernels;
    const slice = (first: number, last: number) =>
      new GemmF32(kernels, { n: last - first, k, weights: weights.subarray(first * k, last * k) });
    using whole = slice(0, n);
    using columns = new Columns(kernels, [slice(0, 32), slice(32, 33), slice(33, 96), slice(96, 97)]);
    expect(threads?.count).toBe(3);
    for (const rows of [1, 2, 3, 7, 64, 131]) {
      const x = kernels.upload(random.floats(rows * k));
      const y = kernels.alloc(rows * n * 4);
      const run = (action: () => void) => {
        kernels.f32(y, rows * n).fill(Number.NaN);
        action();
        return sha256Hex(kernels.u8(y, rows * n * 4).slice());
      };
      const wanted = run(() => whole.run(x, rows, y));
      expect(run(() => columns.run(x, rows, y))).toBe(wanted);
      expect(run(() => kernels.runShared(whole.handle, x, y, rows))).toBe(wanted);
      expect(run(() => kernels.runShared(columns.handle, x, y, rows))).toBe(wanted);
      kernels.free(x, rows * k * 4);
      kernels.free(y, rows * n * 4);
    }
  });
});

describe("threads", () => {
  it("are off unless asked for: nothing of them is in an instance", async () => {
    using kernels = await loadKernels({ threads: 1 });
    expect(kernels.threads).toBeUndefined();
    expect(kernels.exports.memory.buffer).toBeInstanceOf(ArrayBuffer);
    expect(() => kernels.exports.parallel_end).toThrow("parallel_end");
  });

  it.each([0, -1, 65, 1.5, Number.NaN, "2"])("refuses %s threads by name", async (threads) => {
    await expect(loadKernels({ threads: threads as number })).rejects.toThrow(OutOfRangeError);
  });

  it("refuses what cannot be shared out, and lives on", async () => {
    using kernels = await loadKernels({ threads: 2 });
    const codes = new Uint8Array(32);
    using gemm = new XnorGemm(kernels, { n: 32, channels: 8, codes, output: { kind: "int32" } });
    const [x, y] = [kernels.alloc(64), kernels.alloc(64 * 32)];
    expect(() => kernels.runShared(gemm.handle, x, y, 17)).toThrow("xnor_gemm: length in elements");
    expect(() => kernels.runShared(gemm.handle, x, x, 1)).toThrow("xnor_gemm");
    expect(() => kernels.runShared(gemm.handle + 1, x, y, 1)).toThrow("handle");
    kernels.runShared(gemm.handle, x, y, 0);
    kernels.runShared(gemm.handle, x, y, 16);
    expect(kernels.i32(y, 1)[0]).toBe(8);
  });

  it("a trap in a worker ends the instance, by name", async () => {
    using kernels = await loadKernels({ threads: 2 });
    const [n, k, rows] = [64, 256, 256];
    using gemm = new GemmF32(kernels, { n, k, weights: new Float32Array(n * k) });
    const [x, y] = [kernels.alloc(rows * k * 4), kernels.alloc(rows * n * 4)];
    // A job for one thread: the second traps when it takes a chunk.
    const exports = kernels.exports as { parallel_begin: (...numbers: number[]) => number };
    const begin = exports.parallel_begin;
    exports.parallel_begin = (handle = 0, from = 0, to = 0, count = 0) => begin(handle, from, to, count, 1);
    const runs = () => {
      for (let i = 0; i < 10_000; i++) kernels.runShared(gemm.handle, x, y, rows);
    };
    expect(runs).toThrow(InstanceDeadError);
    expect(() => kernels.alloc(8)).toThrow(/parallel_run: WASM instance.*(unreachable|RuntimeError)/);
    expect(() => kernels.runShared(gemm.handle, x, y, rows)).toThrow(InstanceDeadError);
    expect(kernels.ended).toBe(true);
  });

  it("of many models at once do not disturb each other", async () => {
    const { graph, feed } = largeGraph();
    using one = await createModel(graph);
    const wanted = digestsOf(await one.run(feed));
    const models = await Promise.all(Array.from({ length: 6 }, () => createModel(graph, { threads: 2 })));
    for (let i = 0; i < 5; i++) for (const model of models) expect(digestsOf(await model.run(feed))).toEqual(wanted);
    for (const [i, model] of models.entries()) {
      model.dispose();
      const next = models[i + 1];
      if (next) expect(digestsOf(await next.run(feed))).toEqual(wanted);
    }
  });

  it("load as everything else does: from a file, with a signal", async () => {
    const bytes = writePacked({ graph: goldenGraph() });
    const feed = { image: new Tensor("f32", [2, 8, 8, 1], new RandomData(4).floats(128)) };
    using one = await loadModel(bytes);
    using two = await loadModel(bytes, { threads: 2 });
    expect(digestsOf(await two.run(feed))).toEqual(digestsOf(await one.run(feed)));
    const controller = new AbortController();
    const loading = loadModel(bytes, { threads: 2, signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(loading).rejects.toThrow("stop");
  });

  it("say which module they need", async () => {
    const wasm: CreateOptions["wasm"] = (tier) => bundledWasm(tier, "all");
    await expect(createModel(goldenGraph(), { threads: 2, wasm })).rejects.toThrow(/lowbit-threads\.<tier>\.wasm/);
  });

  it("say what to set where memory cannot be shared", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(check).toThrow(ThreadsError);
    expect(check).toThrow(/Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy/);
    vi.unstubAllGlobals();
    vi.stubGlobal("crossOriginIsolated", false);
    expect(check).toThrow(/Cross-Origin-Opener-Policy.*crossOriginIsolated = false/);
  });

  it("say so where there are no workers", () => {
    vi.stubGlobal("Worker", undefined);
    vi.stubGlobal("process", undefined);
    const refused = (() => {
      try {
        return check();
      } catch (error) {
        return error;
      } finally {
        vi.unstubAllGlobals();
      }
    })();
    expect(refused).toMatchObject({ name: "ThreadsError", what: "workers", code: "threads" });
  });
});
