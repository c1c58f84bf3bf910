import { defineCommand } from "citty";
import { formatBytes, formatCount } from "../report/format.ts";
import { textTable } from "../report/text-table.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { describeFile, type FileDescription } from "../shared/describe.ts";
import { printJson } from "../shared/json.ts";

function print(path: string, file: FileDescription): void {
  const sum = (pick: (t: FileDescription["tensors"][number]) => number) =>
    file.tensors.reduce((s, t) => s + pick(t), 0);
  console.log(
    `${path}: ${file.format}, ${formatBytes(file.bytes)}, ${file.tensors.length} tensors of ${formatCount(sum((t) => t.size))} elements`,
  );
  for (const [title, values] of [
    ["input", file.inputs],
    ["output", file.outputs],
  ] as const)
    for (const { name, dtype, shape } of values ?? []) console.log(`${title} ${name}: ${dtype} [${shape.join(", ")}]`);
  if (file.layers !== undefined && file.layers.length > 0) {
    console.log(
      `\n${textTable(
        [
          { title: "layer", cell: (l) => l.name },
          { title: "operator", cell: (l) => l.op },
          { title: "scheme", cell: (l) => l.scheme },
          { title: "weights", numeric: true, cell: (l) => formatCount(l.weights) },
          { title: "arithmetic", cell: (l) => l.arithmetic },
          { title: "MACs", numeric: true, cell: (l) => (l.macs === undefined ? "?" : formatCount(l.macs)) },
        ],
        file.layers,
      )}`,
    );
  }
  console.log(
    `\n${textTable(
      [
        { title: "tensor", cell: (t) => t.name },
        { title: "type", cell: (t) => t.dtype },
        { title: "bits", numeric: true, cell: (t) => String(t.bits) },
        { title: "shape", cell: (t) => `[${t.shape.join(", ")}]` },
      ],
      file.tensors,
    )}`,
  );
  if (file.unsupported !== undefined) console.log(`\ncannot run: ${file.unsupported}`);
  if (file.macs !== undefined) {
    const { binary, int8, float } = file.macs;
    console.log(
      `\nMACs per sample: ${formatCount(binary)} binary, ${formatCount(int8)} int8, ${formatCount(float)} float`,
    );
  }
}

export const inspect = defineCommand({
  meta: { name: "inspect", description: "Show a file's format, graph, tensors, bits, sizes and arithmetic" },
  args: {
    file: {
      type: "positional",
      required: true,
      description: "ONNX, TFLite, packed, safetensors (or an index of its shards) or GGUF file",
    },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const file = await describeFile(args.file);
    if (args.json) printJson(file);
    else print(args.file, file);
  },
});
