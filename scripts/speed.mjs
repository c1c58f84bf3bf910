// One ONNX file on our kernels and on onnxruntime-web (WASM, SIMD, one thread) in the same process, in turns: the medians, and whether the answers agree.
//
//   node scripts/speed.mjs FILE.onnx [--batch 1,64] [--tier simd128]
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { noise } from "./digits/noise.mjs";
import { convert, lowbit } from "./digits/packages.mjs";
import { openSession, ort } from "./digits/peer.mjs";
import { inTurns, TURNS } from "./digits/turns.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { batch: { type: "string", default: "1,64" }, tier: { type: "string" } },
});
const [file] = positionals;
if (!file) {
  console.error("usage: node scripts/speed.mjs FILE.onnx [--batch 1,64] [--tier simd128]");
  process.exit(2);
}

const bytes = await readFile(file);
const { graph } = await convert.quantizeModel(convert.runPasses(convert.importModel(bytes)), {});
const packed = convert.writeModel(graph);
const model = await lowbit.loadModel(packed, values.tier ? { tier: values.tier } : {});
const session = await openSession(bytes);
const [input] = model.inputs;
const [output] = model.outputs;

console.log(
  `${basename(file)}: ${bytes.length} bytes, packed ${packed.length}; tier ${model.tier}, one thread, medians of ${TURNS} turns`,
);
for (const batch of values.batch.split(",").map(Number)) {
  const shape = input.shape.map((size) => (typeof size === "number" ? size : batch));
  const data = Float32Array.from(noise(shape.reduce((a, b) => a * b, 1)));
  const peerFeed = { [session.inputNames[0]]: new ort.Tensor("float32", data, shape) };
  const feed = { [input.name]: new lowbit.Tensor("f32", shape, data) };
  const [{ ms: ours, result: a }, { ms: theirs, result: b }] = await inTurns([
    async () => (await model.run(feed))[output.name].data,
    async () => (await session.run(peerFeed))[session.outputNames[0]].data,
  ]);
  const different = a.reduce((count, value, i) => count + (value === b[i] ? 0 : 1), 0);
  const ms = (value) => `${value.toPrecision(3)} ms`;
  console.log(
    `  batch ${String(batch).padStart(3)}: lowbit ${ms(ours)}, onnxruntime-web ${ort.env.versions.web} ${ms(theirs)}: ${(theirs / ours).toFixed(1)} x; ${different} of ${a.length} outputs differ`,
  );
}
model.dispose();
await session.release();
