/** The drawings of `lowbit compare`: the front of size and accuracy, errors of layers as a heat map, and where weights lie. */

import * as Plot from "@observablehq/plot";
import type { Compared } from "../compare/types.ts";
import type { LayerFigures, WeightSpread } from "./figures.ts";
import { formatBytes, formatDecibels, formatPercent, significant } from "./format.ts";
import { type Html, html } from "./page.ts";
import { type Box, placeLabels } from "./place-labels.ts";
import { draw, errorAxis, probeScales, sizeAndErrors, WIDTH } from "./plots.ts";

/** Schemes that passed the gate and that no other such beats in both size and accuracy, by falling size; equal ones are both there. */
export function frontOf<S extends Pick<Compared, "bytes" | "top1" | "refused">>(all: readonly S[]): S[] {
  const schemes = all.filter(({ refused }) => refused === undefined);
  const beats = (a: S, b: S) => a.bytes <= b.bytes && a.top1 >= b.top1 && (a.bytes < b.bytes || a.top1 > b.top1);
  return schemes.filter((b) => !schemes.some((a) => beats(a, b))).sort((a, b) => b.bytes - a.bytes || a.top1 - b.top1);
}

const colourOf = ({ scheme, refused }: Compared) =>
  `var(--${refused ? "refused" : scheme === "float" ? "reference" : "cut"})`;

/**
 * File size to the right and errors per 100 downwards, both logarithmic; a line through the schemes that nothing beats. They alone have names where there are
 * many: every point says its own on a screen.
 */
export function sizeAccuracyFront(schemes: readonly Compared[]): Html {
  const floor = Math.min(...schemes.map((s) => (s.top1 < 1 ? 1 - s.top1 : 0.01))) / 10;
  const points = schemes.map((s) => ({
    ...s,
    error: Math.max(1 - s.top1, floor) * 100,
    colour: colourOf(s),
    label: `${s.scheme}  ${formatPercent(s.top1)}`,
  }));
  const front = frontOf(points);
  // The smallest first: they stand alone, and take the place that is theirs before those of the crowd step aside.
  const named = (
    points.length <= 9 ? points : [...new Set([...front, ...points.filter((p) => p.scheme === "float")])]
  ).toSorted((a, b) => a.bytes - b.bytes);
  // A crowd gets room and smaller points.
  const isCrowd = points.length > 40;
  const height = isCrowd ? 640 : 460;
  const radius = isCrowd ? 4 : 5.5;
  const scales: Plot.PlotOptions = {
    height,
    marginLeft: 64,
    marginRight: 76,
    marginBottom: 46,
    inset: 22,
    ...sizeAndErrors(points),
  };
  const dots = Plot.dot(points, { x: "bytes", y: "error" });
  const { x, y } = probeScales({ ...scales, marks: [dots] });
  const at = (p: (typeof points)[number]) => ({ x: x(p.bytes), y: y(p.error), text: p.label });
  const frame = { left: 64, top: 0, right: WIDTH, bottom: height - 46 };
  const others = points.filter((p) => !named.includes(p)).map(at);
  const crowd = others.map((p) => boxAround(p, radius + 1));
  const labels = placeLabels(named.map(at), frame, [...crowd, ...steps(front.map(at))]);
  const title = (p: (typeof points)[number]) => `${p.label}, ${formatBytes(p.bytes)}`;
  const [kept, refused] = [points.filter((p) => !p.refused), points.filter((p) => p.refused)];
  return draw({
    ...scales,
    ariaLabel: "File size against errors per 100 samples, one point per scheme",
    marks: [
      ...errorAxis(points, "samples"),
      Plot.line(front, {
        x: "bytes",
        y: "error",
        curve: "step-before",
        stroke: "var(--front)",
        strokeWidth: 2,
        strokeOpacity: 0.55,
      }),
      Plot.dot(kept, { x: "bytes", y: "error", r: radius, fill: "colour", stroke: "var(--paper)", title }),
      Plot.dot(refused, {
        x: "bytes",
        y: "error",
        r: radius,
        symbol: "times",
        stroke: "colour",
        strokeWidth: 2,
        title,
      }),
      ...named.map((point, i) =>
        Plot.text([point], {
          x: "bytes",
          y: "error",
          text: [point.label],
          dx: labels[i]?.dx ?? 0,
          dy: labels[i]?.dy ?? 0,
          textAnchor: labels[i]?.anchor ?? "start",
          fill: "colour",
          stroke: "var(--paper)",
          strokeWidth: 4,
        }),
      ),
    ],
  });
}

const boxAround = ({ x, y }: { readonly x: number; readonly y: number }, r: number): Box => ({
  left: x - r,
  right: x + r,
  top: y - r,
  bottom: y + r,
});

/** The stairs through points of falling x: up or down at the first one's x, then across. */
const steps = (points: readonly { readonly x: number; readonly y: number }[]): Box[] =>
  points.slice(1).flatMap((to, i) => {
    const from = points[i]!;
    const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
    return [
      { left: from.x - 1, right: from.x + 1, top, bottom },
      { left: to.x, right: from.x, top: to.y - 1, bottom: to.y + 1 },
    ];
  });

/** Where noise has a tenth of the signal's amplitude: the middle of the heat map's colours. */
const MIDDLE_DB = 20;

/** Background of a figure: towards `--bad` below the middle, towards `--good` above, by distance. */
function heat(sqnr: number): string {
  const share = Math.min(1, Math.abs(sqnr - MIDDLE_DB) / (sqnr < MIDDLE_DB ? MIDDLE_DB : 40));
  return `background: color-mix(in oklab, var(--${sqnr < MIDDLE_DB ? "bad" : "good"}) ${Math.round(70 * share)}%, var(--paper))`;
}

