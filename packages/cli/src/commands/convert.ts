import type { Rounding } from "@lowbit/convert";
import { defineCommand } from "citty";
import { formatBytes } from "../report/format.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { layersOf } from "../shared/layers.ts";
import { openGraph } from "../shared/model.ts";
import { createProgress } from "../shared/progress.ts";
import { provenanceOf } from "../shared/provenance.ts";

function roundingOf(text: string | undefined): Rounding | undefined {
  if (text === undefined || text === "nearest" || text === "reference") return text;
  throw new UsageError(`--rounding: expected nearest or reference, got "${text}"`);
}

export const convert = defineCommand({
  meta: { name: "convert", description: "Import a network and fold it, without quantizing anything" },
  args: {
    input: { type: "positional", required: true, description: "An ONNX or TFLite file" },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT.safetensors",
      description: "Packed file to write",
    },
    rounding: {
      type: "string",
      valueHint: "nearest|reference",
      description:
        "Of a quantized TFLite file: reference gives every code that TensorFlow Lite's reference kernels give, by integers alone; nearest (the default) rounds once, is smaller and faster",
    },
    explain: { type: "boolean", description: "Say what every pass changed" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const rounding = roundingOf(args.rounding);
    await checkOutput(args.output, [args.input]);
    const progress = createProgress(args.json);
    progress.stage(`importing ${args.input}`);
    const passes: { pass: string; changes: readonly string[] }[] = [];
    const opened = await openGraph(args.input, {
      ...(args.explain && { explain: (pass, changes) => passes.push({ pass, changes }) }),
      rounding,
    });
    const recipe = `lowbit convert${rounding ? ` --rounding ${rounding}` : ""}`;
    const { writeModel } = await import("@lowbit/convert");
    const bytes = writeModel(opened.graph, { provenance: await provenanceOf(opened, opened.graph, recipe) });
    progress.end();
    await writeOutput(args.output, bytes);
    const layers = layersOf(opened.graph);
    const weights = layers.reduce((sum, l) => sum + l.weights, 0);
    const bitsPerWeight = weights === 0 ? 0 : layers.reduce((sum, l) => sum + l.weights * l.bits, 0) / weights;
    if (args.json) {
      printJson({ bytes: bytes.length, bitsPerWeight, layers, ...(args.explain && { passes }) });
      return;
    }
    for (const { pass, changes } of passes) for (const change of changes) console.log(`${pass}: ${change}`);
    console.log(`${args.output}: ${formatBytes(bytes.length)}, ${layers.length} layers with weights`);
  },
});
