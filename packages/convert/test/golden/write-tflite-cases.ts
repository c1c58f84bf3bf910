/** The files and inputs of the operator cases as JSON for make-tflite.py: node --experimental-transform-types --conditions @lowbit/source write-tflite-cases.ts > cases.json (Node 24) */
import { tfliteCases } from "../support/tflite-cases.ts";

const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");

const cases = tfliteCases().map(({ name, file, inputs }) => ({
  name,
  file: base64(file),
  inputs: inputs.map(({ dtype, shape, data }) => ({ dtype, shape, data: base64(data) })),
}));
process.stdout.write(JSON.stringify(cases));
