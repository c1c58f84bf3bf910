import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { type GradientQuantizer, oneBitSgd, qsgd, ternGrad } from "lowbit/quantize";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logitsOf, top1 } from "../src/evaluate.ts";
import { Model } from "../src/model.ts";
import { trainInParallel } from "../src/parallel/coordinator.ts";
import { toArrays } from "../src/values.ts";
import { smallNetwork, validation } from "./strategy-fixtures.ts";

let folder: string;

/** A worker as Node runs it: the sources in one file beside this package's dependencies. */
async function workerOf(quantizer: string): Promise<URL> {
  const entry = join(folder, `${quantizer.replace(/\W/g, "")}.ts`);
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).pathname);
  await writeFile(
    entry,
    `import { oneBitSgd, qsgd, ternGrad } from "lowbit/quantize";
     import { runGradientWorker } from ${at("../src/parallel/worker.ts")};
     import { clouds, smallNetwork } from ${at("./strategy-fixtures.ts")};
     runGradientWorker(({ index }) => ({ layers: smallNetwork, data: clouds(60, 100 + index), batch: 20, quantizer: ${quantizer} }));`,
  );
  const out = entry.replace(/\.ts$/, ".mjs");
  await build({
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@lowbit/source"],
    nodePaths: [new URL("../node_modules", import.meta.url).pathname],
    define: { "import.meta.url": JSON.stringify(new URL("../../core/src/bundled.ts", import.meta.url).href) },
    logLevel: "silent",
  });
  return pathToFileURL(out);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-parallel-"));
});
afterAll(() => rm(folder, { recursive: true }));

const run = async (text: string, quantizer?: GradientQuantizer) =>
  trainInParallel({
    layers: smallNetwork,
    worker: await workerOf(text),
    workers: 2,
    quantizer,
    steps: 60,
    rate: 0.02,
    seed: 3,
  });

it("floats, where nothing quantizes: as many bytes as they have, and a rate that changes", async () => {
  const parallel = { layers: smallNetwork, worker: await workerOf("undefined"), workers: 2, steps: 8, seed: 3 };
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
