import { constantBytes, type Graph, type PlainConstant, type QuantizedConstant } from "lowbit";
import { correctBias as correctLayerBias, dequantize, type Calibration as Inputs, inputMean } from "lowbit/quantize";
import { type ActivationScheme, calibrationFor, parseActivations } from "./activations.ts";
import { ahead } from "./ahead.ts";
import type { Calibration, ErrorFigures, LayerReport, QuantizeModelOptions, QuantizeModelResult } from "./api.ts";
import { breathe } from "./breathe.ts";
import { calibrate } from "./calibrate.ts";
import { OptionError } from "./errors.ts";
import { DEFAULT_GATE, judge } from "./gate.ts";
import { elementCount, isFloat } from "./graph/constants.ts";
import { GraphEditor } from "./graph/editor.ts";
import { insertInt8Activations, quantizeRowsAtRun } from "./integer-activations.ts";
import { LayerInputs } from "./layer-inputs.ts";
import { type Measured, measure } from "./measure.ts";
import { layerMap } from "./parity.ts";
import { INTEGER_PASSES, runPasses } from "./passes/pipeline.ts";
import { rescale } from "./rescale/index.ts";
import {
  assignSchemes,
  giveWeight,
  HERE,
  layersOf,
  needsInputs,
  readsFloats,
  taskOf,
  type Weighted,
} from "./schemes.ts";

/** Nothing is lost. */
export const EXACT: ErrorFigures = { sqnr: Number.POSITIVE_INFINITY, cosine: 1, maxError: 0 };

/** Bits per weight over all layers, everything that decoding needs included; 0 where there are no weights. */
export function meanBits(reports: readonly Pick<LayerReport, "weights" | "bytes">[]): number {
  const weights = reports.reduce((sum, report) => sum + report.weights, 0);
  return weights === 0 ? 0 : (8 * reports.reduce((sum, report) => sum + report.bytes, 0)) / weights;
}

/**
 * Quantizes a float network after training: weights layer by layer with a scheme each, activations to int8 if asked;
 * then measures on the calibration samples what it cost, and judges by the measurement alone.
 *
 * Every layer is measured twice: by itself, on the inputs that the float network gives it (`sqnr`, `cosine`,
 * `maxError`: this layer's own damage), and inside the quantized model (`inModel`: with that of the layers before it).
 *
 * Schemes that look at a layer's inputs (GPTQ) or at a curvature get those that the float network has on the calibration samples (`layer-inputs.ts`).
 *
 * @param network after `runPasses`
 * @returns the quantized graph, also where it is refused: whoever wants it anyway has it
 * @throws SchemeError, OptionError (a glob without a layer; int8 activations, a scheme that looks at inputs or bias correction without calibration), NotFiniteError (NaN
 *   weights), the signal's reason
 */
