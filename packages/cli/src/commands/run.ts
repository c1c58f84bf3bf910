import { createHash } from "node:crypto";
import { defineCommand } from "citty";
import { InputError, type Model, Tensor } from "lowbit";
import { readArrays, writeArrays } from "../shared/arrays.ts";
import { JSON_ARGUMENT } from "../shared/command.ts";
import { checkOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { BATCH, openGraph, openModel, runSamples } from "../shared/model.ts";
import { convertTensor } from "../shared/samples.ts";
import { THREADS_ARGUMENT, TIER_ARGUMENT, threadsOption, tierOption } from "../shared/tier.ts";

/** The array of each input: by name, or the only array for the only input. */
function feedOf(model: Model, arrays: ReadonlyMap<string, Tensor>, path: string): Map<string, Tensor> {
  const names = model.inputs.map((input) => input.name);
  const [only] = arrays.values();
  const [name] = names;
  if (names.length === 1 && arrays.size === 1 && only && name !== undefined) return new Map([[name, only]]);
  if (names.some((n) => !arrays.has(n))) throw new InputError("run", `arrays of ${path}`, names, [...arrays.keys()]);
  return new Map(names.map((n) => [n, arrays.get(n) as Tensor]));
}

/** Whether samples can go through in slices: every output grows with the input's axis 0. */
function isBatched({ inputs, outputs }: Model): boolean {
  const batch = inputs[0]?.shape[0];
  return inputs.length === 1 && batch !== undefined && outputs.every((output) => output.shape[0] === batch);
}

/** Parts one after another along axis 0. */
function concatenate(parts: readonly Tensor[]): Tensor {
  const first = parts[0] as Tensor;
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const whole = new Tensor(first.dtype, [rows, ...first.shape.slice(1)]);
  let at = 0;
  for (const part of parts) {
    // Parts have one dtype, so the arrays are of one kind; TypeScript cannot see that through the union.
    (whole.data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return whole;
}

/** The first `count` of the tensor's `rows` samples. */
const head = (tensor: Tensor, rows: number, count: number): Tensor =>
  count === rows
    ? tensor
    : new Tensor(
        tensor.dtype,
        [count, ...tensor.shape.slice(1)],
        tensor.data.slice(0, (tensor.data.length / rows) * count),
      );

async function execute(model: Model, feed: Map<string, Tensor>): Promise<Map<string, Tensor>> {
  const [x] = feed.values();
  const fixed = typeof model.inputs[0]?.shape[0] === "number";
  if (!x || !isBatched(model) || !(fixed || (x.shape[0] ?? 0) > BATCH)) {
    const entries = model.inputs.map(
      (input) => [input.name, convertTensor(feed.get(input.name) as Tensor, input)] as const,
    );
    return new Map(Object.entries(await model.run(Object.fromEntries(entries))));
  }
  const parts = new Map<string, Tensor[]>(model.outputs.map((output) => [output.name, []]));
  for await (const batch of runSamples(model, x))
    for (const [name, tensor] of Object.entries(batch.outputs))
      parts.get(name)?.push(head(tensor, batch.rows, batch.count));
  return new Map([...parts].map(([name, list]) => [name, concatenate(list)]));
}

/** SHA-256 of the elements as little-endian bytes: the identity of an output in every engine and tier. */
const sha256 = ({ data }: Tensor): string =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

export const run = defineCommand({
  meta: { name: "run", description: "Run a model on arrays; prints the SHA-256 of every output" },
  args: {
    model: { type: "positional", required: true, description: "Packed or float model" },
    input: {
      type: "string",
      alias: "i",
      required: true,
      valueHint: "x.npy|x.npz",
      description: "The input, or an .npz with one array per input name",
    },
    output: {
      type: "string",
      alias: "o",
      valueHint: "y.npy|y.npz",
      description: "Where to write the output (.npy: a single one; .npz: by name)",
    },
    tier: TIER_ARGUMENT,
    threads: THREADS_ARGUMENT,
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const tier = tierOption(args.tier);
    const threads = threadsOption(args.threads);
    if (args.output !== undefined) await checkOutput(args.output, [args.model, args.input]);
    const arrays = await readArrays(args.input);
    const opened = await openGraph(args.model);
    using model = await openModel(opened, tier, threads);
    const feed = feedOf(model, arrays, args.input);
    const started = performance.now();
    const outputs = await execute(model, feed);
    const ms = performance.now() - started;
    if (args.output !== undefined) await writeArrays(args.output, outputs);
    const digests = [...outputs].map(([name, tensor]) => ({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      sha256: sha256(tensor),
    }));
    if (args.json) printJson({ ms, tier: model.tier, threads, outputs: digests });
    else {
      for (const { name, dtype, shape, sha256 } of digests)
        console.log(`${name}  ${dtype} [${shape.join(", ")}]  sha256 ${sha256}`);
      console.log(`${ms.toFixed(2)} ms, tier ${model.tier}, ${threads} thread${threads === 1 ? "" : "s"}`);
    }
  },
});
