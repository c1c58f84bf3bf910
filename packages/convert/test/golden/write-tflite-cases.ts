/** The files and inputs of the operator cases (of Larq's, with the word) as JSON for make-tflite.py and make-larq.py: node --experimental-transform-types --conditions @lowbit/source write-tflite-cases.ts [larq] > cases.json (Node 24) */
import { larqCases } from "../support/larq-cases.ts";
import { tfliteCases } from "../support/tflite-cases.ts";

const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");

const cases = (process.argv[2] === "larq" ? larqCases() : tfliteCases()).map(({ name, file, inputs }) => ({
  name,
  file: base64(file),
  inputs: inputs.map(({ dtype, shape, data }) => ({ dtype, shape, data: base64(data) })),
}));
process.stdout.write(JSON.stringify(cases));
