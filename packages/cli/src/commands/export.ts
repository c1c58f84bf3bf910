import { extname } from "node:path";
import { defineCommand } from "citty";
import { formatBytes } from "../report/format.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { checkOutput, naming, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { needNetwork, type OpenedGraph, openGraph } from "../shared/model.ts";
import { plainTensors } from "../shared/plain-tensors.ts";

interface Exported {
  readonly bytes: Uint8Array;
  /** As the format calls their types. */
  readonly tensors: readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[];
}

interface Choices {
  readonly floats: boolean;
  readonly contrib: boolean;
}

async function toOnnx(opened: OpenedGraph, { floats, contrib }: Choices): Promise<Exported> {
  needNetwork(opened);
  const { exportOnnx } = await import("@lowbit/convert");
  const { fromBinary, ModelProtoSchema, TensorProto_DataType } = await import("@lowbit/convert/onnx");
  const bytes = exportOnnx(opened.graph, { weights: floats ? "floats" : "codes", contrib });
  const tensors = (fromBinary(ModelProtoSchema, bytes).graph?.initializer ?? []).map(({ name, dataType, dims }) => ({
    name,
    type: TensorProto_DataType[dataType] ?? "",
    shape: dims.map(Number),
  }));
  return { bytes, tensors };
}

async function toSafetensors(opened: OpenedGraph): Promise<Exported> {
  const { writeSafetensors } = await import("lowbit");
  const tensors = await plainTensors(opened);
  const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, type: dtype, shape }));
  return { bytes: writeSafetensors(tensors), tensors: list };
}

async function toGguf({ graph }: OpenedGraph): Promise<Exported> {
  const { exportGguf } = await import("@lowbit/convert");
  const { bytes, types } = await exportGguf(graph);
  const list = [...types].map(([name, type]) => ({ name, type, shape: graph.constants.get(name)?.shape ?? [] }));
  return { bytes, tensors: list };
}

const FORMATS: Readonly<Record<string, (opened: OpenedGraph, choices: Choices) => Promise<Exported>>> = {
  onnx: toOnnx,
  safetensors: toSafetensors,
  gguf: toGguf,
};

/** Types with how many tensors are of them: `7 FLOAT, 4 INT4`. */
function countTypes(tensors: Exported["tensors"]): string {
  const counts = new Map<string, number>();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(", ");
}

export const exportModel = defineCommand({
  meta: { name: "export", description: "Write a model as standard ONNX, safetensors or GGUF" },
  args: {
    model: { type: "positional", required: true, description: "Packed or float model" },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT.onnx|OUT.safetensors|OUT.gguf",
      description:
        "File to write: the network in ONNX; the floats that its weights stand for, under their source's names; its weights as GGUF's blocks where those hold them exactly",
    },
    to: { type: "string", valueHint: "onnx|safetensors|gguf", description: "Format, where the name does not say it" },
    floats: { type: "boolean", description: "ONNX: weights as floats, for runtimes of operator set 13" },
    contrib: {
      type: "boolean",
      description:
        "ONNX: dense layers of 4 or 8 bits in groups as com.microsoft's MatMulNBits, which onnxruntime computes on the codes",
    },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const format = args.to ?? extname(args.output).slice(1).toLowerCase();
    const write = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (write === undefined)
      throw new UsageError(
        `${args.to === undefined ? args.output : "--to"}: expected one of ${Object.keys(FORMATS).join(", ")}, got "${format}"`,
      );
    if (format !== "onnx" && (args.floats || args.contrib))
      throw new UsageError(`--floats and --contrib are for ONNX, not ${format}`);
    await checkOutput(args.output, [args.model]);
    const opened = await openGraph(args.model);
    const choices = { floats: args.floats === true, contrib: args.contrib === true };
    const { bytes, tensors } = await naming(args.model, () => write(opened, choices));
    await writeOutput(args.output, bytes);
    if (args.json) printJson({ format, bytes: bytes.length, tensors });
    else console.log(`${args.output}: ${formatBytes(bytes.length)}, tensors: ${countTypes(tensors)}`);
  },
});
