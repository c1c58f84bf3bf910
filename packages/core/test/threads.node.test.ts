import { Worker } from "node:worker_threads";
import { createModel, Tensor } from "lowbit";
import { Convolution, GemmF32, loadKernels, TernaryGemm, XnorGemm } from "lowbit/kernels";
import { registerAllOps } from "lowbit/ops";
import { afterEach, expect, it, vi } from "vitest";
import { GraphBuilder } from "../src/testing/builder.ts";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** What workers are sent, and when they end. */
function watchWorkers() {
  const sent: { readonly worker: Worker; readonly memory: WebAssembly.Memory; readonly stack: number }[] = [];
  const { postMessage } = Worker.prototype;
  vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, message) {
    sent.push({ worker: this, ...message });
    postMessage.call(this, message);
  });
  const ended = () =>
    vi.waitFor(() => {
      // A worker that ended has no thread.
      expect(sent.map(({ worker }) => worker.threadId)).toEqual(sent.map(() => -1));
    });
  return { sent, ended };
}

it("dispose ends the workers", async () => {
  const { sent, ended } = watchWorkers();
  const models = await Promise.all([1, 2, 3].map((threads) => createModel(goldenGraph(), { threads })));
  expect(sent.length).toBe(3);
  expect(sent.every(({ worker }) => worker.threadId > 0)).toBe(true);
  for (const model of models) model.dispose();
  await ended();
});

it("a Worker that some library made global is not taken for one", async () => {
  // onnxruntime-web leaves one behind, in which our code would never start.
  vi.stubGlobal("Worker", class {});
  const { sent, ended } = watchWorkers();
  using model = await createModel(goldenGraph(), { threads: 2 });
  expect(sent.length).toBe(1);
  model.dispose();
  await ended();
});

it("a load that fails or is aborted leaves no worker", async () => {
  const { sent, ended } = watchWorkers();
  const controller = new AbortController();
  const loading = createModel(goldenGraph(), { threads: 3, signal: controller.signal });
  setTimeout(() => controller.abort(new Error("stop")), 20);
  await loading.then(
    (model) => model.dispose(),
    (error) => expect(error.message).toBe("stop"),
  );
  const { nodes, ...graph } = goldenGraph();
  await expect(createModel({ ...graph, nodes: nodes.slice(1) }, { threads: 2 })).rejects.toThrow();
  expect(sent.length).toBeGreaterThan(0);
  await ended();
});

it("kernels take less than an eighth of a worker's stack", async () => {
  const { sent } = watchWorkers();
  using kernels = await loadKernels({ threads: 2 });
  const random = new RandomData(3);
  const x8 = { dtype: "int8", zeroPoint: 1 } as const;
  const output = { kind: "int32" } as const;
  const window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] } as const;
  const codes = (bits: number) => random.codes(64, 9 * 64, bits);
  const convolve = (product: XnorGemm | TernaryGemm | GemmF32) =>
    new Convolution(kernels, [product], { input: [64, 64], window });
  const layers = [
    convolve(new XnorGemm(kernels, { n: 64, channels: 64, taps: 9, codes: codes(1), output })),
    convolve(new TernaryGemm(kernels, { n: 64, k: 576, bits: 1, codes: codes(1), zeroPoint: "sign", x: x8, output })),
    convolve(new GemmF32(kernels, { n: 64, k: 576, weights: random.floats(64 * 576) })),
  ];
  const [x, y] = [kernels.alloc(64 * 64 * 64 * 4), kernels.alloc(64 * 64 * 64 * 4)];
  for (const layer of layers) for (let i = 0; i < 20; i++) kernels.runShared(layer.handle, x, y, 1);
  const [{ memory, stack } = { memory: kernels.exports.memory, stack: 0 }] = sent;
  const bytes = 256 * 1024;
  // Blocks are zeroed when they are given out: what is not 0 was used.
  const used = bytes - new Uint8Array(memory.buffer, stack - bytes, bytes).findIndex((byte) => byte !== 0);
  expect(used).toBeGreaterThan(16);
  expect(used).toBeLessThan(bytes / 8);
});

it("operators of lowbit/ops run beside products that are shared out", async () => {
  registerAllOps();
  const random = new RandomData(8);
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 256]);
  const weights = builder.plain("f32", [512, 256], random.floats(512 * 256));
  const dense = builder.node("dense", [x, weights], {}, "f32");
  const at = builder.input("at", "int64", [3]);
  const graph = builder.build(...builder.ops("gather", [dense, at], { axis: 1 }));
  const feed = { x: new Tensor("f32", [64, 256], random.floats(64 * 256)), at: BigInt64Array.of(0n, -1n, 255n) };
  const results = [];
  for (const threads of [1, 2]) {
    using model = await createModel(graph, { threads });
    results.push(Object.values(await model.run(feed))[0]!.data);
  }
  expect(results[1]).toEqual(results[0]);
});
