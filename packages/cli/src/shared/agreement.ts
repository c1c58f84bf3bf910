/** Two models on the same inputs: how far their outputs lie apart. */

import { InputError, type Model, ShapeError, Tensor } from "lowbit";
import type { Random } from "lowbit/quantize";
import { classesOf, shareEqual } from "./classes.ts";
import { FileError } from "./errors.ts";
import { finiteDecibels } from "./json.ts";
import type { OpenedGraph } from "./model.ts";
import { fitSamples, type InputInfo, type Samples } from "./samples.ts";

export interface OutputAgreement {
  readonly name: string;
  /** dB, of the first model's output against the other's. */
  readonly sqnr: number;
  readonly cosine: number;
  readonly maxError: number;
  /** Share of rows of the last axis whose largest entry is in the same place; of outputs with more than one entry there. */
  readonly top1?: number;
}

/** Arrays by input, axis 0 samples: of each model those of the other, in order where names differ. */
export type Inputs = ReadonlyMap<string, Tensor>;

/** Length of axes that are known only at run time. */
const OPEN_LENGTH = 16;

/**
 * Seeded inputs: floats uniform over what the input's own preprocessing gives, else from -1 to 1; bytes over all of their range; ids of an embedding over its table; other integers 1, as
 * masks are.
 */
export function syntheticInputs({ graph }: OpenedGraph, samples: number, random: Random): Inputs {
  const arrays = new Map<string, Tensor>();
  for (const name of graph.inputs) {
    const { dtype, shape } = graph.values.get(name)!;
    const sizes = shape.map((size) => (typeof size === "number" ? size : OPEN_LENGTH));
    // A fixed batch is filled as often as the samples ask for.
    sizes[0] = typeof shape[0] === "number" ? shape[0] * Math.ceil(samples / shape[0]) : samples;
    if (dtype === "bit" || dtype === "trit") throw new InputError("eval", `type of input ${name}`, "numbers", dtype);
    const tensor = new Tensor(dtype, sizes);
    const draw = drawer(graph, name, random);
    const data = tensor.data as { [i: number]: number | bigint; readonly length: number };
    const is64 = tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array;
    for (let i = 0; i < data.length; i++) data[i] = is64 ? BigInt(draw()) : draw();
    arrays.set(name, tensor);
  }
  return arrays;
}

function drawer(graph: OpenedGraph["graph"], name: string, random: Random): () => number {
  const { dtype } = graph.values.get(name)!;
  if (dtype === "int8" || dtype === "uint8") return () => random.below(256) - (dtype === "int8" ? 128 : 0);
  if (dtype === "f32" || dtype === "f64") {
    const { mean = [0], std = [1] } = graph.preprocessing?.[name] ?? {};
    const low = graph.preprocessing?.[name] ? -mean[0]! / std[0]! : -1;
    const high = graph.preprocessing?.[name] ? (255 - mean[0]!) / std[0]! : 1;
    return () => low + (high - low) * random.uniform();
  }
  if (dtype === "bool") return () => random.below(2);
  const table = graph.nodes.find(({ op, inputs }) => op === "embedding" && inputs[0] === name)?.inputs[1];
  const rows = table === undefined ? undefined : graph.constants.get(table)?.shape[0];
  return rows === undefined ? () => 1 : () => random.below(rows);
}

/** The array of every input of a model: by name, else in order. */
function samplesOf(path: string, { inputs }: Model, arrays: Inputs): Map<string, Samples> {
  const byName = inputs.every(({ name }) => arrays.has(name));
  const list = [...arrays.values()];
  if (!byName && list.length !== inputs.length)
    throw new FileError(
      path,
      `expected an array for each of ${inputs.map(({ name }) => name).join(", ")}, got ${[...arrays.keys()].join(", ")}`,
    );
  const fitted = (input: InputInfo, i: number) => fitSamples(byName ? arrays.get(input.name)! : list[i]!, input);
  return new Map(inputs.map((input, i) => [input.name, fitted(input, i)]));
}

/** All outputs on all samples, as floats, with the shape of one call's. */
export async function outputsOf(
  path: string,
  model: Model,
  arrays: Inputs,
  batch: number,
): Promise<Map<string, Tensor<"f32">>> {
  const samples = samplesOf(path, model, arrays);
  const counts = [...samples.values()].map(({ count }) => count);
  const count = Math.min(...counts);
  if (counts.some((other) => other !== count)) throw new InputError("eval", "samples of every input", count, counts);
  const step = [...samples.values()].find(({ fixedBatch }) => fixedBatch !== undefined)?.fixedBatch ?? batch;
  const parts = new Map<string, Float32Array[]>(model.outputs.map(({ name }) => [name, []]));
  const widths = new Map<string, number>();
  for (let from = 0; from < count; from += step) {
    const taken = Math.min(step, count - from);
    const feed = Object.fromEntries([...samples].map(([name, fitted]) => [name, fitted.take(from, taken)]));
    const outputs = await model.run(feed);
    for (const { name } of model.outputs) {
      const { data, shape } = outputs[name]!;
      widths.set(name, shape.at(-1) ?? 1);
      // Rows that fill up a fixed batch say nothing.
      const rows = shape[0] ?? 1;
      const kept = rows > taken && rows === step ? (data.length / rows) * taken : data.length;
      parts.get(name)!.push(Float32Array.from((data as Float32Array).subarray(0, kept) as ArrayLike<number>, Number));
    }
  }
  return new Map(
    [...parts].map(([name, list]) => {
      const width = widths.get(name)!;
      const all = new Float32Array(list.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of list) {
        all.set(part, at);
        at += part.length;
      }
      return [name, new Tensor("f32", [width === 0 ? 0 : all.length / width, width], all)];
    }),
  );
}

/** Output by output: by name, else in order. @throws ShapeError where sizes differ */
export async function compareOutputs(
  own: ReadonlyMap<string, Tensor<"f32">>,
  other: ReadonlyMap<string, Tensor<"f32">>,
): Promise<OutputAgreement[]> {
  const { compareFloats } = await import("lowbit/quantize");
  const byName = [...own.keys()].every((name) => other.has(name));
  const list = [...other.values()];
  if (!byName && own.size !== other.size)
    throw new InputError("eval", "outputs of the other model", [...own.keys()], [...other.keys()]);
  const figures: OutputAgreement[] = [];
  for (const [i, [name, tensor]] of [...own].entries()) {
    const reference = byName ? other.get(name)! : list[i]!;
    if (reference.size !== tensor.size)
      throw new ShapeError("eval", `elements of ${name}`, reference.size, tensor.size);
    const { sqnr, cosine, maxAbs } = await compareFloats(reference.data, tensor.data);
    const [rows = 0, width = 0] = tensor.shape;
    const top1 = width > 1 ? shareEqual(classesOf(tensor, rows, rows), classesOf(reference, rows, rows)) : undefined;
    figures.push({
      name,
      sqnr: finiteDecibels(sqnr),
      cosine,
      maxError: maxAbs,
      ...(top1 !== undefined && { top1 }),
    });
  }
  return figures;
}
