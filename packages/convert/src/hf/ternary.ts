/** Weights of BitNet b1.58 (Ma et al. 2024): -1, 0 and +1 times one scale for the tensor. */
import { fromHalf, type QuantizedConstant } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { packCodes } from "../graph/low-bit.ts";
import { roundTiesToEven } from "../graph/numbers.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** The paper's bound below the mean. */
const SMALLEST = 1e-5;

/**
 * The layer `name` as codes 0, 1, 2 around 1: of floats by the paper's absmean (s = mean |w|, w = clamp(round(w / s), -1, 1) * s), or of bytes that hold four codes each as
 * transformers packs them: value i of byte row r is that of output i * rows + r.
 *
 * @param divides whether stored scales are those by which weights were multiplied
 */
export function ternaryOf(
  checkpoint: Checkpoint,
  name: string,
  n: number,
  k: number,
  divides: boolean,
): QuantizedConstant {
  const weight = `${name}.weight`;
  const packed = checkpoint.raw(weight).dtype === "U8";
  const { codes, scale } = packed ? unpacked(checkpoint, name, n, k, divides) : absmean(checkpoint, weight, n, k);
  return {
    kind: "quantized",
    scheme: "ternary",
    shape: [n, k],
    bits: 2,
    codes: packCodes(codes, n, k, 2),
    decoding: { kind: "affine", zeroPoint: 1 },
    scale: Float32Array.of(scale),
    scaleShape: [1, 1],
    groupSize: k,
  };
}

interface Codes {
  readonly codes: Uint8Array;
  readonly scale: number;
}

function absmean(checkpoint: Checkpoint, weight: string, n: number, k: number): Codes {
  const { data } = checkpoint.floats(weight, [n, k]);
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += Math.abs(data[i]!);
  const scale = Math.max(SMALLEST, sum / data.length);
  const codes = new Uint8Array(data.length);
  for (let i = 0; i < codes.length; i++) codes[i] = Math.min(1, Math.max(-1, roundTiesToEven(data[i]! / scale))) + 1;
  return { codes, scale: Math.fround(scale) };
}

function unpacked(checkpoint: Checkpoint, name: string, n: number, k: number, divides: boolean): Codes {
  const { shape, bytes } = checkpoint.raw(`${name}.weight`);
  const rows = Math.ceil(n / 4);
  if (shape[0] !== rows || shape[1] !== k)
    throw new ModelFileError(`tensor "${name}.weight"`, "shape (four codes a byte)", [rows, k], shape);
  const codes = new Uint8Array(n * k);
  for (let row = 0; row < n; row++) {
    const from = (row % rows) * k;
    const shift = 2 * Math.floor(row / rows);
    for (let i = 0; i < k; i++) codes[row * k + i] = (bytes[from + i]! >> shift) & 3;
  }
  if (codes.includes(3)) throw new ModelFileError(`tensor "${name}.weight"`, "codes", "0, 1 or 2", 3);
  const stored = scalar(checkpoint, `${name}.weight_scale`);
  if (!(stored > 0 && Number.isFinite(stored)))
    throw new ModelFileError(`tensor "${name}.weight_scale"`, "scale", "a finite number above 0", stored);
  return { codes, scale: Math.fround(divides ? 1 / stored : stored) };
}

/** A tensor of one element. */
function scalar(checkpoint: Checkpoint, name: string): number {
  const { dtype, bytes } = checkpoint.raw(name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "F32" && bytes.length === 4) return view.getFloat32(0, true);
  if (dtype === "F16" && bytes.length === 2) return fromHalf(view.getUint16(0, true));
  if (dtype !== "BF16" || bytes.length !== 2)
    throw new ModelFileError(
      `tensor "${name}"`,
      "content",
      "one F32, F16 or BF16",
      `${bytes.length} bytes of ${dtype}`,
    );
  const wide = new DataView(new ArrayBuffer(4));
  wide.setUint16(0, view.getUint16(0, true));
  return wide.getFloat32(0);
}
