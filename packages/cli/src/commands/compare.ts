import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { defineCommand } from "citty";
import { type Failed, FLOAT, runComparison } from "../compare/run.ts";
import { schemesOf } from "../compare/schemes.ts";
import type { CompareContext, Compared } from "../compare/types.ts";
import { formatBytes, formatCount, formatDecibels, formatPercent, formatTimes, significant } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { checkActivations } from "../shared/activations.ts";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { readDataset } from "../shared/dataset.ts";
import { FileError, UsageError } from "../shared/errors.ts";
import { checkOutput, readInput, writeOutput } from "../shared/files.ts";
import { Interrupt } from "../shared/interrupt.ts";
import { finiteDecibels, printJson } from "../shared/json.ts";
import { needNetwork, parseGraph } from "../shared/model.ts";
import { createProgress } from "../shared/progress.ts";
import { keyOf, Results } from "../shared/results.ts";
import { shared } from "../shared/shared-memory.ts";
import { VERSION } from "../version.ts";

/** One row of `--json`. */
const rowOf = (each: Compared, float: Compared) => {
  const { scheme, bytes, weights, bitsPerWeight, top1, agreement, sqnr, cosine } = each;
  const { refused, layers, msPerSample, timesFloat, tier } = each;
  return {
    scheme,
    bytes,
    top1,
    sqnr: finiteDecibels(sqnr),
    cosine,
    agreement,
    floatTop1: float.top1,
    bitsPerWeight,
    bytesPerWeight: bytes / weights,
    ...(msPerSample !== undefined && { msPerSample, samplesPerSecond: 1000 / msPerSample, timesFloat, tier }),
    ...(refused && { refused: `${refused.layer}: ${refused.reason}` }),
    layers: layers.map((layer) => ({
      ...layer,
      sqnr: layer.sqnr === undefined ? undefined : finiteDecibels(layer.sqnr),
    })),
  };
};

function printTable(rows: readonly Compared[], failed: readonly Failed[]): void {
  const float = rows.find(({ scheme }) => scheme === FLOAT);
  console.log(
    textTable(
      [
        { title: "scheme", cell: (row) => row.scheme },
        { title: "bits/weight", numeric: true, cell: (row) => significant(row.bitsPerWeight) },
        { title: "file", numeric: true, cell: (row) => formatBytes(row.bytes) },
        { title: "smaller", numeric: true, cell: (row) => (float ? formatTimes(float.bytes / row.bytes) : "") },
        { title: "top-1", numeric: true, cell: (row) => formatPercent(row.top1) },
        { title: "= float", numeric: true, cell: (row) => formatPercent(row.agreement) },
        { title: "SQNR", numeric: true, cell: (row) => formatDecibels(row.sqnr) },
        {
          title: "ms/sample",
          numeric: true,
          cell: ({ msPerSample }) => (msPerSample === undefined ? "" : significant(msPerSample)),
        },
        {
          title: "x float",
          numeric: true,
          cell: ({ timesFloat }) => (timesFloat === undefined ? "" : timesFloat.toFixed(2)),
        },
        { title: "", cell: ({ refused }) => (refused ? "refused" : "") },
      ],
      rows,
    ),
  );
  for (const { scheme, refused } of rows) if (refused) console.log(`refused ${scheme}: ${refused.reason}`);
  for (const { scheme, error } of failed) console.log(`left out ${scheme}: ${error}`);
}

