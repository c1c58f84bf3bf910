// What low-bit weights bring in speed: the network that each recipe of docs/results.md exports, beside its float twin on our kernels and on onnxruntime-web (WASM, SIMD, one thread), all in one
// process and in turns.
//
//   node scripts/train-race.mjs [--recipe NAME[,NAME…]] [--tier simd128] [--write]
//
// Speed does not depend on what the weights are: a recipe is trained two steps an epoch, on noise, so that its strategy goes through all its phases, and exported as a finished run is.
// The size of a file does, where codes are entropy-coded or weights are pruned: it is that of a finished run, by its record.
// `--recipe` takes beginnings of names too. A pruned network runs on dense kernels, and is as fast as one that is not.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { noise } from "./digits/noise.mjs";
import { convert, lowbit, train } from "./digits/packages.mjs";
import { inTurns, TURNS } from "./digits/turns.mjs";
import { writeSection } from "./results-section.mjs";
import { root } from "./setup/paths.mjs";
import { dataFolder } from "./train/data.mjs";
import { recordsOf } from "./train/records.mjs";
import { tables } from "./train/rows.mjs";

const { values } = parseArgs({
  options: { recipe: { type: "string" }, tier: { type: "string" }, write: { type: "boolean" } },
});
const chosen = values.recipe?.split(",") ?? [""];
const STEPS = 2;

/** Noise of the size of a recipe's images, or its text: what it is trained on here. */
async function noiseFor({ name, batch, data }) {
  if (/^shakespeare-/.test(name)) return data(dataFolder(name));
  const [side, channels] = /^cifar10-/.test(name) ? [32, 3] : [28, 1];
  const count = STEPS * batch;
  const training = train.imagesDataset({
    ...{ count, height: side, width: side, channels, classes: 10 },
    ...{ images: noise(count * side * side * channels), labels: noise(count, 10) },
  });
  return { training, input: { name: "image", dtype: "f32", shape: [side, side, channels] } };
}

/** The first steps of a set's epochs. */
const few = (set, batch) => ({
  ...set,
  count: STEPS * batch,
  *epoch(options) {
    let step = 0;
    for (const each of set.epoch(options)) if (step++ < STEPS) yield each;
  },
  labels: set.labels.subarray(0, (set.labels.length / set.count) * STEPS * batch),
});

/** The graph that a finished run exports; recipes from before there were strategies have their networks in models/. */
async function exported(name) {
  const recipe = train.recipeOf(name);
  if (recipe.strategy === undefined) {
    const file = await readFile(join(root, "models", `${name}.onnx`));
    return (await convert.quantizeModel(convert.runPasses(convert.importModel(file)))).graph;
  }
  const { training, input } = await noiseFor(recipe);
  const set = few(training, recipe.batch);
  const sets = { training: set, validation: set, seed: 1 };
  // Steps as good as none: some networks diverge on noise.
  const still = (of) => ({ ...of, peakRate: 1e-9 });
  const teacher = recipe.teacher && (await train.fit(still(recipe.teacher), sets));
  const fitted = await train.fit(still(recipe), { ...sets, ...(teacher && { teacher: teacher.tensors }) });
  const model = new train.Model(recipe.layers());
  return convert.runPasses(model.toGraph(fitted.tensors, { name: recipe.name, input, weights: fitted.weights }));
}

/** Bytes of the file that the first recorded run of a recipe wrote; of a recipe whose network is in models/, of that network packed. Undefined where there is neither. */
const bytesOf = (recipe, file) =>
  train.recipeOf(recipe).strategy === undefined ? file.length : recordsOf(recipe)[0]?.packed?.bytes;

const wanted = tables
  .map(({ title, rows }) => ({
    title,
    base: rows[0].recipe,
    rows: rows.filter(({ recipe }) => chosen.some((start) => recipe.startsWith(start))),
  }))
  .filter(({ rows }) => rows.length > 0);

