/** What is in a file, without running it: the work of `lowbit inspect`. */

import { type Constant, type Dim, type DType, type Graph, sizeOf } from "lowbit";
import { naming, readInput } from "./files.ts";
import { type Arithmetic, bitsOf, type Layer, layersOf, totalMacs } from "./layers.ts";
import { modelName } from "./model.ts";

export interface TensorDescription {
  readonly name: string;
  /** The element type as the format calls it; of a quantized constant its scheme. */
  readonly dtype: string;
  /** Of what the tensor stands for: codes have the shape of their weights. */
  readonly shape: readonly number[];
  /** Bits of one element, or of one code. */
  readonly bits: number;
  /** Elements. */
  readonly size: number;
}

export interface ValueDescription {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface FileDescription {
  readonly format: "onnx" | "lowbit" | "safetensors";
  readonly bytes: number;
  readonly tensors: readonly TensorDescription[];
  /** Absent where the file holds tensors and no graph, like all that follows. */
  readonly name?: string;
  readonly inputs?: readonly ValueDescription[];
  readonly outputs?: readonly ValueDescription[];
  /** Operators of the graph by name, after the passes. */
  readonly operators?: Readonly<Record<string, number>>;
  readonly layers?: readonly Layer[];
  /** Multiply-accumulates for one sample. */
  readonly macs?: Readonly<Record<Arithmetic, number>>;
  readonly labels?: readonly string[];
  readonly provenance?: unknown;
  readonly parity?: unknown;
}

const describeConstant = ([name, constant]: readonly [string, Constant]): TensorDescription => ({
  name,
  dtype: constant.kind === "quantized" ? constant.scheme : constant.dtype,
  shape: constant.shape,
  bits: bitsOf(constant),
  size: sizeOf(constant.shape),
});

const describeValues = (graph: Graph, names: readonly string[]): ValueDescription[] =>
  names.flatMap((name) => {
    const info = graph.values.get(name);
    return info ? [{ name, dtype: info.dtype, shape: info.shape }] : [];
  });

function describeGraph(graph: Graph) {
  const layers = layersOf(graph);
  const operators: Record<string, number> = {};
  for (const { op } of graph.nodes) operators[op] = (operators[op] ?? 0) + 1;
  return {
    name: graph.name,
    inputs: describeValues(graph, graph.inputs),
    outputs: describeValues(graph, graph.outputs),
    operators,
    layers,
    macs: totalMacs(layers),
    ...(graph.labels && { labels: graph.labels }),
  };
}

/** Reads and checks the whole file; every error names it. */
export async function describeFile(path: string, signal?: AbortSignal): Promise<FileDescription> {
  const bytes = await readInput(path, signal);
  const { looksLikeSafetensors } = await import("lowbit");
  return naming(path, () => (looksLikeSafetensors(bytes) ? describeSafetensors(bytes) : describeOnnx(path, bytes)));
}

async function describeSafetensors(bytes: Uint8Array): Promise<FileDescription> {
  const { readPacked, readSafetensors } = await import("lowbit");
  const plain = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  const { metadata, tensors } = readSafetensors(plain);
  if (metadata.has("lowbit")) {
    const { graph, provenance, parity } = readPacked(plain);
    return {
      format: "lowbit",
      bytes: bytes.length,
      tensors: [...graph.constants].map(describeConstant),
      ...describeGraph(graph),
      ...(provenance && { provenance }),
      ...(parity && { parity }),
    };
  }
  const described = [...tensors].map(([name, tensor]) => {
    const size = sizeOf(tensor.shape);
    return {
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      bits: size === 0 ? 0 : (tensor.bytes.length * 8) / size,
      size,
    };
  });
  return { format: "safetensors", bytes: bytes.length, tensors: described };
}

/** Tensors as the file has them, layers as they are after the passes, which is how they would run. */
async function describeOnnx(path: string, bytes: Uint8Array): Promise<FileDescription> {
  const { importModel, runPasses } = await import("@lowbit/convert");
  const imported = importModel(bytes, { format: "onnx", name: modelName(path) });
  return {
    format: "onnx",
    bytes: bytes.length,
    tensors: [...imported.constants].map(describeConstant),
    ...describeGraph(runPasses(imported)),
  };
}
