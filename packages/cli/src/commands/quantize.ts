import { basename } from "node:path";
import type { PassRecord } from "@lowbit/convert";
import { defineCommand } from "citty";
import type { Pack } from "lowbit";
import { type AutoGoal, checkGoal } from "../quantize/auto.ts";
import { NetworkRun, stages } from "../quantize/network.ts";
import { openPool } from "../quantize/open-pool.ts";
import { type Given, recipeOf, rulesOf } from "../quantize/rules.ts";
import { JSON_ARGUMENT, numberOption, type Surroundings } from "../shared/command.ts";
import { RefusedError, UsageError } from "../shared/errors.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { Interrupt } from "../shared/interrupt.ts";
import { printJson } from "../shared/json.ts";
import { isTensorsOnly, openGraph } from "../shared/model.ts";
import { type Outcome, outcomeJson, outcomePage, parityOf, printOutcome } from "../shared/outcome.ts";
import { createProgress } from "../shared/progress.ts";
import { provenanceOfFile } from "../shared/provenance.ts";
import { openLooseTensors, quantizeFile } from "../shared/tensor-file.ts";

async function packOf(text: string | undefined): Promise<Pack> {
  const { packs } = await import("lowbit");
  const pack = packs.find((name) => name === (text ?? "bits"));
  if (pack === undefined) throw new UsageError(`--pack: expected one of ${packs.join(", ")}, got "${text}"`);
  return pack;
}

function outcomeOf(
  result: Outcome["result"],
  bytes: number,
  maxSize: number | undefined,
  source: Pick<Outcome, "source" | "sourceBytes">,
): Outcome {
  const tooLarge = maxSize !== undefined && bytes > maxSize;
  const refusal = result.refused?.message ?? (tooLarge ? `${bytes} bytes are more than ${maxSize}` : undefined);
  return { result, bytes, ...source, refusal };
}

