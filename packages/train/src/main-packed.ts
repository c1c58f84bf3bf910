import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runPasses, writeModel } from "@lowbit/convert";
import { readSafetensors, type Safetensors } from "lowbit";
import { agreementOf, packedLogits } from "./agreement.ts";
import { digitsDataset } from "./data/dataset.ts";
import { readMnist } from "./data/mnist.ts";
import { mnistSets } from "./data/mnist-sets.ts";
import { factsOf } from "./environment.ts";
import { crossEntropy, logitsOf, top1 } from "./evaluate.ts";
import { ensureWritable, writeAtomically } from "./files.ts";
import { recordPath, type TrainOptions } from "./main.ts";
import { Model } from "./model.ts";
import type { Recipe } from "./recipe.ts";
import { type PackedRecord, settingsOf } from "./record.ts";
import { keepRun } from "./runs.ts";
import { floatsOf } from "./strategies/view.ts";
import { type Fitted, fit } from "./train.ts";
import { trainedLogits } from "./trained.ts";

/**
 * Runs a recipe that has a strategy: trains (first what it starts from), packs the network with the strategy's weights, and measures that file on the core's kernels.
 *
 * @throws as `train`
 */
export async function trainPacked(
  recipe: Recipe,
  strategy: NonNullable<Recipe["strategy"]>,
  options: TrainOptions,
): Promise<PackedRecord> {
  const { data, out, seed = 1, signal, onProgress } = options;
  await ensureWritable(out);
  const sets = await (recipe.data?.(data) ?? mnistSets(data, options.digits));
  const checkpoint = `${out}.checkpoint`;
  const shared = {
    training: sets.training,
    validation: sets.validation,
    seed,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
  const own: string[] = [checkpoint];
  const before: { recipe: string; log: Fitted["log"] }[] = [];
  /** The network of a recipe that this one needs; trained once where several runs share the folder `before`. */
  const trainFirst = async (first: Recipe | undefined): Promise<Fitted | undefined> => {
    if (first === undefined) return undefined;
    const limited = { ...first, epochs: Math.min(first.epochs, options.epochs ?? first.epochs) };
    const place = options.before ?? `${out}.before`;
    await mkdir(place, { recursive: true });
    if (options.before === undefined) own.push(place);
    const fitted = await fit(limited, {
      ...shared,
      checkpoint: join(place, `${limited.name}-${seed}-${limited.epochs}.checkpoint`),
    });
    before.push({ recipe: limited.name, log: fitted.log });
    return fitted;
  };
  const start = await trainFirst(recipe.start);
  const teacher = recipe.teacher === recipe.start ? start : await trainFirst(recipe.teacher);
  const fitted = await fit(recipe, {
    ...shared,
    checkpoint,
    ...(start && { initial: start.tensors }),
    ...(teacher && { teacher: teacher.tensors }),
  });

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
    strategy: strategy(teacher?.tensors).name,
    seed,
    epochs: fitted.log.length,
    settings: settingsOf(recipe),
    top1: top1(logits, sets.test.labels),
    loss: crossEntropy(logits, sets.test.labels),
    ...(ownTest && { top1_test: top1(await packedLogits(bytes, ownTest, sets.input.name), ownTest.labels) }),
    agreement: agreementOf(logitsOf(sets.test, await trainedLogits(model, fitted)), logits, sets.test.labels.length),
    ...(before.length > 0 && { before }),
    weights: await weightFigures(model, fitted, readSafetensors(bytes)),
    packed: { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
    ...factsOf(fitted.log, ...before.map(({ log }) => log)),
    log: fitted.log,
  };
  await writeAtomically(out, bytes);
  await writeAtomically(recordPath(out), `${JSON.stringify(record, undefined, 2)}\n`);
  if (options.runs !== undefined) await keepRun(options.runs, record);
  for (const path of own) await rm(path, { recursive: true, force: true });
  return record;
}

async function weightFigures(
  model: Model,
  { weights }: Fitted,
  { tensors }: Safetensors,
): Promise<PackedRecord["weights"]> {
  const figures = model.slots.map(async (slot) => {
    const constant = weights[slot.name];
    const count = slot.shape.reduce((product, size) => product * size, 1);
    // A pass that folds a normalization into a weight writes it as `name_2`.
    const isOwn = (name: string) => name.startsWith(slot.name) && /^(_\d+)?(\.|$)/.test(name.slice(slot.name.length));
    const bytes = [...tensors]
      .filter(([name]) => isOwn(name))
      .reduce((sum, [, tensor]) => sum + tensor.bytes.length, 0);
    if (constant === undefined) return { name: slot.name, scheme: "float", bits: 32, count, zeros: 0, bytes };
    const { data } = await floatsOf(slot, constant);
    const zeros = data.reduce((sum, w) => sum + (w === 0 ? 1 : 0), 0) / count;
    const [scheme, bits] = constant.kind === "quantized" ? [constant.scheme, constant.bits] : ["float", 32];
    return { name: slot.name, scheme, bits, count, zeros: Math.round(1e4 * zeros) / 1e4, bytes };
  });
  return Promise.all(figures);
}
