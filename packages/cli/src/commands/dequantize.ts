import { defineCommand } from "citty";
import type { Constant, RawTensor } from "lowbit";
import { formatBytes } from "../report/format.ts";
import { JSON_ARGUMENT, type Surroundings } from "../shared/command.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { openGraph } from "../shared/model.ts";

const PLAIN = { f32: "F32", f16: "F16", int8: "I8", uint8: "U8", int32: "I32", int64: "I64", bool: "BOOL" } as const;

const bytesOf = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** Plain constants as they are; of codes the floats that they stand for. */
async function rawTensor(constant: Constant): Promise<RawTensor> {
  const { shape } = constant;
  if (constant.kind === "plain") return { dtype: PLAIN[constant.dtype], shape, bytes: bytesOf(constant.data) };
  const { dequantize } = await import("lowbit/quantize");
  return { dtype: "F32", shape, bytes: bytesOf(await dequantize(constant)) };
}

export const dequantize = defineCommand({
  meta: { name: "dequantize", description: "Write the floats that a model's codes stand for" },
  args: {
    model: { type: "positional", required: true, description: "Packed model" },
    output: { type: "string", alias: "o", required: true, valueHint: "OUT.safetensors", description: "File to write" },
    json: JSON_ARGUMENT,
  },
  async run({ args, data }) {
    const { signal } = data as Surroundings;
    await checkOutput(args.output, [args.model]);
    const { graph } = await openGraph(args.model, { signal });
    const { writeSafetensors } = await import("lowbit");
    const tensors = new Map<string, RawTensor>();
    for (const [name, constant] of graph.constants) tensors.set(name, await rawTensor(constant));
    const bytes = writeSafetensors(tensors);
    await writeOutput(args.output, bytes);
    const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    if (args.json) printJson({ bytes: bytes.length, tensors: list });
    else console.log(`${args.output}: ${formatBytes(bytes.length)}, ${list.length} tensors`);
  },
});
