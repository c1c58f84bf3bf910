import { basename } from "node:path";
import type { Calibration, QuantizeModelResult } from "@lowbit/convert";
import { defineCommand } from "citty";
import { formatBytes, formatPercent } from "../report/format.ts";
import { readCalibration } from "../shared/calibration.ts";
import { JSON_ARGUMENT, numberOption, type Surroundings } from "../shared/command.ts";
import { RefusedError, UsageError } from "../shared/errors.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { finiteDecibels, printJson } from "../shared/json.ts";
import { layerJson, layerTable } from "../shared/layer-report.ts";
import { openGraph } from "../shared/model.ts";
import { createProgress } from "../shared/progress.ts";
import { VERSION } from "../version.ts";

/** `glob=scheme`, split at the last `=`: a node's name may hold one, a scheme never does. */
function layerRule(text: string): readonly [glob: string, scheme: string] {
  const at = text.lastIndexOf("=");
  if (at <= 0 || at === text.length - 1) throw new UsageError(`--layer: expected 'glob=scheme', got "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

interface Outcome {
  readonly result: QuantizeModelResult;
  readonly bytes: Uint8Array;
  /** One line why nothing is written; undefined where all gates are passed. */
  readonly refusal: string | undefined;
}

function jsonOf({ result, bytes, refusal }: Outcome): object {
  const { agreement } = result;
  return {
    bytes: bytes.length,
    bitsPerWeight: result.bitsPerWeight,
    layers: layerJson(result.layers),
    ...(agreement && { agreement: { ...agreement, sqnr: finiteDecibels(agreement.sqnr) } }),
    ...(refusal !== undefined && { refused: refusal }),
  };
}

function print(output: string, sourceBytes: number, { result, bytes, refusal }: Outcome): void {
  console.log(layerTable(result.layers));
  if (result.agreement)
    console.log(
      `agrees with float on ${formatPercent(result.agreement.top1)} of ${result.agreement.samples} calibration samples`,
    );
  if (refusal === undefined)
    console.log(
      `${output}: ${formatBytes(bytes.length)}, ${(sourceBytes / bytes.length).toFixed(1)} x smaller, ${result.bitsPerWeight.toFixed(2)} bits per weight`,
    );
}

async function reportPage(
  source: string,
  sourceBytes: number,
  outcome: Outcome,
  facts: readonly (readonly [string, string])[],
) {
  const { quantizedPage } = await import("../report/quantized-page.ts");
  const { result, bytes } = outcome;
  const refused = result.refused
    ? { layer: result.refused.layer, reason: result.refused.message }
    : outcome.refusal === undefined
      ? undefined
      : { layer: "the whole file", reason: outcome.refusal };
  return quantizedPage({
    source: basename(source),
    sourceBytes,
    bytes: bytes.length,
    bitsPerWeight: result.bitsPerWeight,
    layers: result.layers,
    facts,
    ...(refused && { refused }),
  });
}

export const quantize = defineCommand({
  meta: { name: "quantize", description: "Quantize a network, measure every layer's error, refuse what is broken" },
  args: {
    input: { type: "positional", required: true, description: "An ONNX file, or a packed float model" },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT.safetensors",
      description: "Packed file to write",
    },
    weights: {
      type: "string",
      valueHint: "SCHEME",
      description:
        "Of every layer: int8, int4, int4:g32, int2, binary, ternary, pow2:4, kmeans:16, pq:DxK ... (absent: only what is already low-bit is packed)",
    },
    activations: {
      type: "string",
      valueHint: "int8|float",
      description: "int8 runs on the integer kernels and needs --calibrate",
    },
    layer: {
      type: "string",
      valueHint: "glob=SCHEME",
      description: "Scheme of the layers that match; may be repeated, later ones win",
    },
    calibrate: { type: "string", valueHint: "x.npz", description: "Samples: array x, or one array per input name" },
    "min-sqnr": { type: "string", valueHint: "dB", description: "Refuse when any layer's signal to noise is lower" },
    "max-size": { type: "string", valueHint: "BYTES", description: "Refuse when the file would be larger" },
    report: { type: "string", valueHint: "R.html", description: "Write a page with tables and plots" },
    json: JSON_ARGUMENT,
  },
  async run({ args, data }) {
    const { signal, values } = data as Surroundings;
    const minSqnr = numberOption("min-sqnr", args["min-sqnr"], -1000);
    const maxSize = numberOption("max-size", args["max-size"], 1, true);
    const layers = (values.get("layer") ?? []).map(layerRule);
    if (args.activations !== undefined && args.activations !== "int8" && args.activations !== "float")
      throw new UsageError(`--activations: expected int8 or float, got "${args.activations}"`);
    if (args.activations === "int8" && args.calibrate === undefined)
      throw new UsageError(
        "--activations int8 needs --calibrate: the ranges of the activations come from real samples",
      );
    const inputs = [args.input, ...(args.calibrate === undefined ? [] : [args.calibrate])];
    await checkOutput(args.output, inputs);
    if (args.report !== undefined) await checkOutput(args.report, [...inputs, args.output]);

    const progress = createProgress(args.json);
    progress.stage(`importing ${basename(args.input)}`);
    const opened = await openGraph(args.input, { signal });
    const { quantizeModel, writeModel } = await import("@lowbit/convert");
    let calibration: Calibration | undefined;
    if (args.calibrate !== undefined)
      calibration = await readCalibration(args.calibrate, opened.graph, progress, signal);
    let stage = "";
    const result = await quantizeModel(opened.graph, {
      ...(args.weights !== undefined && { weights: args.weights }),
      ...(args.activations !== undefined && { activations: args.activations }),
      ...(layers.length > 0 && { layers }),
      ...(calibration && { calibration }),
      ...(minSqnr !== undefined && { minSqnr }),
      signal,
      onProgress(next, done, total) {
        if (next !== stage) progress.stage(next === "quantize" ? "quantizing" : "measuring", total);
        stage = next;
        progress.update(done);
      },
    });
    const bytes = writeModel(result.graph);
    progress.end();
    const tooLarge =
      maxSize !== undefined && bytes.length > maxSize
        ? `${bytes.length} bytes are more than --max-size ${maxSize}`
        : undefined;
    const outcome: Outcome = { result, bytes, refusal: result.refused?.message ?? tooLarge };
    if (args.report !== undefined)
      await writeOutput(
        args.report,
        await reportPage(args.input, opened.bytes.length, outcome, [
          ["source", basename(args.input)],
          ["weights", args.weights ?? "as they are"],
          ["activations", args.activations ?? "float"],
          [
            "calibration",
            calibration
              ? `${basename(args.calibrate ?? "")}, ${result.agreement?.samples ?? 0} samples`
              : "none: figures are of the weights",
          ],
          ["lowbit", VERSION],
        ]),
      );
    // OUT comes last: where it exists, everything else has gone well.
    if (outcome.refusal === undefined) await writeOutput(args.output, bytes);
    if (args.json) printJson(jsonOf(outcome));
    else print(args.output, opened.bytes.length, outcome);
    if (outcome.refusal !== undefined) throw new RefusedError(`refused: ${outcome.refusal}`);
  },
});
