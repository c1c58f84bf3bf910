import { type Constant, constantBytes, type Graph } from "lowbit";
import type { ErrorFigures, LayerReport, QuantizeModelResult, QuantizeTensorsOptions } from "./api.ts";
import { OptionError } from "./errors.ts";
import { judge } from "./gate.ts";
import { elementCount, isFloat } from "./graph/constants.ts";
import { widen } from "./onnx/minifloat.ts";
import { EXACT, meanBits } from "./quantize.ts";
import { type Assignment, assignSchemes, needsInputs, type QuantizedWeights, quantizeFloats } from "./schemes.ts";

/**
 * Quantizes tensors that no network goes with, one by one: every float tensor of two or more axes, seen as
 * [axis 0, the rest], under its own name. Tensors of one axis (biases, norms) and of integers stay as they are, and so
 * does a tensor that its scheme would not make smaller, or whose rows do not divide into the scheme's sub-vectors,
 * unless a rule names it.
 *
 * Without a network there is nothing to run: figures are of the weights, and only `minSqnr` refuses.
 *
 * @param graph constants alone, as `importModel` makes them of a plain safetensors file
 * @returns one report per float tensor of two or more axes; the quantized graph also where it is refused
 * @throws SchemeError, OptionError (a glob without a tensor; a graph that has nodes; a scheme that looks at inputs), NotFiniteError (NaN or infinite
 *   weights), ShapeError (a rule names a tensor whose rows do not divide), the signal's reason
 */
export async function quantizeTensors(
  graph: Graph,
  options: QuantizeTensorsOptions = {},
): Promise<QuantizeModelResult> {
  const { minSqnr, signal, onProgress } = options;
  if (graph.nodes.length > 0)
    throw new OptionError(
      "quantizeTensors",
      "nodes of the graph",
      "none (quantizeModel takes networks)",
      graph.nodes.length,
    );
  const matrices = [...graph.constants].filter(([, constant]) => isMatrix(constant));
  const assignments = assignSchemes(
    matrices.map(([name]) => ({ name })),
    options,
    "tensors",
  );
  const constants = new Map(graph.constants);
  const reports: LayerReport[] = [];
  for (const [index, [name, constant]] of matrices.entries()) {
    signal?.throwIfAborted();
    const assignment = assignments.get(name);
    if (assignment && needsInputs(assignment)) {
      const expected = `a network and samples: ${assignment.scheme} looks at what the layer is given`;
      throw new OptionError("quantizeTensors", `inputs of ${name}`, expected, "tensors alone");
    }
    const quantized = assignment && (await quantizeTensor(name, constant, assignment));
    if (quantized) constants.set(name, quantized.constant);
    reports.push(reportOf(name, quantized?.constant ?? constant, quantized));
    onProgress?.("quantize", index + 1, matrices.length);
  }
  return {
    graph: { ...graph, constants },
    layers: reports,
    bitsPerWeight: meanBits(reports),
    agreement: undefined,
    refused: minSqnr === undefined ? undefined : judge(reports, undefined, { minSqnr }),
  };
}

/** Weights that have rows: of floats, or of codes already. */
const isMatrix = (constant: Constant): boolean =>
  constant.shape.length >= 2 &&
  elementCount(constant.shape) > 0 &&
  (constant.kind === "quantized" || constant.dtype === "f32" || constant.dtype === "f16");

async function quantizeTensor(
  name: string,
  constant: Constant,
  assignment: Assignment,
): Promise<QuantizedWeights | undefined> {
  if (constant.kind === "quantized") return undefined;
  // Half precision widens to f32 without loss, but what its codes must be smaller than is the half.
  const data = isFloat(constant) ? constant.data : widen(constant.data as Uint16Array, "float16");
  const weight = { kind: "plain", dtype: "f32", shape: constant.shape, data } as const;
  return quantizeFloats(name, weight, assignment, { stored: constant.data.byteLength });
}

function reportOf(name: string, constant: Constant, quantized: QuantizedWeights | undefined): LayerReport {
  const weights = elementCount(constant.shape);
  const bytes = constantBytes(constant);
  const figures: ErrorFigures = quantized
    ? { sqnr: quantized.error.sqnr, cosine: quantized.error.cosine, maxError: quantized.error.maxAbs }
    : EXACT;
  return {
    name,
    op: "tensor",
    scheme: constant.kind === "quantized" ? constant.scheme : "float",
    bitsPerWeight: (8 * bytes) / weights,
    weights,
    bytes,
    measured: "weights",
    ...figures,
  };
}
