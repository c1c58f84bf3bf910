/** int8 activations in front of the layers whose weights are integers: codes from calibrated ranges, or rows that are quantized when they come. */
import type { ActivationQuantization, Graph, QuantizedConstant } from "lowbit";
import type { Calibration, Range } from "./api.ts";
import { OptionError } from "./errors.ts";
import { GraphEditor } from "./graph/editor.ts";
import { isIntegerWeight } from "./graph/low-bit.ts";
import { roundTiesToEven } from "./graph/numbers.ts";
import { isLayer } from "./passes/channel-function.ts";

/**
 * Scale and zero point of int8 codes for a range: 255 steps over [min, max] widened to hold 0, which gets a code of its
 * own (padding is exact then). A range without extent has scale 1.
 */
export function int8Quantization({ min, max }: Range): ActivationQuantization {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround((high - low) / 255);
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) return { scale: 1, zeroPoint: low < 0 ? 127 : -128 };
  const zeroPoint = Math.min(127, Math.max(-128, roundTiesToEven(-128 - low / scale)));
  return { scale, zeroPoint };
}

/**
 * Puts quantize + dequantize in front of every layer of f32 activations and integer weights; the passes then join the
 * codes with the layers on both sides.
 *
 * @returns the graph, and the float values that have codes now, by layer
 */
export function insertInt8Activations(graph: Graph, calibration: Calibration): Graph {
  const editor = GraphEditor.from(graph);
  const codes = new Map<string, string>();
  for (const node of editor.live()) {
    if (!isLayer(node) || editor.info(node.inputs[0]!).dtype !== "f32") continue;
    const weight = editor.constants.get(node.inputs[1]!);
    if (weight?.kind !== "quantized" || !isIntegerWeight(weight)) continue;
    const x = node.inputs[0]!;
    let real = codes.get(x);
    if (real === undefined) {
      const range = calibration.ranges.get(x);
      if (range === undefined)
        throw new OptionError("quantizeModel", `calibrated range of "${x}"`, "one from this graph", "none");
      const info = { dtype: "int8", quantization: int8Quantization(range) } as const;
      const quantized = editor.add("quantize", `${node.name}/quantize`, [x], {}, { info });
      real = editor.add("dequantize", `${node.name}/dequantize`, [quantized], {});
      codes.set(x, real);
    }
    editor.replace(node, { inputs: [real, ...node.inputs.slice(1)] });
  }
  return editor.freeze();
}

/**
 * Dense layers of f32 activations and integer weights quantize every row of their input by its own largest magnitude when it comes: no samples are needed, and no range
 * has to hold all of them.
 */
export function quantizeRowsAtRun(graph: Graph): Graph {
  const editor = GraphEditor.from(graph);
  for (const node of editor.live()) {
    if (node.op !== "dense" || editor.info(node.inputs[0]!).dtype !== "f32") continue;
    const weight = editor.constants.get(node.inputs[1]!);
    if (weight?.kind !== "quantized" || !takesRows(weight)) continue;
    editor.replace(node, { attributes: { ...node.attributes, activations: "int8" } });
  }
  return editor.freeze();
}

/** Unsigned codes around zero points, also of groups, or signs with a scale for each row. */
const takesRows = ({ decoding, scaleShape }: QuantizedConstant): boolean =>
  decoding.kind === "affine" || (decoding.kind === "sign" && (scaleShape?.[1] ?? 1) === 1);
