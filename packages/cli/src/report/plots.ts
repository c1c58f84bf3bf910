/**
 * The drawings of a report: Observable Plot under linkedom, so static SVG. Colours are the page's CSS variables, which
 * is how one drawing serves light and dark.
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { LayerFigures, SchemeFigures } from "./figures.ts";
import { formatBytes, formatCount, formatDecibels, formatPercent } from "./format.ts";
import type { Html } from "./page.ts";
import { placeLabels } from "./place-labels.ts";

export const WIDTH = 900;

/** Draws; Plot returns an SVG element, or a figure around it, of the document it is given. */
export function draw(options: Plot.PlotOptions): Html {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawing = Plot.plot({ width: WIDTH, style: { fontSize: "13px", background: "none" }, ...options, document });
  drawing.setAttribute("role", "img");
  // outerHTML of linkedom writes SVG attributes as they were set, which is what an HTML parser wants.
  return { html: drawing.outerHTML };
}

/** CSS colour of a scheme. */
export const colour = (scheme: SchemeFigures): string => `var(--${scheme.refused ? "refused" : scheme.kind})`;

/**
 * Size against accuracy: file size to the right (logarithmic), errors per 100 downwards (logarithmic, so that 99.1 %
 * and 98.9 % stay apart). Best is the upper left. Refused schemes are crosses.
 */
export function sizeAccuracy(schemes: readonly SchemeFigures[]): Html {
  // A model without a single error has no place on a logarithmic axis; a tenth of the next best stands for it.
  const floor = Math.min(...schemes.map((s) => (s.top1 < 1 ? 1 - s.top1 : 0.01))) / 10;
  const points = schemes.map((s) => ({ ...s, error: Math.max(1 - s.top1, floor) * 100, colour: colour(s) }));
  const scales: Plot.PlotOptions = {
    height: 420,
    marginLeft: 64,
    marginRight: 60,
    marginBottom: 46,
    inset: 18,
    ...sizeAndErrors(points),
  };
  const { x, y } = probeScales({ ...scales, marks: [Plot.dot(points, { x: "bytes", y: "error" })] });
  const labels = placeLabels(
    points.map((p) => ({ x: x(p.bytes), y: y(p.error), text: `${p.name}  ${formatPercent(p.top1)}` })),
    { left: 64, top: 0, right: WIDTH, bottom: 380 },
  );
  const kept = points.filter((p) => !p.refused);
  const refused = points.filter((p) => p.refused);
  return draw({
    ...scales,
    ariaLabel: "File size against errors per 100 images, one point per scheme",
    marks: [
      ...errorAxis(points, "images"),
      Plot.dot(kept, { x: "bytes", y: "error", r: 6, fill: "colour", stroke: "var(--paper)" }),
      Plot.dot(refused, { x: "bytes", y: "error", r: 7, symbol: "times", stroke: "colour", strokeWidth: 2.5 }),
      ...points.map((point, i) => {
        const label = labels[i];
        return Plot.text([point], {
          x: "bytes",
          y: "error",
          text: [`${point.name}  ${formatPercent(point.top1)}`],
          dx: label?.dx ?? 0,
          dy: label?.dy ?? 0,
          textAnchor: label?.anchor ?? "start",
          fill: "colour",
          stroke: "var(--paper)",
          strokeWidth: 4,
        });
      }),
    ],
  });
}

/** Axes of file size against errors, both logarithmic, best in the upper left. */
export function sizeAndErrors(
  points: readonly { readonly bytes: number; readonly error: number }[],
): Pick<Plot.PlotOptions, "x" | "y"> {
  return {
    x: {
      type: "log",
      label: "file size →",
      tickFormat: formatBytes,
      ticks: decades(points.map((p) => p.bytes)),
      grid: true,
    },
    // Its axis is errorAxis: Plot leaves out labels of a logarithmic one.
    y: { type: "log", reverse: true, axis: null },
  };
}

/** Lines and labels of the errors that {@link sizeAndErrors} puts upwards. No errors at all have no place on a logarithmic axis: they stand above the fewest, at a line marked 0. */
export function errorAxis(
  points: readonly { readonly error: number; readonly top1: number }[],
  what: string,
): Plot.Markish[] {
  const none = points.find(({ top1 }) => top1 === 1)?.error;
  const some = points.filter(({ top1 }) => top1 < 1).map(({ error }) => error);
  const ticks = [...(none === undefined ? [] : [none]), ...(some.length > 0 ? decades(some) : [])];
  const text = (tick: number) => (tick === none ? "0" : String(tick));
  return [Plot.gridY(ticks), Plot.axisY(ticks, { text, label: `↑ errors per 100 ${what}` })];
}

