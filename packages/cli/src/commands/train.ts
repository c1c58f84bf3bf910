import { defineCommand } from "citty";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { checkOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { optionalPeer } from "../shared/peer.ts";
import { createProgress } from "../shared/progress.ts";

const loadTrain = () => optionalPeer("@lowbit/train", "training needs", () => import("@lowbit/train"));

export const train = defineCommand({
  meta: {
    name: "train",
    description: "Run a training recipe; writes a packed or an ONNX file, as the recipe does, and its record beside it",
  },
  args: {
    recipe: { type: "positional", required: true, description: "Name of the recipe, e.g. mnist-cnn-binary" },
    data: { type: "string", required: true, valueHint: "DIR", description: "Folder of the recipe's data" },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT",
      description: "File to write: .safetensors where the recipe has a strategy, else .onnx",
    },
    seed: { type: "string", valueHint: "N", description: "Seed of every random choice (1)" },
    epochs: { type: "string", valueHint: "N", description: "At most so many epochs" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    // Ends between two steps; the checkpoint of the last whole epoch stays, and the same command goes on from there.
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    const seed = numberOption("seed", args.seed, 0, true) ?? 1;
    const most = numberOption("epochs", args.epochs, 1, true);
    await checkOutput(args.output, []);
    const { train, recipeOf, formatEntry } = await loadTrain();
    const recipe = recipeOf(args.recipe);
    const progress = createProgress(args.json);
    progress.stage(`training ${recipe.name}`, recipe.epochs);
    const record = await train(recipe, {
      data: args.data,
      out: args.output,
      seed,
      ...(most === undefined ? {} : { epochs: most }),
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
