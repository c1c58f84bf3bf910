import { defineCommand } from "citty";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { checkOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { createProgress } from "../shared/progress.ts";

/** `@lowbit/train` is an optional peer: only this command needs it. */
async function loadTrain(): Promise<typeof import("@lowbit/train")> {
  try {
    return await import("@lowbit/train");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND")
      throw new UsageError("training needs the package @lowbit/train: npm install @lowbit/train");
    throw error;
  }
}

export const train = defineCommand({
  meta: { name: "train", description: "Run a training recipe; writes an ONNX file and its record beside it" },
  args: {
    recipe: { type: "positional", required: true, description: "Name of the recipe, e.g. mnist-cnn-binary" },
    data: { type: "string", required: true, valueHint: "DIR", description: "Folder of the recipe's data" },
    output: { type: "string", alias: "o", required: true, valueHint: "OUT.onnx", description: "File to write" },
    seed: { type: "string", valueHint: "N", description: "Seed of every random choice (1)" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    // Ends between two steps; the checkpoint of the last whole epoch stays, and the same command goes on from there.
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    const seed = numberOption("seed", args.seed, 0, true) ?? 1;
    await checkOutput(args.output, []);
    const { train, recipeOf, formatEntry } = await loadTrain();
    const recipe = recipeOf(args.recipe);
    const progress = createProgress(args.json);
    progress.stage(`training ${recipe.name}`, recipe.epochs);
    const record = await train(recipe, {
      data: args.data,
      out: args.output,
      seed,
      signal: interrupt.signal,
      onProgress: ({ epoch, step, steps, entry }) => {
        progress.update(epoch - 1 + step / steps);
        if (entry !== undefined) progress.note(formatEntry(entry, recipe.epochs));
      },
    });
    progress.end();
    if (args.json) printJson({ top1: record.top1, epochs: record.epochs, seed: record.seed, record });
    else console.log(`${args.output}: top-1 ${(record.top1 * 100).toFixed(2)} %, seed ${record.seed}`);
  },
});
