// Runs the recipes of docs/results.md that have no record yet, one after another, and keeps each record and log in packages/train/runs.
//
//   node scripts/train-runs.mjs [--recipe NAME[,NAME…]] [--seeds 1,2,3] [--for SECONDS] [--list]
//
// `--recipe` takes beginnings of names too (`mnist-mlp`). What is killed, or out of time after `--for`, goes on at its last whole epoch with the next call. `--list` says what is missing and runs nothing.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { train } from "./digits/packages.mjs";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";
import { dataFolder } from "./train/data.mjs";
import { runs, runsOf } from "./train/records.mjs";
import { rows } from "./train/rows.mjs";

const lowbit = join(root, "packages", "cli", "bin", "lowbit.js");
const place = join(root, ".cache", "train-runs");

function options(argv) {
  const value = (name) => (argv.includes(`--${name}`) ? argv[argv.indexOf(`--${name}`) + 1] : undefined);
  return {
    chosen: value("recipe")?.split(",") ?? [""],
    seeds: value("seeds")?.split(",").map(Number),
    deadline: performance.now() + 1000 * Number(value("for") ?? Number.POSITIVE_INFINITY),
    onlyList: argv.includes("--list"),
  };
}

/** Recipe and seed of every run that is asked for and has no record: the first seed of all recipes before the second of any. */
function missing({ chosen, seeds }) {
  const wanted = rows.flatMap((row) => (seeds ?? row.seeds).map((seed) => ({ recipe: row.recipe, seed })));
  return wanted
    .filter(({ recipe }) => chosen.some((start) => recipe.startsWith(start)))
    .filter(({ recipe, seed }) => !runsOf(recipe).some((record) => record.seed === seed))
    .sort((a, b) => a.seed - b.seed);
}

/** Stops the run that goes on, after which nothing more is begun. */
let stopRun;

/** The command of a run; its end, or its interruption when time is up, is awaited. */
function run({ recipe, seed }, deadline) {
  const suffix = train.recipeOf(recipe).strategy === undefined ? "onnx" : "safetensors";
  const out = join(place, `${recipe}-${seed}.${suffix}`);
  const more = [
    "--seed",
    seed,
    "--runs",
    runs,
    "--before",
    join(place, "before"),
    "--html",
    join(place, `${recipe}-${seed}.html`),
  ];
  const child = spawn(
    process.execPath,
    [lowbit, "train", recipe, "--data", dataFolder(recipe), "-o", out, ...more].map(String),
    {
      stdio: "inherit",
    },
  );
  const stop = () => child.kill("SIGTERM");
  stopRun = stop;
  const left = deadline - performance.now();
  const timer = Number.isFinite(left) ? setTimeout(stop, Math.max(0, left)) : undefined;
  return new Promise((resolve) =>
    child.once("exit", (code) => {
      clearTimeout(timer);
      stopRun = undefined;
      resolve(code);
    }),
  );
}

await whenMain(import.meta.url, async () => {
  const asked = options(process.argv.slice(2));
  const due = missing(asked);
  if (asked.onlyList) {
    for (const { recipe, seed } of due) console.log(`${recipe} ${seed}`);
    return;
  }
  for (const folder of [place, join(place, "before")]) mkdirSync(folder, { recursive: true });
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => {
      stopped = true;
      stopRun?.();
    });
  for (const next of due) {
    if (stopped || performance.now() > asked.deadline) break;
    console.log(`${next.recipe}, seed ${next.seed}`);
    if (!existsSync(dataFolder(next.recipe))) console.log(`  skipped: no data in ${dataFolder(next.recipe)}`);
    else if ((await run(next, asked.deadline)) !== 0) console.log("  not finished");
  }
});
