/** The table and the JSON of `convert` and `quantize`: one line per layer. */

import type { LayerReport } from "@lowbit/convert";
import { formatBytes, formatDecibels, significant } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { finiteDecibels } from "./json.ts";

/** Layer, scheme, bits, size, SQNR, cosine. */
export const layerTable = (layers: readonly LayerReport[]): string =>
  textTable(
    [
      { title: "layer", cell: (l) => l.name },
      { title: "scheme", cell: (l) => l.scheme },
      { title: "bits/weight", numeric: true, cell: (l) => significant(l.bitsPerWeight) },
      { title: "stored", numeric: true, cell: (l) => formatBytes(l.bytes) },
      { title: "SQNR", numeric: true, cell: (l) => formatDecibels(l.sqnr) },
      { title: "cosine", numeric: true, cell: (l) => l.cosine.toFixed(5) },
      { title: "of", cell: (l) => l.measured },
    ],
    layers,
  );

/** The same for programs; an exact layer's SQNR is the number that `json.ts` names. */
export const layerJson = (layers: readonly LayerReport[]) =>
  layers.map((layer) => ({
    ...layer,
    sqnr: finiteDecibels(layer.sqnr),
    ...(layer.inModel && { inModel: { ...layer.inModel, sqnr: finiteDecibels(layer.inModel.sqnr) } }),
  }));
