/** The report of `lowbit compare`: what every scheme costs one network, in figures and in pictures. */

import type { Compared } from "../compare/types.ts";
import { frontOf, heatMap, heatWords, type NamedSpread, sizeAccuracyFront, weightLevels } from "./compare-plots.ts";
import { formatBytes, formatCount, formatDecibels, formatPercent, formatTimes, significant } from "./format.ts";
import { facts, figure, type Html, html, page, table } from "./page.ts";

export interface CompareReport {
  readonly model: string;
  /** The float network first. */
  readonly schemes: readonly [Compared, ...Compared[]];
  readonly samples: number;
  readonly facts: readonly (readonly [string, string])[];
}

/** Points of accuracy that are no loss worth a name. */
const NEAR = 0.001;

/** What came out, in a sentence or two. */
function summary({ schemes: [float, ...others], samples, model }: CompareReport): string {
  const start = `${model} has ${formatPercent(float.top1)} of ${formatCount(samples)} samples right in ${formatBytes(float.bytes)}.`;
  const near = others.filter(({ top1, refused }) => !refused && top1 >= float.top1 - NEAR);
  if (near.length === 0) return `${start} No scheme of ${others.length} is within 0.1 point of that.`;
  const best = near.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  return `${start} The smallest of ${others.length} schemes within 0.1 point is ${best.scheme}: ${formatTimes(float.bytes / best.bytes)} smaller, at ${formatPercent(best.top1)}.`;
}

const why = ({ layer, reason }: NonNullable<Compared["refused"]>): string => `at ${layer}: ${reason}`;

/** Every reason of the gate, folded away: beside the figures, sentences would be most of the table. */
function refusals(schemes: readonly Compared[]): Html {
  const rows = schemes.flatMap(({ scheme, refused }) => (refused ? [{ scheme, reason: why(refused) }] : []));
  if (rows.length === 0) return html``;
  const columns = [
    { title: "scheme", cell: (row: (typeof rows)[number]) => row.scheme },
    { title: "reason", cell: (row: (typeof rows)[number]) => row.reason },
  ];
  return html`<details><summary>Why the gate refused ${rows.length} of them</summary>${table(columns, rows)}</details>`;
}

/** Points of accuracy more or less than float. */
const points = (difference: number): string =>
  `${difference > 0 ? "+" : difference < 0 ? "−" : ""}${Math.abs(100 * difference).toFixed(2)}`;

function schemeTable(float: Compared, schemes: readonly Compared[], front: ReadonlySet<Compared>): Html {
  return table(
    [
      {
        title: "scheme",
        cell: (s) => {
          const name = html`<span class="${front.has(s) ? "front" : ""}">${s.scheme}</span>`;
          return s.refused ? html`${name} <span class="refusal" title="${why(s.refused)}">REFUSED</span>` : name;
        },
      },
      { title: "bits / weight", numeric: true, cell: (s) => significant(s.bitsPerWeight) },
      { title: "file", numeric: true, cell: (s) => formatBytes(s.bytes) },
      { title: "× smaller", numeric: true, cell: (s) => (s === float ? "–" : formatTimes(float.bytes / s.bytes)) },
      { title: "top-1", numeric: true, cell: (s) => formatPercent(s.top1) },
      { title: "points", numeric: true, cell: (s) => (s === float ? "–" : points(s.top1 - float.top1)) },
      { title: "agrees with float", numeric: true, cell: (s) => formatPercent(s.agreement) },
      { title: "SQNR", numeric: true, cell: (s) => formatDecibels(s.sqnr) },
      {
        title: "ms / sample",
        numeric: true,
        cell: ({ msPerSample }) => (msPerSample === undefined ? "–" : significant(msPerSample)),
      },
      {
        title: "× speed of float",
        numeric: true,
        cell: ({ timesFloat }) => (timesFloat === undefined ? "–" : timesFloat.toFixed(2)),
      },
    ],
    schemes,
    (s) => (s.refused ? "refused" : s === float ? "reference" : ""),
  );
}