// All are made before onnxruntime-web is loaded, beside which the training engine cannot start.
const graphs = new Map();
for (const recipe of new Set(wanted.flatMap(({ base, rows }) => [base, ...rows.map((row) => row.recipe)]))) {
  console.error(`making ${recipe}`);
  graphs.set(recipe, await exported(recipe));
}
const { openSession, ort } = await import("./digits/peer.mjs");

/** The float network in onnxruntime-web; undefined where ONNX has no form for one of its operators. */
async function peerOf(graph) {
  let bytes;
  try {
    bytes = convert.exportOnnx(graph);
  } catch (error) {
    if (error.name !== "UnsupportedError") throw error;
    return undefined;
  }
  return openSession(bytes);
}

/** Milliseconds of a batch: packed, float, onnxruntime-web. */
async function raced(model, float, session, batch) {
  const [input] = model.inputs;
  const shape = input.shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? batch : 64));
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, (_, i) => (i * 7919) % (input.dtype === "f32" ? 256 : 60));
  const data = input.dtype === "f32" ? Float32Array.from(numbers) : Int32Array.from(numbers);
  const feed = { [input.name]: new lowbit.Tensor(input.dtype, shape, data) };
  const peerFeed = session && {
    [session.inputNames[0]]: new ort.Tensor(input.dtype === "f32" ? "float32" : "int32", data, shape),
  };
  const found = await inTurns([
    () => model.run(feed),
    () => float.run(feed),
    ...(session ? [() => session.run(peerFeed)] : []),
  ]);
  return found.map(({ ms }) => ms);
}

const tier = values.tier ? { tier: values.tier } : {};
const lines = [];
let used = "";
for (const { title, base, rows } of wanted) {
  const float = await lowbit.createModel(graphs.get(base), tier);
  const session = await peerOf(graphs.get(base));
  lines.push(`### ${title}`, "");
  lines.push(
    "| method | recipe | bits W/A | file, kB | batch 1, ms | × float | × onnxruntime-web | batch 64, ms | × float | × onnxruntime-web |",
  );
  lines.push("|---|---|---|---|---|---|---|---|---|---|");
  for (const { recipe, method, bits } of rows) {
    const file = convert.writeModel(graphs.get(recipe), {}, { pack: "smallest" });
    const model = await lowbit.loadModel(file, tier);
    used = model.tier;
    const cells = [];
    for (const batch of [1, 64]) {
      const [own, floats, peer] = await raced(model, float, session, batch);
      const times = (other) => (other === undefined ? "" : (other / own).toFixed(2));
      cells.push(own.toPrecision(3), recipe === base ? "" : times(floats), times(peer));
    }
    model.dispose();
    const bytes = bytesOf(recipe, file);
    const kilobytes = bytes === undefined ? "" : (bytes / 1000).toPrecision(4);
    lines.push(`| ${method} | \`${recipe}\` | ${bits} | ${kilobytes} | ${cells.join(" | ")} |`);
    console.error(lines.at(-1));
  }
  lines.push("");
  float.dispose();
  await session?.release();
}
const text = [
  "## Speed of the trained networks",
  "",
  `What each recipe exports, beside the float network of its table on our kernels and on onnxruntime-web ${ort.env.versions.web} (WASM, SIMD), in one process and in turns: medians of ${TURNS}. Tier ${used}, one thread, Node ${process.versions.node}. Two steps`,
  "on noise have trained the weights: speed does not depend on them. The size of a file does, and is that of a finished run by its record (the run of the lowest seed), or of the network in `models/`. A network with float activations runs its low-bit weights by lookup or by decoding them into the float kernel;",
  "signs and int8 run on the integer kernels. Empty: the float network itself, an operator that ONNX export has no form for, or, under file, no finished run of the recipe as it is today.",
  "",
  ...lines,
].join("\n");
if (values.write) writeSection("training-speed", "node scripts/train-race.mjs --write", text.trimEnd());
else console.log(text);