export const compare = defineCommand({
  meta: { name: "compare", description: "Quantize by many schemes: size, accuracy, error and speed of each" },
  args: {
    model: { type: "positional", required: true, description: "An ONNX or TFLite file, or a packed float model" },
    data: {
      type: "string",
      required: true,
      valueHint: "d.npz",
      description: "Samples to judge by: arrays x and y (class ids), or an IDX pair images.gz,labels.gz",
    },
    schemes: {
      type: "string",
      required: true,
      valueHint: "S,S...",
      description: "int8,int4:g32,kmeans:16 ..., or all: every kind that works without training",
    },
    calibrate: {
      type: "string",
      valueHint: "x.npz",
      description: "Samples that errors of layers are measured on, and that the gate judges by",
    },
    activations: {
      type: "string",
      valueHint: "int8[:p99.9|:kl|:mse]|float",
      description: "int8 runs on the integer kernels where a scheme allows it; needs --calibrate",
    },
    report: { type: "string", valueHint: "R.html", description: "Write a page with tables and plots" },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DIR",
      description: "Folder that keeps every finished scheme: figures and packed file",
    },
    resume: { type: "boolean", description: "Take over what the folder of -o holds of this comparison" },
    jobs: { type: "string", valueHint: "N", description: "Threads, a scheme each (as many as there are cores)" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const { activations } = args;
    await checkActivations(activations, args.calibrate);
    if (args.resume && args.output === undefined) throw new UsageError("--resume needs -o: the folder to go on with");
    const cores = availableParallelism();
    const jobs = numberOption("jobs", args.jobs, 1, true) ?? cores;
    const schemes = schemesOf(args.schemes, args.calibrate !== undefined);
    const dataFiles = args.data.split(",");
    const inputs = [args.model, ...dataFiles, ...(args.calibrate === undefined ? [] : [args.calibrate])];
    if (args.report !== undefined) await checkOutput(args.report, inputs);

    using interrupt = new Interrupt();
    const progress = createProgress(args.json);
    progress.stage(`reading ${basename(args.model)}`);
    const bytes = await readInput(args.model);
    const opened = await parseGraph(args.model, bytes);
    needNetwork(opened);
    if (opened.graph.inputs.length !== 1)
      throw new FileError(args.model, `compare feeds one input, this model has ${opened.graph.inputs.join(", ")}`);
    const { x, y } = await readDataset(args.data);
    const hashed = await Promise.all([...dataFiles, ...(args.calibrate ? [args.calibrate] : [])].map(readInput));
    const key = keyOf([VERSION, activations ?? "float", args.calibrate ? "samples" : "weights", bytes, ...hashed]);
    const results = await Results.open<Compared>({
      ...{ command: "compare", nameOf: ({ scheme }: Compared) => scheme },
      ...{ folder: args.output, key, resume: args.resume === true },
    });
    const context: CompareContext = {
      ...{ path: args.model, bytes, activations, calibrate: args.calibrate },
      ...{ x: { dtype: x.dtype, shape: x.shape, data: shared(x.data) }, y: shared(y) },
    };
    let failed: readonly Failed[] = [];
    let stopped: unknown;
    try {
      failed = await runComparison({
        ...{ context, schemes, results, jobs, signal: interrupt.signal },
        onStage: (title, total) => progress.stage(title, total),
        onProgress: (done) => progress.update(done),
      });
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      stopped = error;
    }
    progress.end();
    const rows = schemes.flatMap((scheme) => results.get(scheme) ?? []);
    const float = results.get(FLOAT);
    if (args.json) printJson(float ? rows.map((row) => rowOf(row, float)) : []);
    else printTable([...(float && !schemes.includes(FLOAT) ? [float] : []), ...rows], failed);
    if (args.report !== undefined && float !== undefined) {
      const { comparePage } = await import("../report/compare-page.ts");
      const page = comparePage({
        model: basename(args.model),
        schemes: [float, ...rows.filter((row) => row !== float)],
        samples: y.length,
        facts: [
          ["model", `${basename(args.model)}, ${formatBytes(bytes.length)}`],
          ["judged on", `${dataFiles.map((file) => basename(file)).join(", ")}: ${formatCount(y.length)} samples`],
          ["calibration", args.calibrate ? basename(args.calibrate) : "none: errors of layers are of their weights"],
          ["activations", activations ?? "float"],
          ["engine", `Node ${process.versions.node}, one thread, tier ${float.tier ?? "not timed"}`],
          ["lowbit", VERSION],
        ],
      });
      await writeOutput(args.report, page);
    }
    if (stopped !== undefined) {
      const where = args.output === undefined ? "" : ` in ${args.output}; --resume goes on with them`;
      process.stderr.write(`${rows.length} of ${schemes.length} schemes are finished${where}\n`);
      throw stopped;
    }
    // What was asked for by name must be there; `all` takes what it gets.
    const missing = failed.find(({ scheme }) => !args.schemes.includes("all") && schemes.includes(scheme));
    if (missing !== undefined) throw new UsageError(`${missing.scheme}: ${missing.error}`);
  },
});
