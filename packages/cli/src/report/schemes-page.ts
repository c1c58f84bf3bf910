/** The report over many schemes of one task: what each costs in size, accuracy and speed, and what was refused. */

import type { LayerFigures, SchemeFigures } from "./figures.ts";
import { formatBytes, formatCount, formatDecibels, formatPercent, formatTimes, significant } from "./format.ts";
import { type Column, facts, figure, type Html, html, page, table } from "./page.ts";
import { colour, layerSqnr, sizeAccuracy, speed } from "./plots.ts";

export interface SchemesReport {
  readonly title: string;
  /** One or two sentences: what was done and what came out. */
  readonly summary: string;
  /** The float model (kind `reference`), the peers, and everything else, in the order of the table. */
  readonly schemes: readonly SchemeFigures[];
  /** Where the numbers come from: data, machine, versions, batch, date. */
  readonly facts: readonly (readonly [string, string])[];
}

/** Columns over schemes; ratios are against the reference and the first peer, where they exist. */
function columns(reference: SchemeFigures | undefined, peer: SchemeFigures | undefined): Column<SchemeFigures>[] {
  const ratio = (of: SchemeFigures | undefined) => (s: SchemeFigures) =>
    of?.imagesPerSecond === undefined || s.imagesPerSecond === undefined || s === of
      ? "–"
      : formatTimes(s.imagesPerSecond / of.imagesPerSecond);
  const list: Column<SchemeFigures>[] = [
    {
      title: "scheme",
      cell: (s) =>
        s.refused
          ? html`${s.name}<div class="refusal">REFUSED at ${s.refused.layer}: ${s.refused.reason}</div>`
          : s.name,
    },
    { title: "bits / weight", numeric: true, cell: (s) => significant(s.bitsPerWeight) },
    { title: "file", numeric: true, cell: (s) => formatBytes(s.bytes) },
    {
      title: "× smaller",
      numeric: true,
      cell: (s) => (reference && s !== reference ? formatTimes(reference.bytes / s.bytes) : "–"),
    },
    { title: "top-1", numeric: true, cell: (s) => formatPercent(s.top1) },
    {
      title: "agrees with float",
      numeric: true,
      cell: (s) => (s.agreement === undefined ? "–" : formatPercent(s.agreement)),
    },
    {
      title: "images / s",
      numeric: true,
      cell: (s) => (s.imagesPerSecond === undefined ? "–" : formatCount(s.imagesPerSecond)),
    },
    { title: "× our float", numeric: true, cell: ratio(reference) },
  ];
  if (peer) list.push({ title: `× ${peer.name}`, numeric: true, cell: ratio(peer) });
  return list;
}

const KEYS: readonly (readonly [string, string])[] = [
  ["reference", "float, on our kernels"],
  ["cut", "quantized after training"],
  ["trained", "trained at these bits"],
  ["peer", "another runtime"],
  ["refused", "refused by the gate"],
];

function key(schemes: readonly SchemeFigures[]): Html {
  const present = new Set(schemes.map((s) => (s.refused ? "refused" : s.kind)) as Iterable<string>);
  const entry = ([kind, text]: readonly [string, string]) =>
    html`<span><i style="background: var(--${kind})"></i>${text}</span>`;
  return html`<p class="key">${KEYS.filter(([kind]) => present.has(kind)).map(entry)}</p>`;
}

/** The exact figures of every layer. */
export const layerTable = (layers: readonly LayerFigures[]): Html =>
  table(
    [
      { title: "layer", cell: (l) => l.name },
      { title: "scheme", cell: (l) => l.scheme },
      { title: "bits / weight", numeric: true, cell: (l) => significant(l.bitsPerWeight) },
      { title: "stored", numeric: true, cell: (l) => formatBytes(l.bytes) },
      { title: "SQNR", numeric: true, cell: (l) => (l.sqnr === undefined ? "–" : formatDecibels(l.sqnr)) },
      { title: "cosine", numeric: true, cell: (l) => (l.cosine === undefined ? "–" : l.cosine.toFixed(5)) },
      { title: "max error", numeric: true, cell: (l) => (l.maxError === undefined ? "–" : significant(l.maxError)) },
    ],
    layers,
  );

/** Layers of one scheme: the drawing and, folded away, the figures. */
function layersOf(scheme: SchemeFigures, domain: number): Html {
  const verdict = scheme.refused ? ` — REFUSED at ${scheme.refused.layer}: ${scheme.refused.reason}` : "";
  return html`<h3>${scheme.name}${verdict}</h3>
${layerSqnr(scheme.layers, colour(scheme), domain)}
<details><summary>Figures</summary>${layerTable(scheme.layers)}</details>`;
}

/** The whole page. */
export function schemesPage(report: SchemesReport): string {
  const { schemes } = report;
  const reference = schemes.find((s) => s.kind === "reference");
  const peer = schemes.find((s) => s.kind === "peer");
  const measured = schemes.filter((s) => s.layers.some((l) => l.sqnr !== undefined));
  const decibels = measured.flatMap((s) => s.layers.map((l) => l.sqnr ?? 0)).filter(Number.isFinite);
  const domain = Math.max(10, ...decibels);
  const timed = schemes.some((s) => s.imagesPerSecond !== undefined);
  return page(report.title, [
    html`<h1>${report.title}</h1><p class="lead">${report.summary}</p>`,
    table(columns(reference, peer), schemes, (s) => (s.refused ? "refused" : s.kind)),
    facts(report.facts),
    html`<h2>Size and accuracy</h2>${key(schemes)}`,
    figure(
      sizeAccuracy(schemes.filter((s) => s.kind !== "peer")),
      "Smaller is to the left, better is up; both axes are logarithmic. Crosses were refused: they are drawn to show what the gate kept from being shipped.",
    ),
    timed ? html`<h2>Speed</h2>` : html``,
    timed
      ? figure(
          speed(schemes),
          "One thread; medians of interleaved rounds in one run, so that every bar saw the same machine.",
        )
      : html``,
    measured.length > 0
      ? html`<h2>Where the error comes from</h2>
<p>For every layer, the ratio of signal to quantization noise in its output on the calibration images: 20 dB means that one tenth of the signal's amplitude is noise.</p>
${measured.map((s) => layersOf(s, domain))}`
      : html``,
  ]);
}
