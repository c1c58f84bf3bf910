/** The report over one quantized model: `lowbit quantize --report`. */

import type { LayerFigures, Refusal } from "./figures.ts";
import { formatBytes } from "./format.ts";
import { facts, figure, html, page } from "./page.ts";
import { layerSizes, layerSqnr, measuredOf } from "./plots.ts";
import { layerTable } from "./schemes-page.ts";

export interface QuantizedReport {
  /** Name of the source file. */
  readonly source: string;
  readonly sourceBytes: number;
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly layers: readonly LayerFigures[];
  readonly refused?: Refusal;
  readonly facts: readonly (readonly [string, string])[];
}

/** The whole page. */
export function quantizedPage(report: QuantizedReport): string {
  const { layers, refused } = report;
  const fill = `var(--${refused ? "refused" : "cut"})`;
  const measured = layers.filter((l) => l.sqnr !== undefined);
  const domain = Math.max(10, ...measured.map((l) => l.sqnr ?? 0).filter(Number.isFinite));
  const verdict = refused
    ? html`<p class="lead refusal">REFUSED at ${refused.layer}: ${refused.reason}. Nothing was written.</p>`
    : html`<p class="lead">${formatBytes(report.sourceBytes)} became ${formatBytes(report.bytes)}, ${(report.sourceBytes / report.bytes).toFixed(1)} times smaller, at ${report.bitsPerWeight.toFixed(2)} bits per weight.</p>`;
  return page(`${report.source}, quantized`, [
    html`<h1>${report.source}, quantized</h1>`,
    verdict,
    facts(report.facts),
    layers.length > 0 ? html`<h2>Layers</h2>${layerTable(layers)}` : html``,
    measured.length > 0
      ? html`<h2>Where the error comes from</h2>${figure(
          layerSqnr(measured, fill, domain),
          `Signal to quantization noise in each layer's ${measuredOf(measured)}: 20 dB means that one tenth of the signal's amplitude is noise.`,
        )}`
      : html``,
    layers.length > 0
      ? html`<h2>Where the bytes are</h2>${figure(layerSizes(layers, fill), "Stored bytes of each layer's weights, codebooks and scales included.")}`
      : html``,
  ]);
}
