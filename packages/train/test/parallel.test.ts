import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { type GradientQuantizer, oneBitSgd, qsgd, ternGrad } from "lowbit/quantize";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DataError } from "../src/errors.ts";
import { logitsOf, top1 } from "../src/evaluate.ts";
import { Model } from "../src/model.ts";
import { type ParallelOptions, trainInParallel } from "../src/parallel/coordinator.ts";
import { toArrays } from "../src/values.ts";
import { smallNetwork, validation } from "./strategy-fixtures.ts";

let folder: string;

/** A module that Node runs as a worker. */
async function moduleOf(name: string, text: string): Promise<URL> {
  const path = join(folder, `${name}.mjs`);
  await writeFile(path, text);
  return pathToFileURL(path);
}

/** What worker modules import, as Node runs it: the sources in one file. */
async function bundle(): Promise<void> {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).pathname);
  await build({
    stdin: {
      contents: `export { oneBitSgd, qsgd, ternGrad } from "lowbit/quantize";
        export { runGradientWorker } from ${at("../src/parallel/worker.ts")};
        export { clouds, smallNetwork } from ${at("./strategy-fixtures.ts")};`,
      resolveDir: folder,
    },
    outfile: join(folder, "bundle.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@lowbit/source"],
    nodePaths: [new URL("../node_modules", import.meta.url).pathname],
    define: { "import.meta.url": JSON.stringify(new URL("../../core/src/bundled.ts", import.meta.url).href) },
    logLevel: "silent",
  });
}

/** A worker whose shard is this one, but for these properties. */
const workerOf = (name: string, properties = "") =>
  moduleOf(
    name,
    `import { clouds, oneBitSgd, qsgd, runGradientWorker, smallNetwork, ternGrad } from "./bundle.mjs";
     await runGradientWorker(({ index }) => ({ layers: smallNetwork, data: clouds(60, 100 + index), batch: 20, ${properties} }));`,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-parallel-"));
  await bundle();
});
afterAll(() => rm(folder, { recursive: true }));

const run = async (text: string, quantizer?: GradientQuantizer) =>
  trainInParallel({
    layers: smallNetwork,
    worker: await workerOf(text.replace(/\W/g, ""), `quantizer: ${text}`),
    workers: 2,
    quantizer,
    steps: 60,
    rate: 0.02,
    seed: 3,
  });

it("floats, where nothing quantizes: as many bytes as they have, and a rate that changes", async () => {
  const parallel = { layers: smallNetwork, worker: await workerOf("floats"), workers: 2, steps: 8, seed: 3 };
  const same = await trainInParallel({ ...parallel, rate: 0.02 });
  expect(same.bytes).toBe(same.floatBytes);
  expect((await trainInParallel({ ...parallel, rate: () => 0.02 })).tensors).toEqual(same.tensors);
  const still = await trainInParallel({ ...parallel, rate: (step) => (step < 4 ? 0.02 : 0) });
  expect(still.losses.slice(0, 5)).toEqual(same.losses.slice(0, 5));
  expect(still.losses.at(-1)).not.toBe(same.losses.at(-1));
});

describe.each([
  ["1-bit SGD", "oneBitSgd()", oneBitSgd(), 8],
  ["TernGrad", "ternGrad()", ternGrad(), 6],
  ["QSGD", "qsgd({ levels: 2 })", qsgd({ levels: 2 }), 4],
] as const)("%s over two worker threads", (_, text, quantizer, fewer) => {
  it("learns with a fraction of the bytes, the same weights every time", async () => {
    const first = await run(text, quantizer);
    expect(first.losses.at(-1)!).toBeLessThan(0.7 * first.losses[0]!);
    const model = new Model(smallNetwork());
    const logits = model.compileLogits();
    expect(
      top1(
        logitsOf(validation, (x) => logits(toArrays(first.tensors), {}, x)),
        validation.labels,
      ),
    ).toBeGreaterThan(0.85);
    // The vectors here are small, so headers weigh; large ones come to 32 bits over the code's.
    expect(first.floatBytes / first.bytes).toBeGreaterThan(fewer / 2);
    const second = await run(text, quantizer);
    expect(second.tensors).toEqual(first.tensors);
  });
});

