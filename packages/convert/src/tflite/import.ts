import { type Graph, GraphError, UnsupportedError } from "lowbit";
import type { Rounding } from "../api.ts";
import { ModelFileError, UnsupportedOperatorsError } from "../errors.ts";
import { GraphEditor } from "../graph/editor.ts";
import { gridCodes, gridFloats, type ImportState, NodeContext, targetOf } from "./context.ts";
import { OPERATORS } from "./operators/registry.ts";
import { readTflite, type SourceModel } from "./reader.ts";

/**
 * A .tflite file as a Graph: its first subgraph, the operators that the registry lists. Images are channels last in both.
 *
 * Sizes that the file leaves open stay open, unless the operators contradict that: a file may say that its batch is
 * dynamic and still reshape to a batch of 1. Then the sizes hold that the file was written with.
 *
 * @throws ModelFileError for a damaged file, UnsupportedOperatorsError with every operator that has no importer
 */
export function importTflite(bytes: Uint8Array, name?: string, rounding: Rounding = "nearest"): Graph {
  const source = readTflite(bytes);
  refuseUnknown(source);
  const isDynamic = source.inputs.some((input) => source.tensors[input]!.dims.some((size) => typeof size === "string"));
  if (!isDynamic) return build(source, name, rounding);
  try {
    return build(source, name, rounding);
  } catch (error) {
    if (!(error instanceof GraphError || error instanceof UnsupportedError)) throw error;
    return build(
      { ...source, tensors: source.tensors.map((tensor) => ({ ...tensor, dims: tensor.shape })) },
      name,
      rounding,
    );
  }
}

function build(source: SourceModel, name: string | undefined, rounding: Rounding): Graph {
  const editor = new GraphEditor({ name: name ?? (source.name || "model") });
  const state: ImportState = { source, editor, values: new Map(), shapes: new Map(), reals: new Map(), rounding };
  const outputs = outputNames(source);
  for (const output of outputs) editor.reserved.add(output);
  source.inputs.forEach((input, index) => {
    const tensor = source.tensors[input]!;
    const unique = editor.freshValue(tensor.name || `input_${index}`);
    const target = targetOf(tensor, true, (got): never => {
      throw new UnsupportedError(
        "importModel",
        [`input "${tensor.name}": ${got}`],
        "float, int8, uint8 or (around 0) int16 inputs with one scale",
      );
    });
    const { grid, ...info } = target;
    editor.addInput(
      unique,
      grid === undefined ? { ...info, shape: tensor.dims } : { dtype: "int16", shape: tensor.dims },
    );
    state.values.set(input, grid === undefined ? unique : gridFloats(editor, unique, unique, grid));
  });
  for (const operator of source.operators) OPERATORS.get(operator.type)!(new NodeContext(operator, state));
  source.outputs.forEach((output, index) => {
    bindOutput(state, output, outputs[index]!);
  });
  return editor.freeze();
}

function refuseUnknown({ operators }: SourceModel): void {
  const unknown = operators.filter(({ type }) => !OPERATORS.has(type));
  if (unknown.length > 0)
    throw new UnsupportedOperatorsError(
      unknown.map(({ type, title }) => [type, title]),
      [...OPERATORS.keys()],
    );
}

/** Outputs keep the names of their tensors. */
function outputNames({ outputs, inputs, tensors }: SourceModel): string[] {
  const taken = new Set(inputs.map((input) => tensors[input]!.name));
  return outputs.map((output, index) => {
    const base = tensors[output]!.name || `output_${index}`;
    let name = base;
    for (let suffix = 2; taken.has(name); suffix++) name = `${base}_${suffix}`;
    taken.add(name);
    return name;
  });
}

/** Gives the value of an output its name, also where it is an input, a constant or another output. */
function bindOutput({ source, editor, values }: ImportState, output: number, name: string): void {
  const value = values.get(output);
  if (value === undefined || editor.constants.has(value))
    throw new ModelFileError(
      "tflite",
      "output",
      "a value that an operator computes",
      `"${source.tensors[output]!.name}"`,
    );
  const { grid } = targetOf(source.tensors[output]!, true, () => ({ grid: undefined }) as never);
  if (grid !== undefined) {
    editor.outputs.push(gridCodes(editor, name, value, grid, name));
    return;
  }
  if (editor.producer(value) && !editor.outputs.includes(value)) {
    editor.outputs.push(value);
    editor.rename(value, name);
    for (const [tensor, known] of values) if (known === value) values.set(tensor, name);
  } else editor.outputs.push(editor.add("reshape", name, [value], { shape: editor.shape(value) }, { output: name }));
}
