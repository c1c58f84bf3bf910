import { defineCommand } from "citty";
import { formatBytes } from "../report/format.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { openGraph } from "../shared/model.ts";
import { plainTensors } from "../shared/plain-tensors.ts";
import { dequantizeFile, openTensors } from "../shared/tensor-file.ts";

async function dequantizeModel({ model, output }: { readonly model: string; readonly output: string }) {
  const tensors = await plainTensors(await openGraph(model));
  const { writeSafetensors } = await import("lowbit");
  const bytes = writeSafetensors(tensors);
  await writeOutput(output, bytes);
  return { bytes: bytes.length, tensors };
}

export const dequantize = defineCommand({
  meta: { name: "dequantize", description: "Write the floats that a model's codes stand for" },
  args: {
    model: { type: "positional", required: true, description: "Packed model, or tensors: safetensors, GGUF" },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT.safetensors",
      description: "File to write, its tensors named and shaped as in the model's source",
    },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    await checkOutput(args.output, [args.model]);
    const file = await openTensors(args.model);
    const { bytes, tensors } = file ? await dequantizeFile(file, args.output) : await dequantizeModel(args);
    const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    if (args.json) printJson({ bytes, tensors: list });
    else console.log(`${args.output}: ${formatBytes(bytes)}, ${list.length} tensors`);
  },
});
