import { defineCommand } from "citty";
import type { Model, Tensor } from "lowbit";
import { formatCount, formatDecibels, formatPercent, significant } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { compareOutputs, type Inputs, type OutputAgreement, outputsOf, syntheticInputs } from "../shared/agreement.ts";
import { classesOf, shareEqual } from "../shared/classes.ts";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { readLabelled } from "../shared/dataset.ts";
import { UsageError } from "../shared/errors.ts";
import { printJson } from "../shared/json.ts";
import { BATCH, type OpenedGraph, openGraph, openModel, runSamples } from "../shared/model.ts";
import { createProgress, type Progress } from "../shared/progress.ts";
import { TIER_ARGUMENT, tierOption } from "../shared/tier.ts";

interface Classified {
  readonly classes: Int32Array;
  readonly tier: string;
  /** Milliseconds inside `model.run` and around it, reading and compiling excluded. */
  readonly ms: number;
}

/** The class that a model gives every sample. */
async function classify(path: string, model: Model, x: Tensor, progress: Progress): Promise<Classified> {
  if (model.inputs.length !== 1)
    throw new UsageError(`${path}: eval feeds one input, this model has ${model.inputs.map((i) => i.name).join(", ")}`);
  const count = x.shape[0] ?? 0;
  const classes = new Int32Array(count);
  const output = model.outputs[0]?.name ?? "";
  progress.stage(`evaluating ${path}`, count);
  const started = performance.now();
  for await (const batch of runSamples(model, x)) {
    const scores = batch.outputs[output];
    if (scores !== undefined) classes.set(classesOf(scores, batch.rows, batch.count), batch.from);
    progress.update(batch.from + batch.count);
  }
  return { classes, tier: model.tier, ms: performance.now() - started };
}

interface Compared {
  readonly outputs: readonly OutputAgreement[];
  /** Of first outputs; both with labels alone. */
  readonly classes: readonly [own: Int32Array, other: Int32Array] | undefined;
  readonly count: number;
  readonly tier: string;
  readonly ms: number;
}

interface Opened {
  readonly path: string;
  readonly opened: OpenedGraph;
}

/** Both models on the same inputs. */
async function compare(
  [own, other]: readonly [Opened, Opened],
  inputs: Inputs,
  labels: Int32Array | undefined,
  tier: ReturnType<typeof tierOption>,
  progress: Progress,
): Promise<Compared> {
  const run = async ({ path, opened }: Opened) => {
    using model = await openModel(opened, tier);
    progress.stage(`evaluating ${path}`);
    const started = performance.now();
    const outputs = await outputsOf(path, model, inputs, BATCH);
    return { outputs, tier: model.tier, ms: performance.now() - started };
  };
  const [a, b] = [await run(own), await run(other)];
  const count = [...inputs.values()][0]?.shape[0] ?? 0;
  const classes = ({ outputs }: typeof a) => classesOf([...outputs.values()][0]!, count, count);
  return {
    outputs: await compareOutputs(a.outputs, b.outputs),
    classes: labels && [classes(a), classes(b)],
    count,
    ...{ tier: a.tier, ms: a.ms },
  };
}

function printOutputs(against: string, outputs: readonly OutputAgreement[]): void {
  console.log(`against ${against}:\n`);
  console.log(
    textTable(
      [
        { title: "output", cell: (o) => o.name },
        { title: "SQNR", numeric: true, cell: (o) => formatDecibels(o.sqnr) },
        { title: "cosine", numeric: true, cell: (o) => o.cosine.toFixed(6) },
        { title: "max error", numeric: true, cell: (o) => significant(o.maxError) },
        { title: "same top-1", numeric: true, cell: (o) => (o.top1 === undefined ? "" : formatPercent(o.top1)) },
      ],
      outputs,
    ),
  );
}

export const evaluate = defineCommand({
  meta: { name: "eval", description: "Measure a model's accuracy, and how far its outputs lie from another's" },
  args: {
    model: { type: "positional", required: true, description: "Packed or float model" },
    data: {
      type: "string",
      valueHint: "d.npz",
      description:
        "Arrays x (axis 0 is samples) and y (class ids), or an IDX pair images.gz,labels.gz; with --against also arrays by input name, and without it synthetic inputs",
    },
    against: { type: "string", valueHint: "MODEL", description: "Any other model, to compare every output with" },
    samples: { type: "string", valueHint: "N", description: "Synthetic inputs (16)" },
    seed: { type: "string", valueHint: "N", description: "Of the synthetic inputs (1)" },
    tier: TIER_ARGUMENT,
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const tier = tierOption(args.tier);
    const [samples, seed] = [numberOption("samples", args.samples, 1, true), numberOption("seed", args.seed, 0, true)];
    if (args.data === undefined && args.against === undefined)
      throw new UsageError("--data is missing; with --against MODEL inputs can be synthetic");
    if (args.data !== undefined && (samples ?? seed) !== undefined)
      throw new UsageError("--samples and --seed are of synthetic inputs; --data gives others");
    const { arrays, y } = args.data === undefined ? {} : await readLabelled(args.data, args.against !== undefined);
    const progress = createProgress(args.json);
    const own = { path: args.model, opened: await openGraph(args.model) };
    if (args.against === undefined) {
      using model = await openModel(own.opened, tier);
      const { classes, ms, tier: ran } = await classify(args.model, model, arrays!.get("x")!, progress);
      progress.end();
      report({ top1: shareEqual(classes, y!), count: classes.length, ms, tier: ran }, args.json);
      return;
    }
    const other = { path: args.against, opened: await openGraph(args.against) };
    const { Random } = await import("lowbit/quantize");
    const inputs = arrays ?? syntheticInputs(own.opened, samples ?? 16, new Random(seed ?? 1));
    const result = await compare([own, other], inputs, y, tier, progress);
    progress.end();
    const { count, ms, outputs, classes } = result;
    const top1 = classes && y && shareEqual(classes[0], y);
    const againstTop1 = classes && y && shareEqual(classes[1], y);
    const agreement = classes ? shareEqual(...classes) : outputs[0]?.top1;
    const figures = { ...{ top1, count, agreement, againstTop1, outputs, ms }, tier: result.tier };
    report(figures, args.json);
    if (!args.json) printOutputs(args.against, outputs);
  },
});

interface Figures {
  readonly top1: number | undefined;
  readonly count: number;
  readonly ms: number;
  readonly tier: string;
  readonly agreement?: number | undefined;
  readonly againstTop1?: number | undefined;
  readonly outputs?: readonly OutputAgreement[];
}

function report(figures: Figures, json: boolean | undefined): void {
  const { top1, count, ms, tier, agreement, againstTop1 } = figures;
  const rate = (count * 1000) / ms;
  if (json) {
    printJson({ ...figures, samplesPerSecond: rate });
    return;
  }
  if (top1 !== undefined) console.log(`top-1 ${formatPercent(top1)} on ${formatCount(count)} samples`);
  if (agreement !== undefined) {
    const other = againstTop1 === undefined ? "" : ` (its top-1: ${formatPercent(againstTop1)})`;
    console.log(`agrees with the other on ${formatPercent(agreement)} of ${formatCount(count)} samples${other}`);
  }
  console.log(`${formatCount(rate)} samples/s, tier ${tier}`);
}
