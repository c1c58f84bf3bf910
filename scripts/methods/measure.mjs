// One row of the table of methods: what its quantizer says of itself, and what it does to the trained layer.
import { createHash } from "node:crypto";
import { kernelsOf } from "./kernels.mjs";
import { LAYER, outputError } from "./trained-layer.mjs";

/** Weights in a row of formats whose rows are whole blocks. */
const BLOCK = 256;

const digestOf = (bytes) => createHash("sha256").update(bytes).digest("hex");
const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** Quantizes the layer; where its rows of 1,568 do not divide into the scheme's blocks, the same weights in rows of 256. */
async function quantized({ quantize }, quantizer, { weights, calibration, curvature }) {
  const options = { name: LAYER, ...(quantizer.needs === "inputs" && { calibration }) };
  if (quantizer.needs === "curvature") options.curvature = curvature;
  try {
    return await quantize(weights, quantizer, options);
  } catch (error) {
    if (error.name !== "ShapeError" || quantizer.needs === "inputs") throw error;
    const shape = [weights.data.length / BLOCK, BLOCK];
    return quantize({ shape, data: weights.data }, quantizer, options);
  }
}

/** What is measured of a scheme. */
async function ofScheme(sources, instance, layer, scheme) {
  const quantizer = sources.parseScheme(scheme);
  const result = await quantized(sources, quantizer, layer);
  const values = result.dequantize();
  const share = (value) => (value === 0 ? "0" : value.toPrecision(4));
  return {
    name: `\`${scheme}\``,
    laws: quantizer.laws,
    error: `${share(result.error.relativeMse)} weights, ${share(outputError(layer, values))} outputs`,
    bits: String(Number(result.bitsPerWeight.toFixed(3))),
    kernel: kernelsOf(sources, instance, result.toConstant()),
    // Equal codes with other levels are the same decision; equal values with other codes as well.
    codes: result.codes.length > 0 ? digestOf(result.unpackCodes()) : undefined,
    values: digestOf(bytesOf(values)),
  };
}

/** What is measured of a method that stores no weights. */
const ofMeasured = async (layer, { laws, kernel, measure }) => ({
  name: "",
  laws,
  error: await measure(layer),
  bits: "no weights stored",
  kernel,
});

/** @returns the row, or `{ method, problem }` where it cannot be measured */
export async function measureRow(sources, instance, layer, method) {
  try {
    const measured = await ("scheme" in method
      ? ofScheme(sources, instance, layer, method.scheme)
      : ofMeasured(layer, method));
    return { ...method, ...measured };
  } catch (error) {
    return { ...method, problem: error.message };
  }
}
