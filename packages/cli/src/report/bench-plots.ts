/** The drawings of a benchmark report. Every engine has one colour wherever it stands; the page's style names them. */

import type { BenchRecord } from "@lowbit/bench";
import * as Plot from "@observablehq/plot";
import { type BenchRow, timesAsFast } from "./bench-figures.ts";
import { formatTimes, significant } from "./format.ts";
import type { Html } from "./page.ts";
import { draw, margins } from "./plots.ts";

const light = {
  ...{
    "lowbit-scalar": "#a9c3f5",
    "lowbit-simd128": "#5b8def",
    "lowbit-relaxed": "#1d4ed8",
    "lowbit-threads": "#0b2a86",
  },
  ...{ float: "#8793a5", naive: "#c3cad5", "litert-int8": "#d9480f", "litert-fp32": "#f08c4a" },
  ...{
    "litert-int4": "#f6b48a",
    "litert-compat-int4": "#eadfb0",
    "litert-compat-int8": "#b98a00",
    "litert-compat-fp32": "#dcbb52",
  },
  ...{ "onnxruntime-web-fp32": "#7a3fb0", "onnxruntime-web-int8": "#a97bd6", "onnxruntime-web-nbits4": "#cdb0ea" },
  ...{ "tfjs-wasm-fp32": "#c2255c", "native-lowbit": "#0ea5b7", "native-lowbit-128": "#7ccbd6", other: "#6b7785" },
  ...{
    "native-onnxruntime-fp32": "#0b5c45",
    "native-onnxruntime-int8": "#2f9e78",
    "native-onnxruntime-nbits4": "#8fd0b5",
  },
  native: "#8a9a1f",
  ...{ "on-node20": "#3f8a3f", "on-node24": "#1f6d1f", "on-deno": "#6b7785", "on-bun": "#c98b2b" },
  ...{ "on-chromium": "#1d4ed8", "on-firefox": "#d9480f", "on-webkit": "#7a3fb0", "on-page": "#c2255c" },
};
const dark: typeof light = {
  ...{
    "lowbit-scalar": "#31508f",
    "lowbit-simd128": "#5b8def",
    "lowbit-relaxed": "#8fb4ff",
    "lowbit-threads": "#c9dbff",
  },
  ...{ float: "#8793a5", naive: "#4b5563", "litert-int8": "#ff8a4c", "litert-fp32": "#c96a35" },
  ...{
    "litert-int4": "#8f4c25",
    "litert-compat-int4": "#6e5a1c",
    "litert-compat-int8": "#e3b93c",
    "litert-compat-fp32": "#a5872b",
  },
  ...{ "onnxruntime-web-fp32": "#c79cf0", "onnxruntime-web-int8": "#9a6bc9", "onnxruntime-web-nbits4": "#6f4a99" },
  ...{ "tfjs-wasm-fp32": "#ff7aa8", "native-lowbit": "#67d8e6", "native-lowbit-128": "#3b8f9c", other: "#9aa6b5" },
  ...{
    "native-onnxruntime-fp32": "#7fe8c6",
    "native-onnxruntime-int8": "#39b58d",
    "native-onnxruntime-nbits4": "#1f7358",
  },
  native: "#c5d64a",
  ...{ "on-node20": "#8fd18f", "on-node24": "#5fbf5f", "on-deno": "#9aa6b5", "on-bun": "#e6b45c" },
  ...{ "on-chromium": "#8fb4ff", "on-firefox": "#ff8a4c", "on-webkit": "#c79cf0", "on-page": "#ff7aa8" },
};

/** A CSS variable of {@link BENCH_STYLE}: one for each engine, but that native searches share one (a case has one of them), and so do our engines with threads. */
export const engineColour = (engine: string): string => {
  const name = engine.replace(":", "-");
  if (Object.hasOwn(light, name)) return `var(--${name})`;
  if (/^lowbit:.*:\d+$/.test(engine)) return "var(--lowbit-threads)";
  return engine.startsWith("native:") ? "var(--native)" : "var(--other)";
};

export const platformColour = (platform: string): string =>
  Object.hasOwn(light, `on-${platform}`) ? `var(--on-${platform})` : "var(--other)";

const variables = (colours: typeof light): string =>
  `:root { ${Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(" ")} }`;

