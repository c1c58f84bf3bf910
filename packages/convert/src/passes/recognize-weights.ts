import type { PlainConstant, QuantizedConstant } from "lowbit";
import { elementCount, isFloat } from "../graph/constants.ts";
import { perChannelConstant } from "../graph/low-bit.ts";
import type { Pass } from "./pass.ts";

export const recognizeWeights: Pass = {
  name: "recognize-weights",
  explain:
    "Weights that are +a or -a in every output channel become 1-bit codes with a as the scale, weights of -a, 0 and +a become 2-bit codes: the same numbers, packed, but for the last bits where (sign(w) - w) + w left its rounding.",
  run(editor, note) {
    for (const node of editor.live()) {
      if (node.op !== "conv2d" && node.op !== "dense") continue;
      // Kernels for grouped convolution read float weights.
      if (node.op === "conv2d" && node.attributes.groups !== 1) continue;
      const constant = editor.constants.get(node.inputs[1]!);
      if (!isFloat(constant)) continue;
      const packed = binaryWeights(constant) ?? ternaryWeights(constant);
      if (packed === undefined) continue;
      // One packed copy for all layers that share the weights.
      const name = `${node.inputs[1]!}/${packed.scheme}`;
      if (!editor.constants.has(name)) editor.constants.set(name, packed);
      const { dtype } = editor.info(node.outputs[0]!);
      editor.replace(node, { inputs: [node.inputs[0]!, name, ...node.inputs.slice(2)], info: { dtype } });
      note(
        `${node.name}: weights have ${packed.scheme === "binary" ? "two values ±a" : "three values -a, 0, +a"} per channel, packed as ${packed.scheme}`,
      );
    }
  },
};

/** Fewer weights than this in a channel may share a magnitude by chance, and there is nothing to gain. */
const FEWEST = 8;

/** Magnitudes this close are one: (sign(w) - w) + w, as training writes it, rounds twice. */
const ROUNDING = 2 ** -21;

/**
 * The one magnitude that the weights of each row have (those that are 0 aside, if `zeros`), of close ones the most frequent; undefined where there are
 * several.
 */
function magnitudes(
  { shape, data }: PlainConstant & { readonly data: Float32Array },
  zeros: boolean,
): Float32Array | undefined {
  const rows = shape[0]!;
  const columns = elementCount(shape.slice(1));
  if (columns < FEWEST) return undefined;
  const result = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    let magnitude = 0;
    let others: Map<number, number> | undefined;
    for (let i = row * columns; i < end; i++) {
      const value = Math.abs(data[i]!);
      if (value === magnitude || (value === 0 && zeros)) continue;
      if (Math.abs(value - magnitude) <= magnitude * ROUNDING) {
        others ??= new Map();
        others.set(value, (others.get(value) ?? 0) + 1);
        continue;
      }
      // The first that counts sets it: at the row's start, or behind zeros that are allowed.
      if (magnitude !== 0 || (i > row * columns && !zeros) || !(value < Number.POSITIVE_INFINITY)) return undefined;
      magnitude = value;
    }
    result[row] = others ? mostFrequent(others, magnitude, columns) : magnitude;
  }
  return result;
}

/** Of `first` and the magnitudes beside it, the one that most of `count` weights have. */
function mostFrequent(others: ReadonlyMap<number, number>, first: number, count: number): number {
  let rest = count;
  for (const times of others.values()) rest -= times;
  let [magnitude, most] = [first, rest];
  for (const [value, times] of others) if (times > most) [magnitude, most] = [value, times];
  return magnitude;
}

/** One code per weight: `negative`, `zero` or `positive`. */
function codesOf(data: Float32Array, negative: number, zero: number, positive: number): Uint8Array {
  const codes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) codes[i] = data[i]! < 0 ? negative : data[i]! > 0 ? positive : zero;
  return codes;
}

/** Weights of ±a per output channel as sign codes. A channel of zeros alone counts too, with a = 0. */
export function binaryWeights(
  constant: PlainConstant & { readonly data: Float32Array },
): QuantizedConstant | undefined {
  const scale = magnitudes(constant, false);
  if (scale === undefined) return undefined;
  const codes = codesOf(constant.data, 1, 0, 0);
  return perChannelConstant("binary", constant.shape, 1, codes, { kind: "sign" }, scale);
}

/** Weights of -a, 0, +a per output channel as codes 0, 1, 2. */
export function ternaryWeights(
  constant: PlainConstant & { readonly data: Float32Array },
): QuantizedConstant | undefined {
  const scale = magnitudes(constant, true);
  if (scale === undefined || scale.every((value) => value === 0)) return undefined;
  const codes = codesOf(constant.data, 0, 1, 2);
  return perChannelConstant("ternary", constant.shape, 2, codes, { kind: "affine", zeroPoint: 1 }, scale);
}