export async function quantizeModel(network: Graph, options: QuantizeModelOptions = {}): Promise<QuantizeModelResult> {
  const { correctBias = false, signal, onProgress } = options;
  const activations = parseActivations(options.activations ?? "float");
  const { graph, calibration } = await rescaled(network, options, activations);
  const isInteger = activations.kind === "int8";
  if (isInteger && !calibration)
    throw new OptionError("quantizeModel", "calibration", "samples, for int8 activations", "none");
  const layers = layersOf(graph);
  const assignments = assignSchemes(layers, options);

  const looking = layers.filter(({ name }) => {
    const assignment = assignments.get(name);
    return assignment !== undefined && (needsInputs(assignment) || correctBias);
  });
  if (looking.length > 0 && !calibration) {
    const { name } = looking[0]!;
    const why = correctBias ? "bias correction" : `${assignments.get(name)!.scheme} of layer "${name}"`;
    throw new OptionError("quantizeModel", "calibration", `samples, for ${why}`, "none");
  }
  const inputs = new LayerInputs(
    graph,
    looking.filter((layer) => readsFloats(graph, layer)),
    calibration?.feeds ?? [],
  );

  const { quantizing = HERE } = options;
  const work = async (layer: Weighted) => {
    await breathe(signal);
    const assignment = assignments.get(layer.name);
    const inputsOf = async () => (looking.includes(layer) && readsFloats(graph, layer) ? inputs.of(layer) : undefined);
    const task = assignment && taskOf(graph, layer, assignment);
    const needed = async () => (needsInputs(assignment!) ? inputsOf() : undefined);
    const quantized = task && (await quantizing.quantize(task, needed));
    const given = quantized && correctBias ? await inputsOf() : undefined;
    const bias = given && (await biasOf(graph, layer, quantized!.constant, given));
    return { layer, quantized, bias };
  };
  const editor = GraphEditor.from(graph);
  const errors = new Map<string, ErrorFigures>();
  let done = 0;
  for await (const { layer, quantized, bias } of ahead(layers, quantizing.atOnce, work)) {
    if (quantized) {
      const { sqnr, cosine, maxAbs } = quantized.error;
      errors.set(layer.name, { sqnr, cosine, maxError: maxAbs });
      giveWeight(editor, layer, quantized.constant, bias);
    }
    onProgress?.("quantize", ++done, layers.length);
  }
  const coded = editor.freeze();
  const staged = isInteger
    ? insertInt8Activations(coded, await calibrationFor(graph, activations, calibration!, signal))
    : activations.kind === "dynamic"
      ? quantizeRowsAtRun(coded)
      : coded;
  const result = isInteger ? runPasses(staged, {}, INTEGER_PASSES) : staged;

  const measured = calibration && (await measure({ float: graph, staged, result }, calibration, options));
  const reports = layers.map((layer) => reportOf(result, layer, errors, measured));
  const gate = options.gate === false ? undefined : { ...DEFAULT_GATE, ...options.gate };
  // Without samples only a floor that was asked for is judged, on the weights.
  const floors = calibration ? gate : {};
  const judged = gate && { ...floors, ...(options.minSqnr === undefined ? {} : { minSqnr: options.minSqnr }) };
  return {
    graph: result,
    layers: reports,
    bitsPerWeight: meanBits(reports),
    agreement: measured?.agreement,
    refused: judged && judge(reports, measured?.agreement, judged),
  };
}

/** The network with the factors moved that were asked for, and the calibration that goes with it: values between layers have other ranges then. */
async function rescaled(
  network: Graph,
  { rescale: names = [], calibration, weights, signal, explain }: QuantizeModelOptions,
  activations: ActivationScheme,
): Promise<{ graph: Graph; calibration: Calibration | undefined }> {
  if (names.length === 0) return { graph: network, calibration };
  const graph = await rescale(network, names, { calibration, weights, signal, ...(explain && { explain }) });
  // Ranges are read for these alone; others run the samples and nothing else.
  const reads = activations.kind === "int8" && activations.range === "calibrated";
  if (!calibration || !reads) return { graph, calibration };
  const { feeds, range } = calibration;
  return { graph, calibration: await calibrate(graph, feeds, { ...(range && { range }), ...(signal && { signal }) }) };
}

/** The layer's bias without what its quantized weights add to it on average; undefined where channels see different inputs (grouped convolutions). */
async function biasOf(
  graph: Graph,
  layer: Weighted,
  quantized: QuantizedConstant,
  inputs: Inputs,
): Promise<PlainConstant | undefined> {
  if (layer.op === "conv2d" && layer.attributes.groups !== 1) return undefined;
  const weights = graph.constants.get(layer.inputs[1]!) as PlainConstant & { readonly data: Float32Array };
  const bias = layer.inputs[2] ? graph.constants.get(layer.inputs[2]) : undefined;
  if (layer.inputs[2] && !isFloat(bias)) return undefined;
  const corrected = await correctLayerBias({
    weights,
    quantized: await dequantize(quantized),
    inputMean: await inputMean(inputs, inputs.inputs.length / inputs.samples),
    bias: isFloat(bias) ? bias.data : undefined,
  });
  return { kind: "plain", dtype: "f32", shape: [corrected.length], data: corrected };
}

/** `weightErrors` is of those layers that were quantized here. */
function reportOf(
  result: Graph,
  layer: Weighted,
  weightErrors: ReadonlyMap<string, ErrorFigures>,
  measured: Measured | undefined,
): LayerReport {
  const { name, op } = layer;
  const constant = result.constants.get(layerMap(result).get(name)!.inputs[1]!)!;
  const weights = elementCount(constant.shape);
  const bytes = constantBytes(constant);
  const inModel = measured?.inModel.get(name);
  return {
    name,
    op,
    scheme: constant.kind === "quantized" ? constant.scheme : "float",
    bitsPerWeight: (8 * bytes) / weights,
    weights,
    bytes,
    measured: measured ? "output" : "weights",
    ...((measured ? measured.own.get(name) : weightErrors.get(name)) ?? EXACT),
    ...(inModel ? { inModel } : {}),
  };
}