export const BENCH_STYLE = `
${variables(light)}
@media (prefers-color-scheme: dark) { ${variables(dark)} }
main { max-width: 64rem; }
tr.wrong td { background: var(--wash); }
.key i { border-radius: 2px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
.tile { padding: .9rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.15; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .88rem; }
pre { overflow-x: auto; padding: .75rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; font-size: .85rem; }
`;

/** "binary_conv/56x56x128-k3x3-128" needs its place. */
const caseMargins = (names: readonly string[]): Plot.PlotOptions => ({
  ...margins(names.map((name) => `${name}  `)),
  marginRight: 80,
});

const logTicks = (low: number, high: number): number[] =>
  [-3, -2, -1, 0, 1, 2, 3, 4]
    .flatMap((decade) => [1, 2, 5].map((digit) => Number(`${digit}e${decade}`)))
    .filter((tick) => tick >= low * 0.95 && tick <= high * 1.05);

/** Lines and labels at 1, 2 and 5 of every decade, all of them: a scale's own axis leaves out the labels that it finds too many. */
const logAxis = (low: number, high: number, label: string, tickFormat: (tick: number) => string): Plot.Markish[] => {
  const ticks = logTicks(low, high);
  return [
    Plot.gridX(ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
    Plot.text(ticks, {
      x: (tick: number) => tick,
      text: tickFormat,
      frameAnchor: "bottom",
      dy: 18,
      fill: "var(--ink)",
    }),
    Plot.text([label], {
      frameAnchor: "bottom-right",
      dy: 36,
      dx: 40,
      fill: "var(--ink)",
      text: (text: string) => text,
    }),
  ];
};

/** One bar an engine and shape; whiskers from the first to the third quartile. */
export function speedByShape(rows: readonly BenchRow[], unit: string): Html {
  const work = (row: BenchRow) => row.ours.gmacs * row.ours.medianMs;
  const bars = rows.flatMap((row) =>
    row.engines
      .filter(({ engine }) => engine !== "naive")
      .map((each) => ({
        ...{ shape: row.shape, engine: each.engine, rate: each.gmacs, colour: engineColour(each.engine) },
        ...{ low: work(row) / each.q3Ms, high: work(row) / each.q1Ms },
        label:
          each === row.ours || each.engine.startsWith("lowbit:")
            ? significant(each.gmacs)
            : `${significant(each.gmacs)}  (${formatTimes(each.medianMs / row.ours.medianMs)})`,
      })),
  );
  const engines = [...new Set(bars.map(({ engine }) => engine))];
  const shapes = rows.map(({ shape }) => shape);
  return draw({
    height: 50 + bars.length * 19 + shapes.length * 34,
    ...{ marginLeft: 180, marginRight: 150, marginTop: 26, marginBottom: 40 },
    ariaLabel: `Billions of ${unit}s a second by shape and engine`,
    x: { label: `G${unit}/s →`, grid: true, ticks: 6, domain: [0, Math.max(...bars.map(({ rate }) => rate))] },
    y: { label: null, domain: engines, tickSize: 0 },
    fy: { label: null, domain: shapes, padding: 0.22, axis: null },
    marks: [
      Plot.text(shapes, {
        fy: (shape) => shape,
        text: (shape) => shape,
        frameAnchor: "top-left",
        dx: -176,
        dy: -14,
        fontWeight: 600,
        fill: "var(--ink)",
        textAnchor: "start",
      }),
      Plot.barX(bars, { fy: "shape", y: "engine", x: "rate", fill: "colour", rx: 2, inset: 1.5 }),
      Plot.ruleY(bars, { fy: "shape", y: "engine", x1: "low", x2: "high", stroke: "var(--ink)", strokeOpacity: 0.55 }),
      Plot.text(bars, {
        fy: "shape",
        y: "engine",
        x: (bar) => Math.max(bar.rate, bar.high),
        text: "label",
        dx: 6,
        textAnchor: "start",
        fill: "var(--ink)",
      }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
    ],
  });
}

/** How many times as fast as each peer: a dot a peer, a line a case; right of 1 is faster. */
export function timesOverPeers(rows: readonly BenchRow[], peers: readonly string[]): Html {
  const dots = rows.flatMap((row) =>
    peers.flatMap((peer) => {
      const times = timesAsFast(row, peer);
      return times === undefined ? [] : [{ name: row.ours.case, times, colour: engineColour(peer), peer }];
    }),
  );
  const names = [...new Set(dots.map(({ name }) => name))];
  const [low, high] = [
    Math.min(0.8, ...dots.map(({ times }) => times)),
    Math.max(2, ...dots.map(({ times }) => times)),
  ];
  return draw({
    height: 70 + names.length * 24,
    ...caseMargins(names),
    ariaLabel: "How many times as fast as each other runtime, one line per case",
    x: {
      ...{ type: "log", label: null, domain: [low / 1.1, high * 1.15], axis: null },
    },
    y: { label: null, domain: names, tickSize: 0 },
    marks: [
      ...logAxis(low, high, "times as fast →", (value) => `${value} ×`),
      Plot.ruleY(names, { stroke: "var(--line)" }),
      Plot.ruleX([1], { stroke: "var(--ink)", strokeWidth: 1.5 }),
      Plot.dot(dots, {
        x: "times",
        y: "name",
        r: 5.5,
        fill: "colour",
        stroke: "var(--paper)",
        title: (dot) => `${dot.peer} ${formatTimes(dot.times)}`,
      }),
    ],
  });
}

/** Bars up to the limit that was measured in the same run. */
export function limitShares(rows: readonly BenchRow[]): Html {
  const bars = rows.flatMap(({ ours }) =>
    ours.ofLimit === undefined
      ? []
      : [
          {
            name: ours.case,
            share: ours.ofLimit,
            label: `${Math.round(ours.ofLimit * 100)} % of ${limitWords(ours.limit)}`,
          },
        ],
  );
  const names = bars.map(({ name }) => name);
  return draw({
    height: 60 + bars.length * 24,
    ...{ ...margins(names.map((name) => `${name}  `)), marginRight: 170 },
    ariaLabel: "Share of the measured limit, one bar per case",
    x: {
      label: "share of the limit →",
      domain: [0, Math.max(1, ...bars.map(({ share }) => share))],
      grid: true,
      tickFormat: "%",
    },
    y: { label: null, domain: names, tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: "share", y: "name", fill: "var(--lowbit-relaxed)", rx: 2, inset: 2 }),
      Plot.text(bars, { x: "share", y: "name", text: "label", dx: 6, textAnchor: "start", fill: "var(--ink)" }),
      Plot.ruleX([1], { stroke: "var(--ink)", strokeDasharray: "4 3" }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
    ],
  });
}

/** What a limit is, for people. */
export function limitWords(limit: string | undefined): string {
  const words: Readonly<Record<string, string>> = {
    ...{ popcnt64: "i64.popcnt", popcnt8: "i8x16.popcnt", swizzle: "swizzle", relaxedSwizzle: "relaxed swizzle" },
    ...{ dot16: "i16 dot", relaxedDot: "relaxed dot", relaxedDot16: "relaxed dot, 16 bits", f32: "f32 mul + add" },
    ...{ readCache: "cache reads", readMemory: "memory reads" },
  };
  return words[limit ?? ""] ?? limit ?? "";
}

/** Our best engine everywhere it ran: a dot a platform, a line a case. */
export function byPlatform(rows: readonly BenchRow[]): Html {
  const dots = rows.map(({ ours, platform }) => ({
    name: ours.case,
    rate: ours.gmacs,
    colour: platformColour(platform),
    platform,
  }));
  const names = [...new Set(dots.map(({ name }) => name))];
  const rates = dots.map(({ rate }) => rate);
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  const ranges = names.map((name) => {
    const of = dots.filter((dot) => dot.name === name).map(({ rate }) => rate);
    return { name, low: Math.min(...of), high: Math.max(...of) };
  });
  return draw({
    height: 70 + names.length * 24,
    ...caseMargins(names),
    ariaLabel: "Our speed on every platform, one line per case",
    x: {
      ...{ type: "log", label: null, domain: [low / 1.2, high * 1.2], axis: null },
    },
    y: { label: null, domain: names, tickSize: 0 },
    marks: [
      ...logAxis(low, high, "billions a second →", String),
      Plot.ruleY(ranges, { y: "name", x1: "low", x2: "high", stroke: "var(--line)", strokeWidth: 3 }),
      Plot.dot(dots, {
        x: "rate",
        y: "name",
        r: 5,
        fill: "colour",
        stroke: "var(--paper)",
        title: (dot) => `${dot.platform} ${significant(dot.rate)}`,
      }),
    ],
  });
}

/** Platforms of a record that were run, in its order. */
export const platformsRun = ({ platforms }: BenchRecord): string[] =>
  platforms.filter(({ info }) => info !== undefined).map(({ name }) => name);
