// What running costs beside the kernels: a graph of a thousand layers of one element, and sharing out a run that is next to nothing.
//
//   node scripts/overhead.mjs [--tier simd128]

import { parseArgs } from "node:util";
import * as lowbit from "../packages/core/dist/index.js";
import * as kernels from "../packages/core/dist/kernels.js";
import { median } from "./median.mjs";

const { values } = parseArgs({ options: { tier: { type: "string" } } });
const options = values.tier ? { tier: values.tier } : {};

/** A chain of `count` layers of one element, of the operators in turns. */
function chain(count, operators) {
  const shape = [1, 1];
  const nodes = Array.from({ length: count }, (_, i) => {
    const [op, attributes] = operators[i % operators.length];
    return { op, name: `n${i}`, inputs: [`v${i}`], outputs: [`v${i + 1}`], attributes };
  });
  const infos = Array.from({ length: count + 1 }, (_, i) => [`v${i}`, { dtype: "f32", shape }]);
  const ends = { inputs: ["v0"], outputs: [`v${count}`] };
  return { name: "chain", ...ends, nodes, values: new Map(infos), constants: new Map() };
}

/** Medians in microseconds, of calls by themselves: as they come, or each after a pause. */
function microseconds(action, { count = 1001, pauseMs = 0 } = {}) {
  const times = [];
  for (let i = 0; i < count; i++) {
    for (const until = performance.now() + pauseMs; performance.now() < until; );
    const since = performance.now();
    action();
    times.push((performance.now() - since) * 1000);
  }
  return median(times);
}

const layers = 1000;
const graphs = {
  clip: [["clip", { min: -1, max: 1 }]],
  "five operators": [
    ["leakyRelu", { alpha: 0.5 }],
    ["clip", { min: -3, max: 3 }],
    ["sigmoid", {}],
    ["sign", {}],
    ["softmax", { axis: 1 }],
  ],
};
for (const [name, operators] of Object.entries(graphs)) {
  const model = await lowbit.createModel(chain(layers, operators), options);
  const [feed, outputs] = [{ v0: Float32Array.of(0.5) }, { [`v${layers}`]: new Float32Array(1) }];
  const run = () => model.runInto(feed, outputs);
  const first = microseconds(run, { count: 1 });
  microseconds(run);
  const us = microseconds(run);
  console.log(
    `${layers} layers of one element, ${name}, tier ${model.tier}: ${(us / 1000).toFixed(3)} ms a run (${us.toFixed(0)} ns a layer), the first ${(first / 1000).toFixed(2)} ms`,
  );
  model.dispose();
}

// A chunk for each of two threads, as small as there are.
const [k, rows] = [8, 64];
const instance = await kernels.loadKernels({ ...options, threads: 2 });
const product = new kernels.GemmF32(instance, { n: k, k, weights: new Float32Array(k * k) });
const [x, y] = [instance.alloc(rows * k * 4), instance.alloc(rows * k * 4)];
const alone = () => product.run(x, rows, y);
const shared = () => instance.runShared(product.handle, x, y, rows);
for (const action of [alone, shared]) microseconds(action, { count: 20_001 });
const [by, awake] = [microseconds(alone), microseconds(shared)].map((us) => us.toFixed(1));
const asleep = microseconds(shared, { pauseMs: 1 }).toFixed(0);
console.log(
  `a run of ${by} us shared by two threads: ${awake} us where the other is awake, ${asleep} us where it sleeps`,
);
instance.dispose();
