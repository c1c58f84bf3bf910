/** The main job's table. */

import { report } from "./packages.mjs";

const { formatBytes, formatCount, formatPercent, formatTimes, significant, textTable } = report;

/** Prints one line per scheme; a refused one says so, and below the table with layer and figure. */
export function printTable(schemes) {
  const reference = schemes.find((s) => s.kind === "reference");
  const peer = schemes.find((s) => s.kind === "peer");
  const times = (ratio) => (ratio === 1 ? "" : formatTimes(ratio));
  const columns = [
    { title: "scheme", cell: (s) => s.name },
    { title: "bits/weight", numeric: true, cell: (s) => significant(s.bitsPerWeight) },
    { title: "file", numeric: true, cell: (s) => formatBytes(s.bytes) },
    { title: "smaller", numeric: true, cell: (s) => times(reference.bytes / s.bytes) },
    { title: "top-1", numeric: true, cell: (s) => formatPercent(s.top1) },
    { title: "= float", numeric: true, cell: (s) => formatPercent(s.agreement) },
    { title: "images/s", numeric: true, cell: (s) => formatCount(s.imagesPerSecond) },
    { title: "x our float", numeric: true, cell: (s) => times(s.imagesPerSecond / reference.imagesPerSecond) },
    { title: `x ${peer.name}`, numeric: true, cell: (s) => times(s.imagesPerSecond / peer.imagesPerSecond) },
    { title: "", cell: (s) => (s.refused ? "REFUSED" : "") },
  ];
  console.log(textTable(columns, schemes));
  for (const { name, refused } of schemes.filter((s) => s.refused))
    console.log(`REFUSED ${name}: at ${refused.layer}, ${refused.reason}`);
}
