// Where finished runs are kept, and which of them count.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { train } from "../digits/packages.mjs";
import { root } from "../setup/paths.mjs";

/** Records of runs: a folder a recipe, a file a seed. */
export const runs = join(root, "packages", "train", "runs");

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether a record is of the recipe as it is today: one of another strategy or other settings is not, nor one of other epochs, unless it may end early. */
function isOfToday({ recipe, epochs, strategy, settings }) {
  const today = train.recipeOf(recipe);
  return (
    (epochs === today.epochs || today.patience !== undefined) &&
    strategy === today.strategy?.().name &&
    Object.entries(settings).every(([name, value]) => value === today[name])
  );
}

/** Records of a recipe as it is today, by seed. */
export function runsOf(recipe) {
  const folder = join(runs, recipe);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [];
  return files.map((file) => read(join(folder, file))).filter(isOfToday);
}

/** The same with that of a network in models/, which has its record beside it. */
export function recordsOf(recipe) {
  const model = join(root, "models", `${recipe}.json`);
  const records = [...(existsSync(model) ? [read(model)].filter(isOfToday) : []), ...runsOf(recipe)];
  return [...new Map(records.map((record) => [record.seed, record])).values()].sort((a, b) => a.seed - b.seed);
}