describe("what goes wrong is thrown, and no thread stays", { timeout: 20_000 }, () => {
  let threads: Worker[];
  const started = (thread: Worker) => threads.push(thread);
  beforeEach(() => {
    threads = [];
    process.on("worker", started);
  });
  afterEach(() => {
    process.off("worker", started);
    // Node's mark of a thread that has ended.
    expect(threads.map(({ threadId }) => threadId)).toEqual(threads.map(() => -1));
  });

  const fails = (worker: URL, more: Partial<ParallelOptions> = {}) =>
    trainInParallel({ layers: smallNetwork, worker, workers: 2, steps: 8, rate: 0.02, seed: 3, ...more }).then(
      () => expect.unreachable("the training has ended well"),
      (error: unknown) => error,
    );
  /** Name and message: by `toEqual`, errors that come from other threads equal any error. */
  const said = async (worker: URL, more?: Partial<ParallelOptions>) => String(await fails(worker, more));
  /** Something that waits for messages, and never answers. */
  const silent = 'import { parentPort, workerData } from "node:worker_threads"; parentPort.on("message", () => {});';

  it.each([
    ["ends at once", 1, "", "Error: worker 0 ended with exit code 0"],
    [
      "calls process.exit, while the other never answers",
      2,
      `${silent} if (workerData.index === 1) process.exit(3);`,
      "Error: worker 1 ended with exit code 3",
    ],
  ])("a worker that %s", async (_, workers, text, expected) => {
    const message = await said(await moduleOf(`exits-${workers}`, text), { workers });
    expect(message).toContain(expected);
    expect(message).toContain("its module must call runGradientWorker");
    expect(threads).toHaveLength(workers);
  });

  it("a module that throws at load, and one that is not there", async () => {
    const module = await moduleOf("throws", `${silent} throw new TypeError("no such shard");`);
    expect(await said(module)).toBe("TypeError: no such shard");
    expect(await said(new URL("./absent.mjs", module))).toContain("absent.mjs");
  });

  it("no module at all: what the thread's constructor throws", async () => {
    expect(await fails(new URL("https://example.com/worker.js"))).toBeInstanceOf(TypeError);
  });

  it("a shard of fewer samples than the batch", async () => {
    const error = await fails(await workerOf("small", "batch: 64, data: clouds(50, index)"), { workers: 1 });
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toBe("DataError: worker 0: a batch of 64 needs as many samples, but its shard has 50");
  });

  it("a batch of no samples", async () => {
    const expected = "RangeError: worker 0: batch must be a whole number of at least 1, got 0";
    expect(await said(await workerOf("none", "batch: 0"), { workers: 1 })).toBe(expected);
  });

  it.each([
    ["0 where the shard does not say it", "", 0],
    ["the shard's", "shift: 2", 2],
  ])("a dataset that throws in a step; its shift is %s", async (_, properties, shift) => {
    const data = "data: { count: 60, epoch: ({ shift }) => { throw new Error('a shift of ' + shift); } }";
    const worker = await workerOf(`shift-${shift}`, `${data}, ${properties}`);
    expect(await said(worker, { workers: 1 })).toBe(`Error: a shift of ${shift}`);
  });

  it("an answer that cannot be decoded", async () => {
    const reason = new Error("not of this method");
    const decode = () => {
      throw reason;
    };
    expect(await fails(await workerOf("floats"), { workers: 1, quantizer: { ...oneBitSgd(), decode } })).toBe(reason);
    expect(threads).toHaveLength(1);
  });

  it("a signal in the midst of a step, when a worker is busy for ever", async () => {
    const worker = await moduleOf(
      "busy",
      `import { parentPort } from "node:worker_threads";
       const channel = new BroadcastChannel("lowbit-parallel-test");
       parentPort.on("message", () => { channel.postMessage("asked"); for (;;); });`,
    );
    const controller = new AbortController();
    const reason = new Error("enough");
    const channel = new BroadcastChannel("lowbit-parallel-test");
    channel.onmessage = () => controller.abort(reason);
    expect(await fails(worker, { workers: 1, signal: controller.signal })).toBe(reason);
    channel.close();
    expect(threads).toHaveLength(1);
  });

  it("a signal between steps", async () => {
    const controller = new AbortController();
    const onStep = vi.fn(() => controller.abort("enough"));
    const error = await fails(await workerOf("floats"), { workers: 1, signal: controller.signal, onStep });
    expect(error).toBe("enough");
    expect(onStep).toHaveBeenCalledOnce();
  });

  it("a signal that has come before any thread starts", async () => {
    const worker = await moduleOf("silent", silent);
    expect(await fails(worker, { signal: AbortSignal.abort("early") })).toBe("early");
    expect(threads).toHaveLength(0);
  });

  it.each([
    ["workers", 0],
    ["workers", 1.5],
    ["workers", Number.NaN],
    ["steps", 0],
    ["steps", -1],
    ["steps", Number.POSITIVE_INFINITY],
  ])("%s: %d, before any thread starts", async (name, value) => {
    const expected = `RangeError: trainInParallel: ${name} must be a whole number of at least 1, got ${value}`;
    expect(await said(await moduleOf("silent", silent), { [name]: value })).toBe(expected);
    expect(threads).toHaveLength(0);
  });
});
