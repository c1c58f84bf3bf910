// Gradients that two workers send each other, quantized and as floats: LeNet-300-100 on MNIST, by two worker threads of half the images each, and what its test errors and the bytes are.
//
//   node scripts/train-parallel.mjs [--seeds 1,2,3] [--write]
//
// Each run that is done is kept in packages/train/runs/gradients; the next call goes on with the others, `--write` puts the table into docs/results.md.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { train } from "./digits/packages.mjs";
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { dataFolder } from "./train/data.mjs";
import { BATCH, recipe, trainingImages, WAY, ways } from "./train/gradients.mjs";
import { runs } from "./train/records.mjs";
import { mean } from "./train/statistics.mjs";

const kept = join(runs, "gradients");
const [WORKERS, EPOCHS] = [2, 8];
/** What is asked: so many points more error than by floats, by so many times fewer bytes. */
const ASKED = { points: 0.2, fewer: 8 };

const fileOf = (way, seed) => join(kept, `${way}-${seed}.json`);

async function run(way, seed, folder) {
  const worker = new URL("./train/gradient-worker.mjs", import.meta.url);
  process.env[WAY] = way;
  const { count } = await trainingImages(folder);
  const stepsPerEpoch = Math.floor(count / WORKERS / BATCH);
  const steps = EPOCHS * stepsPerEpoch;
  const log = [];
  let [sum, began] = [0, performance.now()];
  const { tensors, bytes, floatBytes } = await train.trainInParallel({
    ...{ layers: recipe.layers, worker, workers: WORKERS, quantizer: ways[way].quantizer, steps, seed },
    rate: (step) => train.learningRate(recipe.peakRate, step, steps, recipe.warmup),
    onStep(step, loss) {
      sum += loss;
      if ((step + 1) % stepsPerEpoch !== 0) return;
      const seconds = Math.round((performance.now() - began) / 100) / 10;
      log.push({ epoch: log.length + 1, loss: Math.round((1e6 * sum) / stepsPerEpoch) / 1e6, seconds });
      console.log(
        `${way}, seed ${seed}: epoch ${log.length}/${EPOCHS}  loss ${log.at(-1).loss.toFixed(4)}  ${seconds} s`,
      );
      [sum, began] = [0, performance.now()];
    },
  });
  const model = new train.Model(recipe.layers());
  const test = await train.readMnist(folder, "t10k");
  const logits = train.logitsOf(test, await train.trainedLogits(model, { tensors, weights: {} }));
  const record = { way, seed, workers: WORKERS, batch: BATCH, steps, bytes, floatBytes };
  const text = JSON.stringify({ ...record, top1_test: train.top1(logits, test.labels), log }, undefined, 2);
  mkdirSync(kept, { recursive: true });
  writeFileSync(`${fileOf(way, seed)}.tmp`, `${text}\n`);
  renameSync(`${fileOf(way, seed)}.tmp`, fileOf(way, seed));
}

/** The table of all runs that are kept. */
function table(seeds) {
  const records = (way) =>
    seeds
      .filter((seed) => existsSync(fileOf(way, seed)))
      .map((seed) => JSON.parse(readFileSync(fileOf(way, seed), "utf8")));
  const errorOf = (done) => 100 * (1 - mean(done.map((record) => record.top1_test)));
  const float = errorOf(records("float"));
  const rows = Object.entries(ways).map(([way, { method }]) => {
    const done = records(way);
    if (done.length === 0) return `| ${method} | | | | not run |`;
    const [error, fewer] = [errorOf(done), mean(done.map((record) => record.floatBytes / record.bytes))];
    const more = error - float;
    const holds = more <= ASKED.points && fewer >= ASKED.fewer ? "holds" : "**missed**";
    const named = done.map((record) => record.seed).join(", ");
    const asked = way === "float" ? "" : `≤ float + ${ASKED.points}, ≥ ${ASKED.fewer} × fewer bytes: ${holds}`;
    return `| ${method} | **${error.toFixed(2)}** (seed${done.length > 1 ? "s" : ""} ${named}) | ${way === "float" ? "" : more.toFixed(2)} | ${fewer.toFixed(1)} | ${asked} |`;
  });
  return `## Quantized gradients

The network of \`${recipe.name}\` on MNIST, float weights, images as they are, ${EPOCHS} epochs by Adam over ${WORKERS} worker threads, each with half of the images and ${BATCH} of them a step; what workers send is counted in bytes. Errors on MNIST's test images.

| gradients | error, % | more than by floats | times fewer bytes | asked |
|---|---|---|---|---|
${rows.join("\n")}`;
}

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: { seeds: { type: "string", default: "1,2,3" }, write: { type: "boolean" } },
  });
  const seeds = values.seeds.split(",").map(Number);
  const folder = dataFolder(recipe.name);
  if (existsSync(folder))
    for (const seed of seeds)
      for (const way of Object.keys(ways)) if (!existsSync(fileOf(way, seed))) await run(way, seed, folder);
  const text = table(seeds);
  console.log(text);
  if (values.write) writeSection("training-gradients", "node scripts/train-parallel.mjs --write", text);
});
