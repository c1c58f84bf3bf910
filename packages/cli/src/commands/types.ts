import { defineCommand } from "citty";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { declarations } from "../shared/declarations.ts";
import { checkOutput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { modelName, needNetwork, openGraph } from "../shared/model.ts";

export const types = defineCommand({
  meta: { name: "types", description: "Write TypeScript types of a model's inputs and outputs" },
  args: {
    model: { type: "positional", required: true, description: "Packed or float model" },
    output: { type: "string", alias: "o", required: true, valueHint: "M.d.ts", description: "File to write" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    await checkOutput(args.output, [args.model]);
    const opened = await openGraph(args.model);
    needNetwork(opened);
    const { graph } = opened;
    const { name, text } = declarations(graph, modelName(args.model));
    await writeOutput(args.output, text);
    if (args.json) printJson({ type: name, inputs: graph.inputs, outputs: graph.outputs });
    else console.log(`${args.output}: type ${name}`);
  },
});
