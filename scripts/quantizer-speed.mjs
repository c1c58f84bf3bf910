// Seconds of the processor that the heavier quantizers take on one thread, with all copies in and out.
//
//   node scripts/quantizer-speed.mjs [--filter words]
//
// A 1024 x 4096 matrix of N(0,1); those that need inputs a layer of 384 x 1536 with 2,048 of them, N(0,1) too. Medians of three runs in the best tier of this engine, after one that is not counted. Other
// programs of the machine do not count, but what they take from its caches does. `scripts/quantizer-speed.py` has faiss do the work of `pq`.
import { parseArgs } from "node:util";
import { parseScheme, pq, quantize, Random } from "../packages/core/dist/quantize.js";

const { values } = parseArgs({ options: { filter: { type: "string", default: "" } } });

const seed = 1;
const random = new Random(seed);
const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
const matrix = (rows, columns) => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, normal),
});

const large = matrix(1024, 4096);
const layer = matrix(384, 1536);
const calibration = { samples: 2048, inputs: matrix(2048, 1536).data };

const product = (size) => {
  const [dimension, centroids] = size.split("x").map(Number);
  return [`pq:${size}`, pq({ dimension, centroids })];
};

const cases = [
  ...["gptq:4", "gptq:4:g32:order", "kmeans:16", "lloyd:16", "admm:ternary", "admm:shift2"].map((scheme) => [
    scheme,
    parseScheme(scheme),
  ]),
  ...["4x256", "8x256", "16x256", "64x256", "4096x256"].map(product),
  ...[0, 25].map((fullPasses) => [
    `pq:8x256 with ${fullPasses} passes over all`,
    pq({ dimension: 8, centroids: 256, fullPasses }),
  ]),
];

for (const [name, quantizer] of cases) {
  if (!name.includes(values.filter)) continue;
  const calibrated = quantizer.needs === "inputs";
  const options = { ...(calibrated && { calibration }), ...(quantizer.seeded && { seed }) };
  const times = [];
  let error;
  for (let turn = 0; turn < 4; turn++) {
    const start = process.cpuUsage();
    ({ error } = await quantize(calibrated ? layer : large, quantizer, options));
    const { user, system } = process.cpuUsage(start);
    if (turn > 0) times.push((user + system) / 1e6);
  }
  const [rows, columns] = (calibrated ? layer : large).shape;
  const seconds = times.sort((a, b) => a - b)[1].toFixed(2);
  console.log(`${name} of ${rows} x ${columns}: ${seconds} s, squared error ${error.mse.toPrecision(4)} of a weight`);
}
