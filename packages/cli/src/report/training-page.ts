/** The log of a training run as a page: loss and accuracy after each epoch, drawn anew while it runs. */

import type { EpochEntry } from "@lowbit/train";
import * as Plot from "@observablehq/plot";
import { facts, figure, type Html, html, page, table } from "./page.ts";
import { draw } from "./plots.ts";

/** What the page is about. */
export interface TrainingState {
  readonly description: string;
  readonly command: string;
  readonly seed: number;
  /** Networks in the order in which they are trained; the recipe's own is the last. */
  readonly parts: readonly { readonly recipe: string; readonly epochs: number; readonly log: readonly EpochEntry[] }[];
  readonly state: "running" | "finished" | "interrupted";
}

/** Seconds after which the page of a running training is read again. */
const REFRESH = 5;

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | undefined)[];
}

/** One curve for each line over the epochs; the last value stands beside its end. */
function curves(lines: readonly Line[], epochs: number, label: string, format: (value: number) => string): Html {
  const points = lines.flatMap(({ name, colour, values }) =>
    values.flatMap((value, i) => (value === undefined ? [] : [{ name, colour, epoch: i + 1, value }])),
  );
  const ends = lines.flatMap(({ name }) => points.filter((point) => point.name === name).slice(-1));
  return draw({
    height: 300,
    marginRight: 150,
    marginLeft: 72,
    ariaLabel: label,
    x: { label: "epoch →", domain: [1, Math.max(2, epochs)], ticks: Math.min(epochs, 12), tickFormat: String },
    y: { label: `↑ ${label}`, grid: true, nice: true, tickFormat: format },
    marks: [
      Plot.line(points, { x: "epoch", y: "value", z: "name", stroke: "colour", strokeWidth: 2 }),
      Plot.dot(points, { x: "epoch", y: "value", fill: "colour", r: 3 }),
      Plot.text(ends, {
        x: "epoch",
        y: "value",
        text: (point) => `${point.name} ${format(point.value)}`,
        fill: "colour",
        dx: 9,
        textAnchor: "start",
        stroke: "var(--paper)",
        strokeWidth: 4,
      }),
    ],
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const nats = (loss: number): string => loss.toFixed(4);

function partOf({ recipe, epochs, log }: TrainingState["parts"][number]): Html[] {
  const loss = [
    { name: "training", colour: "var(--cut)", values: log.map((entry) => entry.loss) },
    { name: "validation", colour: "var(--trained)", values: log.map((entry) => entry.validationLoss) },
  ];
  const accuracy = [{ name: "validation", colour: "var(--trained)", values: log.map((entry) => entry.validation) }];
  return [
    html`<h2>${recipe}: epoch ${log.length} of ${epochs}</h2>`,
    ...(log.length === 0
      ? []
      : [
          figure(
            curves(loss, epochs, "loss, nats", nats),
            "Mean loss of each epoch: in training cross-entropy and the strategy's penalty, of the validation answers cross-entropy alone.",
          ),
          figure(curves(accuracy, epochs, "accuracy", percent), "Share of the validation answers that are right."),
        ]),
    table<EpochEntry>(
      [
        { title: "epoch", cell: (entry) => String(entry.epoch), numeric: true },
        { title: "loss", cell: (entry) => nats(entry.loss), numeric: true },
        {
          title: "validation loss",
          cell: ({ validationLoss }) => (validationLoss === undefined ? "" : nats(validationLoss)),
          numeric: true,
        },
        { title: "validation", cell: (entry) => percent(entry.validation), numeric: true },
        { title: "rate", cell: (entry) => entry.rate.toExponential(2), numeric: true },
        { title: "seconds", cell: (entry) => entry.seconds.toFixed(1), numeric: true },
      ],
      log,
    ),
  ];
}

/** The page; it asks to be read again every few seconds for as long as the run goes on. */
export function trainingPage({ description, command, seed, parts, state }: TrainingState): string {
  const running = state === "running";
  const logs = parts.flatMap(({ log }) => log);
  const left = parts.reduce((sum, { epochs, log }) => sum + (epochs - log.length), 0);
  const seconds = logs.reduce((sum, entry) => sum + entry.seconds, 0);
  const each = parts.at(-1)?.log.at(-1)?.seconds ?? logs.at(-1)?.seconds;
  const remaining: [string, string][] =
    running && each !== undefined ? [["left, about", `${((left * each) / 60).toFixed(0)} min`]] : [];
  return page(
    `${parts.at(-1)?.recipe ?? "training"}, seed ${seed}`,
    [
      html`<h1>${parts.at(-1)?.recipe ?? "training"}</h1><p class="lead">${description}</p>`,
      facts([
        ["state", state],
        ["seed", String(seed)],
        ["trained so far", `${(seconds / 60).toFixed(1)} min`],
        ...remaining,
        ["command", command],
      ]),
      ...parts.toReversed().flatMap(partOf),
    ],
    "",
    running ? REFRESH : undefined,
  );
}
