import { defineCommand } from "citty";
import type { Tensor } from "lowbit";
import { formatCount, formatPercent } from "../report/format.ts";
import { classesOf, shareEqual } from "../shared/classes.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { readDataset } from "../shared/dataset.ts";
import { UsageError } from "../shared/errors.ts";
import { printJson } from "../shared/json.ts";
import { openGraph, openModel, runSamples } from "../shared/model.ts";
import { createProgress, type Progress } from "../shared/progress.ts";
import { TIER_ARGUMENT, tierOption } from "../shared/tier.ts";

interface Classified {
  readonly classes: Int32Array;
  readonly tier: string;
  /** Milliseconds inside `model.run` and around it, reading and compiling excluded. */
  readonly ms: number;
}

/** The class that a model gives every sample. */
async function classify(
  path: string,
  x: Tensor,
  tier: ReturnType<typeof tierOption>,
  progress: Progress,
): Promise<Classified> {
  using model = await openModel(await openGraph(path), tier);
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

export const evaluate = defineCommand({
  meta: { name: "eval", description: "Measure a model's accuracy, and its agreement with the float one" },
  args: {
    model: { type: "positional", required: true, description: "Packed or float model" },
    data: {
      type: "string",
      required: true,
      valueHint: "d.npz",
      description: "Arrays x (axis 0 is samples) and y (class ids), or an IDX pair images.gz,labels.gz",
    },
    against: { type: "string", valueHint: "FLOAT", description: "Model to compare the classes with, sample by sample" },
    tier: TIER_ARGUMENT,
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const tier = tierOption(args.tier);
    const { x, y } = await readDataset(args.data);
    const progress = createProgress(args.json);
    const own = await classify(args.model, x, tier, progress);
    const other = args.against === undefined ? undefined : await classify(args.against, x, tier, progress);
    progress.end();
    const count = y.length;
    const top1 = shareEqual(own.classes, y);
    const agreement = other && shareEqual(own.classes, other.classes);
    const rate = (count * 1000) / own.ms;
    if (args.json) {
      const against = other && { agreement, againstTop1: shareEqual(other.classes, y) };
      printJson({ top1, count, ...against, ms: own.ms, samplesPerSecond: rate, tier: own.tier });
      return;
    }
    console.log(`top-1 ${formatPercent(top1)} on ${formatCount(count)} samples`);
    if (other && agreement !== undefined)
      console.log(
        `agrees with ${args.against} on ${formatPercent(agreement)} (its top-1: ${formatPercent(shareEqual(other.classes, y))})`,
      );
    console.log(`${formatCount(rate)} samples/s, tier ${own.tier}`);
  },
});
