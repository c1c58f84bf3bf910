/** What `lowbit quantize` has to say when it is done: as a table, as JSON, as a page, and inside the file. */

import { basename } from "node:path";
import type { ModelMeta, QuantizeModelResult } from "@lowbit/convert";
import { formatBytes, formatDecibels, formatPercent, significant } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { VERSION } from "../version.ts";
import { finiteDecibels } from "./json.ts";

export interface Outcome {
  readonly result: Omit<QuantizeModelResult, "graph">;
  /** Bytes of the packed file. */
  readonly bytes: number;
  readonly source: string;
  readonly sourceBytes: number;
  /** One line why nothing is written; undefined where all gates are passed. */
  readonly refusal: string | undefined;
}

/** JSON has no infinity: an exact layer's SQNR becomes the number that `json.ts` names. */
const layersOf = ({ layers }: Pick<QuantizeModelResult, "layers">) =>
  layers.map((layer) => ({
    ...layer,
    sqnr: finiteDecibels(layer.sqnr),
    ...(layer.inModel && { inModel: { ...layer.inModel, sqnr: finiteDecibels(layer.inModel.sqnr) } }),
  }));

/** For the packed file's metadata. */
export function parityOf(result: Outcome["result"]): NonNullable<ModelMeta["parity"]> {
  const layers = layersOf(result).map(({ name, scheme, measured, sqnr, cosine, maxError }) => ({
    name,
    scheme,
    measured,
    sqnr,
    cosine,
    maxError,
  }));
  const { agreement } = result;
  return { layers, ...(agreement && { samples: agreement.samples, top1Agreement: agreement.top1 }) };
}

export function outcomeJson({ result, bytes, refusal }: Outcome): object {
  const { agreement, bitsPerWeight } = result;
  return {
    bytes,
    bitsPerWeight,
    layers: layersOf(result),
    ...(agreement && { agreement: { ...agreement, sqnr: finiteDecibels(agreement.sqnr) } }),
    ...(refusal !== undefined && { refused: refusal }),
  };
}

/** Layer, scheme, bits, size, SQNR, cosine; then agreement and size of the whole. */
export function printOutcome(output: string, { result, bytes, sourceBytes, refusal }: Outcome): void {
  console.log(
    textTable(
      [
        { title: "layer", cell: (l) => l.name },
        { title: "scheme", cell: (l) => l.scheme },
        { title: "bits/weight", numeric: true, cell: (l) => significant(l.bitsPerWeight) },
        { title: "stored", numeric: true, cell: (l) => formatBytes(l.bytes) },
        { title: "SQNR", numeric: true, cell: (l) => formatDecibels(l.sqnr) },
        { title: "cosine", numeric: true, cell: (l) => l.cosine.toFixed(5) },
        { title: "of its", cell: (l) => l.measured },
      ],
      result.layers,
    ),
  );
  const { agreement, bitsPerWeight } = result;
  if (agreement)
    console.log(`agrees with float on ${formatPercent(agreement.top1)} of ${agreement.samples} calibration samples`);
  if (refusal !== undefined) return;
  const smaller = `${(sourceBytes / bytes).toFixed(1)} x smaller`;
  console.log(`${output}: ${formatBytes(bytes)}, ${smaller}, ${bitsPerWeight.toFixed(2)} bits per weight`);
}

/** The page of `--report`; plots load only here. */
export async function outcomePage(
  { result, bytes, source, sourceBytes, refusal }: Outcome,
  settings: {
    readonly weights?: string | undefined;
    readonly activations?: string | undefined;
    readonly calibrate?: string | undefined;
  },
): Promise<string> {
  const { quantizedPage } = await import("../report/quantized-page.ts");
  const samples = result.agreement?.samples;
  const refused = refusal === undefined ? undefined : { layer: result.refused?.layer ?? "the file", reason: refusal };
  return quantizedPage({
    source: basename(source),
    sourceBytes,
    bytes,
    bitsPerWeight: result.bitsPerWeight,
    layers: result.layers,
    ...(refused && { refused }),
    facts: [
      ["source", basename(source)],
      ["weights", settings.weights ?? "as they are"],
      ["activations", settings.activations ?? "float"],
      [
        "calibration",
        samples ? `${basename(settings.calibrate ?? "")}, ${samples} samples` : "none: figures of the weights",
      ],
      ...(result.agreement ? [["agreement with float", formatPercent(result.agreement.top1)] as const] : []),
      ["lowbit", VERSION],
    ],
  });
}
