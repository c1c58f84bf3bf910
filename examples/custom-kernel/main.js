// node main.js [tier]: a dense layer and a hard-swish behind it, as a packed file; loads it, runs it and compares with plain arithmetic.
import { GraphError, loadModel, writePacked } from "lowbit";
import { hardSwish, wasm } from "./operator.js";

const [n, k, batch] = [19, 8, 3];
const weights = Float32Array.from({ length: n * k }, (_, i) => ((i * 7) % 23) / 8 - 1.25);
const image = Float32Array.from({ length: batch * k }, (_, i) => ((i * 5) % 17) / 4 - 2);

const bytes = writePacked({
  graph: {
    name: "hard-swish",
    inputs: ["x"],
    outputs: ["y"],
    values: new Map([
      ["x", { dtype: "f32", shape: ["N", k] }],
      ["sums", { dtype: "f32", shape: ["N", n] }],
      ["y", { dtype: "f32", shape: ["N", n] }],
    ]),
    constants: new Map([["w", { kind: "plain", dtype: "f32", shape: [n, k], data: weights }]]),
    nodes: [
      { op: "dense", name: "dense", inputs: ["x", "w"], outputs: ["sums"], attributes: {} },
      hardSwish.node({ name: "swish", inputs: ["sums"], outputs: ["y"], attributes: { alpha: 1 / 6, beta: 0.5 } }),
    ],
  },
});

const argument = (globalThis.Deno ? Deno.args : process.argv.slice(2))[0];
const model = await loadModel(bytes, { wasm, ...(argument && { tier: argument }) });
const { y } = await model.run({ x: image });

const { fround } = Math;
const [alpha, beta] = [fround(1 / 6), 0.5];
let wrong = 0;
for (let row = 0; row < batch; row++)
  for (let column = 0; column < n; column++) {
    let sum = 0;
    for (let i = 0; i < k; i++) sum = fround(sum + fround(image[row * k + i] * weights[column * k + i]));
    const gate = Math.min(1, Math.max(0, fround(fround(alpha * sum) + beta)));
    if (y.data[row * n + column] !== fround(sum * gate)) wrong++;
  }
const { nodes } = await model.profile();
console.log(
  `tier ${model.tier}: ${nodes.map(({ kernel }) => kernel).join(", ")}; ${wrong} of ${batch * n} results differ`,
);
model.dispose();

// Where nobody registered the operator, the file is refused by name.
hardSwish.dispose();
const refusal = await loadModel(bytes, { wasm, ...(argument && { tier: argument }) }).catch((error) => error);
if (!(refusal instanceof GraphError)) throw new Error("a graph with an unknown operator was not refused");
console.log(refusal.message);
if (wrong > 0) throw new Error(`${wrong} results differ from plain arithmetic`);
