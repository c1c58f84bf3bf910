// The tables of trained networks in docs/results.md, from the records in packages/train/runs and models: `node scripts/results.mjs` prints them, `--write` puts them in. A row without a record says so.
//
// Errors are mean ± standard error over seeds. That one method beats another is said only where the mean of their differences, seed by seed, is more than two standard errors from 0, over at least three seeds.
import { whenMain } from "./main-module.mjs";
import { writeSection } from "./results-section.mjs";
import { recordsOf } from "./train/records.mjs";
import { tables } from "./train/rows.mjs";
import { compared, mean, standardError } from "./train/statistics.mjs";

/** Wall-clock seconds of a run; records from before they were added up have them epoch by epoch. */
const secondsOf = ({ seconds, log }) => seconds ?? log.reduce((sum, entry) => sum + entry.seconds, 0);

/** What counts: error in percent, or loss in nats. */
const figureOf = (row, record) => (row.unit === "nats" ? record.loss : 100 * (1 - (record.top1_test ?? record.top1)));

/** Rows of a table with their figures by seed. */
function measured(table) {
  return table.rows.map((row) => {
    const records = recordsOf(row.recipe);
    return { row, records, bySeed: new Map(records.map((record) => [record.seed, figureOf(row, record)])) };
  });
}

/** "A < B" for every pair of which it is beyond doubt. */
function orders(found) {
  const claims = [];
  for (const a of found)
    for (const b of found) {
      const { mean, error, isBeyondDoubt } = compared(a.bySeed, b.bySeed);
      if (isBeyondDoubt && mean < 0)
        claims.push(`${nameOf(a.row)} < ${nameOf(b.row)} (by ${(-mean).toFixed(2)} ± ${error.toFixed(2)})`);
    }
  return claims;
}

const nameOf = ({ method, bits }) => `${method} ${bits}`;

/** Asked for, in words, and whether it holds. */
function verdict({ row, bySeed }, all) {
  if (row.asked === undefined) return "";
  const { atMost, points, published } = row.asked;
  const base = all.find((other) => other.row.recipe === row.base);
  const limit =
    atMost ??
    (published === undefined
      ? base && base.bySeed.size > 0 && mean([...base.bySeed.values()]) + points
      : row.published + published);
  const words =
    atMost === undefined ? (published === undefined ? `float + ${points}` : `published + ${published}`) : `${atMost}`;
  if (bySeed.size === 0 || typeof limit !== "number") return `≤ ${words}`;
  return `≤ ${words}: ${mean([...bySeed.values()]) <= limit + 1e-9 ? "holds" : "**missed**"}`;
}

function lineOf(found, all) {
  const { row, records, bySeed } = found;
  const digits = row.unit === "nats" ? 3 : 2;
  const values = [...bySeed.values()];
  const error = standardError(values);
  const figure =
    values.length === 0
      ? "not run"
      : `**${mean(values).toFixed(digits)}**${error === undefined ? "" : ` ± ${error.toFixed(digits)}`} (seed${values.length > 1 ? "s" : ""} ${[...bySeed.keys()].join(", ")})`;
  const answers = records.map(({ agreement }) => agreement).filter(Boolean);
  const total = (key) => answers.reduce((sum, agreement) => sum + agreement[key], 0);
  const equal = answers.length === 0 ? "" : `${total("equal")} of ${total("answers")}`;
  const minutes = records.length === 0 ? "" : (mean(records.map(secondsOf)) / 60).toFixed(1);
  const published = row.published === undefined ? "" : `${row.published} (${row.source})`;
  return `| ${row.method} | \`${row.recipe}\` | ${row.bits} | ${figure} | ${published} | ${verdict(found, all)} | ${equal} | ${minutes} |`;
}

function tableOf(table) {
  const all = measured(table);
  const claims = orders(all.filter(({ bySeed }) => bySeed.size > 0));
  const what = table.rows[0].unit === "nats" ? "loss, nats" : "error, %";
  return [
    `### ${table.title}`,
    "",
    ...(table.note === undefined ? [] : [table.note, ""]),
    `| method | recipe | bits W/A | ${what} | published | asked | packed = trained | minutes a run |`,
    "|---|---|---|---|---|---|---|---|",
    ...all.map((found) => lineOf(found, all)),
    "",
    `Orders beyond two standard errors of the paired difference: ${claims.length === 0 ? "none" : claims.join("; ")}.`,
    "",
  ];
}

await whenMain(import.meta.url, () => {
  const text = [
    "## Trained low-bit networks",
    "",
    "From the records in `packages/train/runs`, one a run, with its log beside it, and those beside the networks in `models/`; `node scripts/train-runs.mjs` runs what is missing. Errors are measured on the packed file by the kernels: mean ± standard error over the seeds named.",
    "*packed = trained* counts the test answers on which the packed file says what the training graph says. Minutes are wall-clock seconds of whatever else the machine was doing.",
    "",
    ...tables.flatMap(tableOf),
  ].join("\n");
  if (process.argv.includes("--write")) writeSection("training", "node scripts/results.mjs --write", text.trimEnd());
  else console.log(text);
});