/** What a command line says of its output. */
interface Wanted extends Given {
  readonly output: string;
  readonly report?: string | undefined;
  readonly explain?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Report, file and figures. @throws RefusedError where a gate said no */
async function conclude(
  outcome: Outcome,
  args: Wanted,
  write: () => Promise<void>,
  passes: readonly PassRecord[] = [],
): Promise<void> {
  if (args.report !== undefined) await writeOutput(args.report, await outcomePage(outcome, args));
  // OUT comes last: where it exists, everything else has gone well.
  if (outcome.refusal === undefined) await write();
  if (args.json) printJson({ ...outcomeJson(outcome), ...(args.explain && { passes }) });
  else {
    for (const { pass, changes } of passes) for (const change of changes) console.log(`${pass}: ${change}`);
    printOutcome(args.output, outcome);
  }
  if (outcome.refusal !== undefined) throw new RefusedError(`refused: ${outcome.refusal}`);
}

export const quantize = defineCommand({
  meta: { name: "quantize", description: "Quantize a network, measure every layer's error, refuse what is broken" },
  args: {
    input: {
      type: "positional",
      required: true,
      description:
        "An ONNX or TFLite file, a packed float model, or tensors: safetensors (or an index of its shards), GGUF",
    },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT.safetensors",
      description: "Packed file to write",
    },
    weights: {
      type: "string",
      valueHint: "SCHEME",
      description:
        "Of every layer: int8, int4, int4:g32, int2, binary, ternary, pow2:4, kmeans:16, pq:DxK; with --calibrate also gptq:4:g32, adaround:4, awq:4 ... (absent: only what is already low-bit is packed)",
    },
    method: {
      type: "string",
      valueHint: "M",
      description:
        "How to find codes of the bits of --weights (int2..int8, ternary): gptq, adaround, awq (these need --calibrate), hqq, mse, kl, asym, kmeans, hkmeans, lloyd, multibit, lq, pow2, apot, laq, admm, lc",
    },
    activations: {
      type: "string",
      valueHint: "int8[:p99.9|:kl|:mse]|int8:dynamic|float",
      description:
        "int8 runs on the integer kernels and needs --calibrate; its range has all that was seen, or is cut at a percentile, by least divergence or by least squared error; int8:dynamic quantizes each row when it comes (transformers)",
    },
    layer: {
      type: "string",
      valueHint: "glob=SCHEME",
      description: "Scheme of the layers (or plain tensors) that match; may be repeated, later ones win",
    },
    rescale: {
      type: "string",
      valueHint: "equalize|smooth[:a]|awq,...",
      description:
        "First move factors between layers, which leaves what the network computes: equalize (for one scale for a tensor), smooth:0.5 (SmoothQuant, for int8 activations with outliers), awq (for 4 bits and less); the last two need --calibrate",
    },
    explain: { type: "boolean", description: "Say what every pass changed, and which layers --rescale left and why" },
    calibrate: { type: "string", valueHint: "x.npz", description: "Samples: array x, or one array per input name" },
    "correct-bias": {
      type: "boolean",
      description: "Take the mean error of every layer's output out of its bias; needs --calibrate",
    },
    pack: {
      type: "string",
      valueHint: "smallest|bits|base3|huffman|sparse|sparse-huffman",
      description:
        "How codes are stored (bits); base3 stores ternary weights at 1.6 bits instead of 2, the others need readers of format version 3; as fast once loaded",
    },
    auto: {
      type: "boolean",
      description: "Choose a scheme for each layer by measured damage, under --max-size or --min-accuracy",
    },
    candidates: { type: "string", valueHint: "S,S...", description: "Schemes that --auto chooses from, besides float" },
    "min-accuracy": {
      type: "string",
      valueHint: "POINTS",
      description: "With --auto: top-1 on --data in points of a hundred, by the smallest file that has it",
    },
    data: {
      type: "string",
      valueHint: "d.npz",
      description: "With --min-accuracy: arrays x and y (class ids), or an IDX pair images.gz,labels.gz",
    },
    "min-sqnr": { type: "string", valueHint: "dB", description: "Refuse when any layer's signal to noise is lower" },
    "max-size": { type: "string", valueHint: "BYTES", description: "Refuse when the file would be larger" },
    jobs: { type: "string", valueHint: "N", description: "Threads, a layer each (as many as there are cores)" },
    resume: {
      type: "boolean",
      description:
        "Go on where a run was stopped: layers of calibrated schemes, and all of --auto, are kept in OUT.layers until OUT is there",
    },
    report: { type: "string", valueHint: "R.html", description: "Write a page with tables and plots" },
    json: JSON_ARGUMENT,
  },
  async run({ args, data }) {
    const { values } = data as Surroundings;
    const pack = await packOf(args.pack);
    const given = await rulesOf(args, values.get("layer") ?? []);
    const maxSize = numberOption("max-size", args["max-size"], 1, true);
    const points = numberOption("min-accuracy", args["min-accuracy"], 0);
    const jobs = numberOption("jobs", args.jobs, 1, true);
    const goal: AutoGoal = {
      maxBytes: maxSize,
      minAccuracy: points === undefined ? undefined : points / 100,
      candidates: args.candidates?.split(",").map((scheme) => scheme.trim()),
    };
    if (args.auto) {
      checkGoal(goal, args.data, args.calibrate);
      if (args.weights !== undefined || given.layers !== undefined)
        throw new UsageError("--auto chooses the schemes; --weights and --layer would be in its way");
    } else if (points !== undefined || args.candidates !== undefined || args.data !== undefined)
      throw new UsageError("--min-accuracy, --candidates and --data belong to --auto");
    const inputs = [args.input, ...(args.calibrate === undefined ? [] : [args.calibrate])];
    await checkOutput(args.output, inputs);
    if (args.report !== undefined) await checkOutput(args.report, [...inputs, args.output]);

    const progress = createProgress(args.json);
    progress.stage(`importing ${basename(args.input)}`);
    /** Options that need a network. */
    const needy = [args.activations, args.calibrate, args.rescale].some((option) => option !== undefined);
    const tensors = await openLooseTensors(args.input);
    if (tensors) {
      if (needy || args.auto || args.resume)
        throw new UsageError(
          `${args.input} holds tensors and no network: --activations, --calibrate, --rescale, --auto and --resume need one`,
        );
      using interrupt = new Interrupt();
      await using pool = await openPool(given, { bytes: tensors.size, jobs, signal: interrupt.signal });
      await quantizeFile(
        tensors,
        { ...given, ...(pool && { quantizing: pool }), onProgress: stages(progress) },
        async (quantized) => {
          const provenance = await provenanceOfFile(args.input, recipeOf(given));
          const { size, write } = quantized.finish({ provenance, parity: parityOf(quantized.result) });
          progress.end();
          const outcome = outcomeOf(quantized.result, size, maxSize, { source: args.input, sourceBytes: tensors.size });
          await conclude(outcome, args, write);
        },
        { output: args.output, pack },
      );
      return;
    }
    const passes: PassRecord[] = [];
    const explain = args.explain ? (record: PassRecord) => void passes.push(record) : undefined;
    const opened = await openGraph(args.input, {
      ...(explain && { explain: (pass, changes) => explain({ pass, changes }) }),
    });
    const tensorsOnly = isTensorsOnly(opened);
    if (tensorsOnly && (needy || args.auto))
      throw new UsageError(
        `${args.input} holds tensors and no network: --activations, --calibrate, --rescale and --auto need one`,
      );
    using interrupt = new Interrupt();
    await using run = await NetworkRun.open(opened, given, {
      ...{ output: args.output, calibrate: args.calibrate, jobs, pack, resume: args.resume === true },
      ...(args.auto && { auto: { goal, data: args.data } }),
      ...{ progress, signal: interrupt.signal, explain },
    });
    const { result, bytes } = await run.make();
    progress.end();
    const outcome = outcomeOf(result, bytes.length, maxSize, { source: args.input, sourceBytes: opened.bytes.length });
    if (outcome.refusal !== undefined) await run.forget();
    const write = async () => {
      await writeOutput(args.output, bytes);
      await run.forget();
    };
    await conclude(outcome, args, write, passes);
  },
});