/** Where a plot of these options puts values, in pixels. */
export function probeScales(options: Plot.PlotOptions): Record<"x" | "y", (value: number) => number> {
  const probe = Plot.plot({ width: WIDTH, ...options, ...documentOf() });
  const [x, y] = [probe.scale("x"), probe.scale("y")];
  return { x: (value) => x?.apply(value), y: (value) => y?.apply(value) };
}

/** 1, 2, 5, 10, 20 ... between the smallest and the largest value: d3 would label every digit of a decade. */
function decades(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); 10 ** exponent <= high; exponent++)
    for (const digit of [1, 2, 5]) {
      // Through text, so that 2 * 10^-1 is 0.2 and not 0.2000...01.
      const tick = Number(`${digit}e${exponent}`);
      if (tick >= low * 0.9 && tick <= high * 1.1) ticks.push(tick);
    }
  return ticks;
}

const documentOf = () => ({ document: parseHTML("<!doctype html><html><body></body></html>").document });

/** Images per second, one bar each. */
export function speed(schemes: readonly SchemeFigures[]): Html {
  const bars = schemes
    .filter((s) => s.imagesPerSecond !== undefined)
    .map((s) => ({ name: s.name, rate: s.imagesPerSecond ?? 0, colour: colour(s) }));
  return draw({
    height: 40 + bars.length * 34,
    ...margins(bars.map((b) => b.name)),
    ariaLabel: "Images per second, one bar per scheme",
    x: { label: "images per second →", grid: true, ticks: 6, tickFormat: formatCount },
    y: { label: null, domain: bars.map((b) => b.name), tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: "rate", y: "name", fill: "colour", rx: 2 }),
      Plot.text(bars, {
        x: "rate",
        y: "name",
        text: (b) => formatCount(b.rate),
        dx: 6,
        textAnchor: "start",
        fill: "var(--ink)",
      }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
    ],
  });
}

/** What the layers' figures compare; the same for all layers of a model. */
export const measuredOf = (layers: readonly LayerFigures[]): string => layers[0]?.measured ?? "output";

/** SQNR of each layer, dB; a layer that is reproduced exactly gets its word instead of a bar. */
export function layerSqnr(layers: readonly LayerFigures[], fill: string, domain: number): Html {
  const bars = layers.flatMap((l) => (l.sqnr === undefined ? [] : [{ name: l.name, sqnr: l.sqnr, scheme: l.scheme }]));
  const finite = (value: number) => (Number.isFinite(value) ? value : 0);
  return draw({
    height: 46 + bars.length * 30,
    ...margins(bars.map((b) => b.name)),
    ariaLabel: "Signal to quantization noise ratio of each layer",
    x: {
      label: `SQNR of the layer's ${measuredOf(layers)}, dB →`,
      domain: [Math.min(0, ...bars.map((b) => finite(b.sqnr))), domain],
      grid: true,
      ticks: 6,
    },
    y: { label: null, domain: bars.map((b) => b.name), tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: (b) => finite(b.sqnr), y: "name", fill, rx: 2 }),
      Plot.text(bars, {
        x: (b) => Math.max(0, finite(b.sqnr)),
        y: "name",
        text: (b) => `${b.scheme}  ${formatDecibels(b.sqnr)}`,
        dx: 6,
        textAnchor: "start",
        fill: "var(--ink)",
      }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
    ],
  });
}

/** Bytes of each layer as they are stored. */
export function layerSizes(layers: readonly LayerFigures[], fill: string): Html {
  return draw({
    height: 46 + layers.length * 30,
    ...margins(layers.map((l) => l.name)),
    ariaLabel: "Stored bytes of each layer",
    x: { label: "stored size →", grid: true, ticks: 6, tickFormat: formatBytes },
    y: { label: null, domain: layers.map((l) => l.name), tickSize: 0 },
    marks: [
      Plot.barX(layers, { x: "bytes", y: "name", fill, rx: 2 }),
      Plot.text(layers, {
        x: "bytes",
        y: "name",
        text: (l) => formatBytes(l.bytes),
        dx: 6,
        textAnchor: "start",
        fill: "var(--ink)",
      }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
    ],
  });
}

/** Room for the longest name on the left (7.2 px a character at 13 px) and for a value behind the longest bar. */
export function margins(names: readonly string[]): Plot.PlotOptions {
  const longest = Math.max(4, ...names.map((n) => n.length));
  return { marginLeft: Math.min(24 + longest * 7.2, WIDTH / 2), marginRight: 150, marginBottom: 40 };
}
