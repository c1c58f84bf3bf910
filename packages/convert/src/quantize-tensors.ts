import { type Constant, constantBytes, type Graph, type PlainConstant } from "lowbit";
import { widenFloats } from "lowbit/quantize";
import { ahead } from "./ahead.ts";
import type {
  ErrorFigures,
  LayerCodes,
  LayerReport,
  LayerTask,
  QuantizeModelResult,
  QuantizeTensorsOptions,
} from "./api.ts";
import { breathe } from "./breathe.ts";
import { OptionError } from "./errors.ts";
import { judge } from "./gate.ts";
import { elementCount, isFloat } from "./graph/constants.ts";
import { EXACT, meanBits } from "./quantize.ts";
import { type Assignment, assignSchemes, HERE, needsInputs } from "./schemes.ts";
import type { TensorFile } from "./tensors/file.ts";

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
  if (graph.nodes.length > 0)
    throw new OptionError(
      "quantizeTensors",
      "nodes of the graph",
      "none (quantizeModel takes networks)",
      graph.nodes.length,
    );
  const entries = [...graph.constants].map(([name, constant]) => ({
    name,
    isMatrix: isMatrix(constant),
    stored: constantBytes(constant),
    read: async () => constant,
  }));
  const constants = new Map<string, Constant>();
  const result = await quantizeEach(entries, options, async (name, constant) => {
    constants.set(name, constant);
  });
  return { ...result, graph: { ...graph, constants } };
}

/**
 * The same of a file whose tensors are read one at a time, so that memory does not grow with the file.
 *
 * @param keep takes each constant, in the order of `file.tensors`; `PackedStream` writes them
 * @throws as `quantizeTensors`, and what reading throws
 */
export function quantizeTensorFile(
  file: TensorFile,
  options: QuantizeTensorsOptions,
  keep: (name: string, constant: Constant) => Promise<void>,
): Promise<Omit<QuantizeModelResult, "graph">> {
  const entries = [...file.tensors.values()].map(({ name, kind, shape, bytes }) => ({
    name,
    isMatrix: kind !== "integers" && shape.length >= 2 && elementCount(shape) > 0,
    stored: bytes,
    read: () => file.read(name),
  }));
  return quantizeEach(entries, options, keep);
}

interface Entry {
  readonly name: string;
  readonly isMatrix: boolean;
  /** Bytes that it takes unquantized. */
  readonly stored: number;
  readonly read: () => Promise<Constant>;
}

async function quantizeEach(
  entries: readonly Entry[],
  options: QuantizeTensorsOptions,
  keep: (name: string, constant: Constant) => Promise<void>,
): Promise<Omit<QuantizeModelResult, "graph">> {
  const { minSqnr, signal, onProgress, quantizing = HERE } = options;
  const matrices = entries.filter((entry) => entry.isMatrix);
  const assignments = assignSchemes(matrices, options, "tensors");
  for (const [name, assignment] of assignments)
    if (needsInputs(assignment)) {
      const expected = `a network and samples: ${assignment.scheme} looks at what the layer is given`;
      throw new OptionError("quantizeTensors", `inputs of ${name}`, expected, "tensors alone");
    }
  const work = async ({ name, stored, isMatrix, read }: Entry) => {
    await breathe(signal);
    const constant = await read();
    const assignment = isMatrix ? assignments.get(name) : undefined;
    const task = assignment && (await taskFor(name, constant, assignment, stored));
    const quantized = task && (await quantizing.quantize(task, async () => undefined));
    return { name, isMatrix, constant: quantized?.constant ?? constant, quantized };
  };
  const reports: LayerReport[] = [];
  for await (const { name, isMatrix, constant, quantized } of ahead(entries, quantizing.atOnce, work)) {
    await keep(name, constant);
    if (!isMatrix) continue;
    reports.push(reportOf(name, constant, quantized));
    onProgress?.("quantize", reports.length, matrices.length);
  }
  return {
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

async function taskFor(
  name: string,
  constant: Constant,
  assignment: Assignment,
  stored: number,
): Promise<LayerTask | undefined> {
  if (constant.kind === "quantized") return undefined;
  // Half precision widens to f32 without loss, but what its codes must be smaller than is the half.
  const weight = isFloat(constant) ? constant : await widened(constant);
  return { name, weight, ...assignment, stored };
}

async function widened({ shape, data }: PlainConstant): Promise<PlainConstant & { readonly data: Float32Array }> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { kind: "plain", dtype: "f32", shape, data: await widenFloats(bytes, "f16") };
}

function reportOf(name: string, constant: Constant, quantized: LayerCodes | undefined): LayerReport {
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
