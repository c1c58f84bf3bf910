import { runPasses, writeModel } from "@lowbit/convert";
import { describe, expect, it } from "vitest";
import { packedLogits } from "../src/agreement.ts";
import { digitsDataset } from "../src/data/dataset.ts";
import { imagesDataset } from "../src/data/images.ts";
import { textDataset, textOf } from "../src/data/text.ts";
import { logitsOf } from "../src/evaluate.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { recipes } from "../src/recipes/index.ts";
import { weightsIn } from "../src/strategies/view.ts";
import { fit } from "../src/train.ts";
import { toArrays } from "../src/values.ts";
import { syntheticDigits } from "./fixtures.ts";

/** Text of 65 characters, as tinyshakespeare has. */
const random = new Random(3);
const alphabet = Array.from({ length: 65 }, (_, i) => String.fromCharCode(40 + i));
const text = textOf([...alphabet, ...Array.from({ length: 700 }, () => alphabet[random.integer(65)]!)].join(""));

const colours = {
  ...{ count: 8, height: 32, width: 32, channels: 3, classes: 10, labels: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) },
  images: Uint8Array.from({ length: 8 * 32 * 32 * 3 }, () => random.integer(256)),
};

/** A few samples of what a recipe is for. */
function samples(name: string) {
  if (name.startsWith("cifar10"))
    return {
      data: imagesDataset(colours),
      input: { name: "image", dtype: "f32", shape: [32, 32, 3] },
    } as const;
  if (!name.startsWith("shakespeare"))
    return {
      data: digitsDataset(syntheticDigits(8, 1)),
      input: { name: "image", dtype: "f32", shape: [28, 28, 1] },
    } as const;
  const length = name.includes("lstm") ? 50 : 64;
  return { data: textDataset(text, length), input: { name: "tokens", dtype: "int32", shape: [length] } } as const;
}

describe.each(recipes.filter(({ strategy }) => strategy !== undefined))("recipe $name", (recipe) => {
  it("takes two steps, and its packed file answers as the training graph does", async () => {
    const { data, input } = samples(recipe.name);
    const short = { ...recipe, epochs: 1, batch: 4 };
    const sets = { training: data, validation: data, seed: 1 };
    // A teacher that has learned nothing has the shapes of one that has.
    const teacher = recipe.teacher && (await fit({ ...recipe.teacher, epochs: 1, batch: 4 }, sets)).tensors;
    const fitted = await fit(short, { ...sets, ...(teacher && { teacher }) });
    expect(Number.isFinite(fitted.log[0]!.loss)).toBe(true);
    const model = new Model(recipe.layers());
    const graph = runPasses(model.toGraph(fitted.tensors, { name: recipe.name, input, weights: fitted.weights }));
    const packed = await packedLogits(writeModel(graph, {}, { pack: "smallest" }), data, input.name);
    const [parameters, statistics] = [false, true].map((of) =>
      Object.fromEntries(Object.entries(fitted.tensors).filter(([name]) => /\.(mean|variance)$/.test(name) === of)),
    );
    const low = await weightsIn(model.slots, fitted.weights);
    const run = model.compileLogits();
    const trained = logitsOf(data, (x) => run({ ...toArrays(parameters!), ...low }, toArrays(statistics!), x));
    const largest = trained.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
    const apart = trained.map((x, i) => Math.abs(x - packed[i]!) / largest);
    // A sum that a sign sees near 0 may fall on the other side, and a code of a row may be the next one: a few answers move, the others are equal.
    const steps = /(bnn|xnor|signs|taught|bitnet)$/.test(recipe.name);
    // ±1 without a scale makes a recurrent network chaotic, which is why such a recipe must fail to learn: the last bits of float sums grow from step to step. Its first steps are equal; of all
    // logits as many move (0.6) where the training graph alone is run with its table multiplied by 1 + 2^-20.
    const isChaotic = /lstm-(binaryconnect|bnn)$/.test(recipe.name);
    const judged = isChaotic ? apart.filter((_, i) => Math.floor(i / alphabet.length) % 50 < 12) : apart;
    const off = judged.filter((d) => d > 1e-3).length / judged.length;
    expect(off).toBeLessThanOrEqual(steps ? 0.25 : 0);
  });
});