/** Schemes whose levels are drawn: no more than the eye takes in. */
const MOST_STRIPS = 8;

/** @param others by falling size; where they are many, those of the front are drawn, of these the smallest */
function levels(float: Compared, others: readonly Compared[], front: ReadonlySet<Compared>): Html {
  const chosen = others.length <= MOST_STRIPS ? others : others.filter((s) => front.has(s)).slice(-MOST_STRIPS);
  if (chosen.length === 0) return html``;
  const drawings = float.spreads.map((spread) => {
    const strips = chosen.flatMap((s): NamedSpread[] => {
      const own = s.spreads.find(({ layer }) => layer === spread.layer);
      return own ? [{ scheme: s.scheme, spread: own }] : [];
    });
    return html`<h3>${spread.layer}</h3>${figure(weightLevels(spread, strips), "")}`;
  });
  return html`<h2>Where the weights lie</h2>
<p>The float weights of a layer as a histogram, and on the same axis the values that schemes leave them: a line is a level, darker where more weights take it. Scales per channel make a band of what would be one line. The outermost 0.3 % of the float weights are not drawn.</p>
${drawings}`;
}

const STYLE = `
:root { --front: #2563c9; --bad: #d1495b; --good: #2a9d6f; }
@media (prefers-color-scheme: dark) { :root { --front: #74a7ff; --bad: #b8384a; --good: #1f8a5f; } }
.front { font-weight: 650; } figcaption:empty { display: none; }
figure svg { min-width: 40rem; }
.heat table { width: auto; border-spacing: 0; } .heat th { font-weight: 500; white-space: nowrap; }
.heat tbody th { text-align: left; color: var(--ink); border-bottom: 1px solid var(--line); position: sticky; left: 0; background: var(--paper); }
.heat tbody th.refusal { color: var(--refused); }
.heat td, .heat thead th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; min-width: 4.5rem; }
.heat td:first-of-type { min-width: 4.5rem; } .heat td.none { color: var(--soft); }
@media (max-width: 40rem) { td:first-child { min-width: 8rem; } }
`;

/** The whole page. */
export function comparePage(report: CompareReport): string {
  const { schemes, model } = report;
  const [float, ...others] = schemes;
  const front = frontOf(schemes);
  const onFront = new Set(front);
  const bySize = [...others].sort((a, b) => b.bytes - a.bytes);
  const measured = float.layers[0]?.measured ?? "output";
  return page(
    `${model}: schemes compared`,
    [
      html`<h1>${model}: schemes compared</h1><p class="lead">${summary(report)}</p>`,
      facts(report.facts),
      html`<h2>Size and accuracy</h2>
<p class="key"><span><i style="background: var(--reference)"></i>float</span><span><i style="background: var(--cut)"></i>quantized after training</span>${
        others.some(({ refused }) => refused)
          ? html`<span><i style="background: var(--refused)"></i>refused by the gate</span>`
          : html``
      }</p>`,
      figure(
        sizeAccuracyFront(schemes),
        "Smaller is to the left, better is up; both axes are logarithmic. The line joins the schemes that no other beats in both; what the gate refused is a cross and not on it.",
      ),
      html`<h2>All figures</h2>
<p class="note">In bold: the front. Agreement and SQNR are of the network's outputs beside those of the float network. Speed is one thread's, each scheme in turns with float.</p>
${schemeTable(float, [float, ...bySize], onFront)}${refusals(bySize)}`,
      html`<h2>Which layers suffer</h2>`,
      figure(
        heatMap(bySize),
        `Signal to quantization noise of each layer's ${measured}, dB, with ${measured === "output" ? "the float network's inputs" : "nothing run"}. ${heatWords}.`,
      ),
      levels(float, bySize, onFront),
    ],
    STYLE,
  );
}
