// How long a recipe trains on this machine: milliseconds of processor time of a step, measured, and minutes of the whole run, projected from them (evaluation after each epoch left out). Training has
// one thread, so on an idle machine that is the wall clock's time; on a busy one it is what an idle one would take, or somewhat more. `node scripts/train-speed.mjs [RECIPE…]`,
// each recipe in a process of its own; the first step, which compiles, is not counted.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { train } from "./digits/packages.mjs";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";
import { dataFolder } from "./train/data.mjs";

/** Steps that warm up, and the time in which steps are counted. */
const [WARM, MILLISECONDS] = [3, Number(process.env.LOWBIT_SPEED_MS ?? 8000)];

/** Images that the recipes for MNIST train on. */
const TRAINED = 48_000;

async function trainingOf(recipe) {
  const folder = dataFolder(recipe.name);
  if (!existsSync(folder)) throw new Error(`${recipe.name}: no data in ${folder}`);
  if (recipe.data !== undefined) return (await recipe.data(folder)).training;
  const { images, labels } = await train.readMnist(folder, "train");
  return train.digitsDataset({ count: TRAINED, images, labels });
}

async function measure(recipe) {
  const training = await trainingOf(recipe);
  const stop = new AbortController();
  const times = [];
  const clock = () => process.cpuUsage().user / 1000;
  let last = clock();
  const onProgress = () => {
    const now = clock();
    times.push(now - last);
    last = now;
    const counted = times.slice(WARM);
    if (counted.reduce((sum, t) => sum + t, 0) > MILLISECONDS) stop.abort();
  };
  await train
    .fit(recipe, { training, validation: training, seed: 1, signal: stop.signal, onProgress })
    .catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
  const counted = times.slice(WARM).sort((a, b) => a - b);
  const step = counted[counted.length >> 1];
  const steps = Math.floor(training.count / recipe.batch) * recipe.epochs;
  return { step, steps, minutes: (step * steps) / 60_000, first: times[0] };
}

await whenMain(import.meta.url, async () => {
  const [name, ...more] = process.argv.slice(2);
  if (name !== undefined && more.length === 0) {
    const { step, steps, minutes, first } = await measure(train.recipeOf(name));
    console.log(`| ${name} | ${first.toFixed(0)} | ${step.toFixed(1)} | ${steps} | ${minutes.toFixed(1)} |`);
    return;
  }
  console.log("| recipe | first step, ms | step, ms | steps | minutes |\n|---|---|---|---|---|");
  for (const recipe of name === undefined ? train.recipes.map((own) => own.name) : [name, ...more])
    spawnSync(process.execPath, [join(root, "scripts", "train-speed.mjs"), recipe], { stdio: "inherit" });
});
