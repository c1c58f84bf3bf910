import { defineCommand } from "citty";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { checkOutput } from "../shared/files.ts";
import { Interrupt } from "../shared/interrupt.ts";
import { printJson } from "../shared/json.ts";
import { livePage } from "../shared/live-page.ts";
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
    html: {
      type: "string",
      valueHint: "FILE",
      description: "Page with the curves of the run, drawn anew after each epoch",
    },
    runs: {
      type: "string",
      valueHint: "DIR",
      description: "Keep the run's record and log, as DIR/RECIPE/SEED.json and .log",
    },
    before: {
      type: "string",
      valueHint: "DIR",
      description: "Folder that keeps networks which recipes train first, for the next recipe that needs them",
    },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    // Ends between two steps; the checkpoint of the last whole epoch stays, and the same command goes on from there.
    using interrupt = new Interrupt(["SIGINT", "SIGTERM"]);
    const seed = numberOption("seed", args.seed, 0, true) ?? 1;
    const most = numberOption("epochs", args.epochs, 1, true);
    await checkOutput(args.output, []);
    const { train, recipeOf, formatEntry } = await loadTrain();
    const recipe = recipeOf(args.recipe);
    const live = args.html === undefined ? undefined : await livePage(args.html, recipe, seed);
    const progress = createProgress(args.json);
    let stage = "";
    const training = train(recipe, {
      data: args.data,
      out: args.output,
      seed,
      ...(most === undefined ? {} : { epochs: most }),
      signal: interrupt.signal,
      ...(args.runs === undefined ? {} : { runs: args.runs }),
      ...(args.before === undefined ? {} : { before: args.before }),
      onProgress: (state) => {
        const { recipe: name, epoch, epochs, step, steps, loss, entry } = state;
        if (name !== stage) progress.stage(`training ${name}`, epochs);
        stage = name;
        progress.retitle(`training ${name}  loss ${loss.toFixed(4)}`);
        progress.update(epoch - 1 + step / steps);
        if (entry === undefined) return;
        progress.note(formatEntry(entry, epochs));
        live?.add(state);
      },
    });
    const record = await training.catch(async (error) => {
      await live?.finish("interrupted");
      throw error;
    });
    await live?.finish("finished");
    progress.end();
    if (args.json) printJson({ top1: record.top1, epochs: record.epochs, seed: record.seed, record });
    else console.log(`${args.output}: top-1 ${(record.top1 * 100).toFixed(2)} %, seed ${record.seed}`);
  },
});
