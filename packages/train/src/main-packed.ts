import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { runPasses, writeModel } from "@lowbit/convert";
import { createModel, readPacked, Tensor } from "lowbit";
import { autograd } from "./autograd.ts";
import type { Dataset } from "./data/dataset.ts";
import { digitsDataset } from "./data/dataset.ts";
import { readMnist } from "./data/mnist.ts";
import { mnistSets } from "./data/mnist-sets.ts";
import { classesOf, crossEntropy, logitsOf, top1 } from "./evaluate.ts";
import { ensureWritable, writeAtomically } from "./files.ts";
import { recordPath, type TrainOptions } from "./main.ts";
import { Model } from "./model.ts";
import type { Recipe } from "./recipe.ts";
import type { PackedRecord } from "./record.ts";
import type { Strategy } from "./strategies/strategy.ts";
import { floatsOf, weightsIn } from "./strategies/view.ts";
import { type Fitted, fit } from "./train.ts";
import { type HostTensor, toArrays } from "./values.ts";

/** Samples per run of the packed file. */
const BATCH = 250;

/**
 * Runs a recipe that has a strategy: trains (first what it starts from), packs the network with the strategy's weights, and measures that file on the core's kernels.
 *
 * @throws as `train`
 */
export async function trainPacked(
  recipe: Recipe,
  strategy: () => Strategy,
  options: TrainOptions,
): Promise<PackedRecord> {
  const { data, out, seed = 1, signal, onProgress } = options;
  await ensureWritable(out);
  const sets = await (recipe.data?.(data) ?? mnistSets(data, options.digits));
  const checkpoint = `${out}.checkpoint`;
  const startPoint = `${out}.start.checkpoint`;
  const shared = {
    training: sets.training,
    validation: sets.validation,
    seed,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
  const limit = (of: Recipe): Recipe => ({ ...of, epochs: Math.min(of.epochs, options.epochs ?? of.epochs) });
  const start = recipe.start && (await fit(limit(recipe.start), { ...shared, checkpoint: startPoint }));
  const fitted = await fit(recipe, { ...shared, checkpoint, ...(start && { initial: start.tensors }) });

  const model = new Model(recipe.layers());
  const graph = runPasses(
    model.toGraph(fitted.tensors, { name: recipe.name, input: sets.input, weights: fitted.weights }),
  );
  const bytes = writeModel(graph, {}, { pack: "smallest" });
  const logits = await packedLogits(bytes, sets.test, sets.input.name);
  const ownTest = recipe.data === undefined ? digitsDataset(await readMnist(data, "t10k")) : undefined;
  const record: PackedRecord = {
    recipe: recipe.name,
    description: recipe.description,
    command: `lowbit train ${recipe.name} --data DIR -o ${recipe.name}.safetensors --seed ${seed}`,
    strategy: strategy().name,
    seed,
    epochs: fitted.log.length,
    top1: top1(logits, sets.test.labels),
    loss: crossEntropy(logits, sets.test.labels),
    ...(ownTest && { top1_test: top1(await packedLogits(bytes, ownTest, sets.input.name), ownTest.labels) }),
    agreement: await agreement(model, fitted, sets.test, logits),
    weights: await weightFigures(model, fitted),
    packed: { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
    log: fitted.log,
  };
  await writeAtomically(out, bytes);
  await writeAtomically(recordPath(out), `${JSON.stringify(record, undefined, 2)}\n`);
  for (const path of [checkpoint, startPoint]) await rm(path, { force: true });
  return record;
}

/** Logits of a packed file on the core's kernels, one row an answer. */
export async function packedLogits(
  bytes: Uint8Array<ArrayBuffer>,
  data: Dataset,
  input: string,
): Promise<Float32Array> {
  const { graph } = readPacked(bytes);
  const dtype = graph.values.get(input)!.dtype as "f32" | "int32";
  using model = await createModel(graph);
  let all: Float32Array | undefined;
  for (let start = 0; start < data.count; start += BATCH) {
    const end = Math.min(start + BATCH, data.count);
    const x = data.range(start, end);
    const values = dtype === "int32" ? Int32Array.from(x.data) : x.data;
    const { logits } = await model.run({ [input]: new Tensor(dtype, [...x.shape], values) });
    const part = logits!.data as Float32Array;
    const row = part.length / (end - start);
    all ??= new Float32Array(data.count * row);
    all.set(part, start * row);
  }
  return all ?? new Float32Array(0);
}

/** Share of the answers on which training graph and packed file agree. */
async function agreement(model: Model, fitted: Fitted, data: Dataset, packed: Float32Array): Promise<number> {
  const statistics = toArrays(only(fitted.tensors, /\.(mean|variance)$/, true));
  const parameters = toArrays(only(fitted.tensors, /\.(mean|variance)$/, false));
  const low = await weightsIn(model.slots, fitted.weights);
  const run = model.compileLogits();
  const logits = logitsOf(data, (x) => run(autograd.share({ ...parameters, ...low }), autograd.share(statistics), x));
  const classes = packed.length / data.labels.length;
  const [ours, theirs] = [classesOf(logits, classes), classesOf(packed, classes)];
  return ours.reduce((sum, c, i) => sum + (c === theirs[i] ? 1 : 0), 0) / ours.length;
}

const only = (tensors: Readonly<Record<string, HostTensor>>, pattern: RegExp, matching: boolean) =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => pattern.test(name) === matching));

async function weightFigures(model: Model, { weights }: Fitted): Promise<PackedRecord["weights"]> {
  const figures = model.slots.map(async (slot) => {
    const constant = weights[slot.name];
    const count = slot.shape.reduce((product, size) => product * size, 1);
    if (constant === undefined) return { name: slot.name, scheme: "float", bits: 32, count, zeros: 0 };
    const { data } = await floatsOf(slot, constant);
    const zeros = data.reduce((sum, w) => sum + (w === 0 ? 1 : 0), 0) / count;
    const [scheme, bits] = constant.kind === "quantized" ? [constant.scheme, constant.bits] : ["float", 32];
    return { name: slot.name, scheme, bits, count, zeros: Math.round(1e4 * zeros) / 1e4 };
  });
  return Promise.all(figures);
}