/** A table whose cells are coloured by SQNR: schemes downwards, layers across. */
export function heatMap(schemes: readonly Compared[]): Html {
  const names = [...new Set(schemes.flatMap(({ layers }) => layers.map(({ name }) => name)))];
  const cell = (layer: LayerFigures | undefined) => {
    if (layer?.sqnr === undefined) return html`<td class="none">–</td>`;
    const { sqnr, cosine, scheme } = layer;
    if (scheme === "float") return html`<td class="none" title="left as floats">float</td>`;
    const exact = sqnr === Number.POSITIVE_INFINITY;
    const title = `${scheme}, cosine ${(cosine ?? 1).toFixed(5)}`;
    return html`<td style="${heat(exact ? 60 : sqnr)}" title="${title}">${exact ? "exact" : sqnr.toFixed(1)}</td>`;
  };
  return html`<div class="scroll heat"><table><thead><tr><th>scheme</th>${names.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${schemes.map(
    ({ scheme, refused, layers }) =>
      html`<tr><th class="${refused ? "refusal" : ""}">${scheme}</th>${names.map((name) => cell(layers.find((l) => l.name === name)))}</tr>
`,
  )}</tbody></table></div>`;
}

/** Share of the float weights outside of what is drawn, on each side. */
const TAIL = 0.0015;

/** First and last bin of all but the tails. */
function inner(bins: readonly number[]): [first: number, last: number] {
  const total = bins.reduce((sum, count) => sum + count, 0);
  const until = (order: readonly number[]) => {
    let seen = 0;
    return order.findIndex((count) => {
      seen += count;
      return seen > TAIL * total;
    });
  };
  return [until(bins), bins.length - 1 - until(bins.toReversed())];
}

export interface NamedSpread {
  readonly scheme: string;
  readonly spread: WeightSpread;
}

const HISTOGRAM = 150;
const STRIP = 24;

/** A layer's float weights as a histogram and below it, on the same axis, one strip for each scheme: a line where it has a level, darker where more weights take it. */
export function weightLevels(float: WeightSpread, schemes: readonly NamedSpread[]): Html {
  const { low, high, bins } = float;
  const [first, last] = inner(bins);
  const width = (high - low) / bins.length;
  const edge = (bin: number) => low + bin * width;
  const bars = (counts: readonly number[]) =>
    counts.flatMap((count, bin) =>
      count > 0 && bin >= first && bin <= last ? [{ x1: edge(bin), x2: edge(bin + 1), count }] : [],
    );
  // Three bins make one bar: the strips need finer lines than the histogram.
  const coarse = Array.from({ length: Math.ceil(bins.length / 3) }, (_, i) => ({
    x1: edge(3 * i),
    x2: Math.min(edge(3 * i + 3), high),
    count: (bins[3 * i] ?? 0) + (bins[3 * i + 1] ?? 0) + (bins[3 * i + 2] ?? 0),
  })).filter(({ x1, x2 }) => x1 >= edge(first) - width && x2 <= edge(last + 1) + 3 * width);
  const most = Math.max(...coarse.map(({ count }) => count));
  const strip = STRIP / HISTOGRAM;
  const strips = schemes.flatMap(({ scheme, spread }, i) => {
    const lines = bars(spread.bins);
    const top = Math.max(...lines.map(({ count }) => count));
    return lines.map(({ x1, x2, count }) => ({
      ...{ x1, x2, scheme },
      y1: -strip * (i + 0.92),
      y2: -strip * (i + 0.2),
      opacity: 0.12 + (0.88 * Math.log1p(count)) / Math.log1p(top),
    }));
  });
  const names = schemes.map(({ scheme }, i) => ({ scheme, y: -strip * (i + 0.56) }));
  const marginLeft = 30 + 7.2 * Math.max(4, ...schemes.map(({ scheme }) => scheme.length));
  return draw({
    height: HISTOGRAM + STRIP * schemes.length + 50,
    marginLeft,
    marginRight: 24,
    marginTop: 8,
    marginBottom: 42,
    ariaLabel: `Weights of ${float.layer} and the levels of ${schemes.length} schemes`,
    x: {
      label: `weights of ${float.layer} →`,
      domain: [edge(first), edge(last + 1)],
      ticks: 8,
      tickFormat: significantTick,
    },
    y: { axis: null, domain: [-strip * schemes.length, 1] },
    marks: [
      Plot.rectY(coarse, {
        x1: "x1",
        x2: "x2",
        y: ({ count }) => count / most,
        fill: "var(--reference)",
        fillOpacity: 0.55,
        inset: 0.4,
        clip: true,
      }),
      Plot.rect(strips, {
        x1: "x1",
        x2: "x2",
        y1: "y1",
        y2: "y2",
        fill: "var(--cut)",
        fillOpacity: "opacity",
        insetLeft: -0.3,
        insetRight: -0.3,
      }),
      Plot.text([{ y: 0.5, text: "float" }], {
        frameAnchor: "left",
        y: "y",
        text: "text",
        dx: -10,
        textAnchor: "end",
        fill: "var(--soft)",
      }),
      Plot.text(names, { frameAnchor: "left", y: "y", text: "scheme", dx: -10, textAnchor: "end", fill: "var(--ink)" }),
      Plot.ruleY([0], { stroke: "var(--line)" }),
    ],
  });
}

const significantTick = (value: number): string => (value === 0 ? "0" : String(Number(significant(value))));

/** Words for the caption of {@link heatMap}. */
export const heatWords = `${MIDDLE_DB} dB, where noise has a tenth of the signal's amplitude, is without a colour; ${formatDecibels(40)} is a hundredth`;
