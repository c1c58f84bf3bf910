import { defineCommand } from "citty";
import { formatBytes } from "../report/format.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { layersOf } from "../shared/layers.ts";
import { openGraph } from "../shared/model.ts";
import { createProgress } from "../shared/progress.ts";
import { provenanceOf } from "../shared/provenance.ts";

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
    explain: { type: "boolean", description: "Say what every pass changed" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    await checkOutput(args.output, [args.input]);
    const progress = createProgress(args.json);
    progress.stage(`importing ${args.input}`);
    const passes: { pass: string; changes: readonly string[] }[] = [];
    const opened = await openGraph(args.input, {
      ...(args.explain && { explain: (pass, changes) => passes.push({ pass, changes }) }),
    });
    const { writeModel } = await import("@lowbit/convert");
    const bytes = writeModel(opened.graph, { provenance: await provenanceOf(opened, opened.graph, "lowbit convert") });
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
