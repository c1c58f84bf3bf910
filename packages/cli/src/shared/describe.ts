/** What is in a file, without running it: the work of `lowbit inspect`. */

import type { TensorFile } from "@lowbit/convert";
import { type Constant, type Dim, type DType, type Graph, sizeOf } from "lowbit";
import { naming, readInput } from "./files.ts";
import { type Arithmetic, bitsOf, type Layer, layersOf, totalMacs } from "./layers.ts";
import { isTensorsOnly, parseGraph } from "./model.ts";
import { openTensors } from "./tensor-file.ts";

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
  readonly format: "onnx" | "tflite" | "lowbit" | "safetensors" | "gguf";
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
  /** What stands in the way of running the network: its layers are then not known. */
  readonly unsupported?: string;
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

/** Of tensors the head of the file alone, else all of it, checked; every error names the file. */
export async function describeFile(path: string): Promise<FileDescription> {
  const tensors = await openTensors(path);
  if (tensors) return describeTensors(tensors);
  const bytes = await readInput(path);
  const { looksLikeSafetensors } = await import("lowbit");
  return naming(path, async () => {
    // Without the importers, which take longer to load than the file.
    if (looksLikeSafetensors(bytes)) return describePacked(bytes);
    const { formatOf } = await import("@lowbit/convert");
    return formatOf(bytes) === "tflite" ? describeTflite(path, bytes) : describeOnnx(path, bytes);
  });
}

async function describeTensors(file: TensorFile): Promise<FileDescription> {
  await file.close();
  const tensors = [...file.tensors.values()].map(({ name, type, shape, bytes }) => {
    const size = sizeOf(shape);
    return { name, dtype: type, shape, bits: size === 0 ? 0 : (bytes * 8) / size, size };
  });
  return { format: file.format, bytes: file.size, tensors };
}

async function describePacked(bytes: Uint8Array): Promise<FileDescription> {
  const [{ readPacked }, { registerAllOps }] = await Promise.all([import("lowbit"), import("lowbit/ops")]);
  // A network of text is made of them.
  registerAllOps();
  const plain = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  const { graph, provenance, parity } = readPacked(plain);
  return {
    format: "lowbit",
    bytes: bytes.length,
    tensors: [...graph.constants].map(describeConstant),
    ...(!isTensorsOnly({ graph }) && describeGraph(graph)),
    ...(provenance && { provenance }),
    ...(parity && { parity }),
  };
}

/** ONNX's element types by their number: name and bits. */
const ONNX_TYPES: Readonly<Record<number, readonly [name: string, bits: number]>> = {
  1: ["f32", 32],
  2: ["uint8", 8],
  3: ["int8", 8],
  4: ["uint16", 16],
  5: ["int16", 16],
  6: ["int32", 32],
  7: ["int64", 64],
  9: ["bool", 8],
  10: ["f16", 16],
  11: ["f64", 64],
  12: ["uint32", 32],
  13: ["uint64", 64],
  16: ["bf16", 16],
  21: ["uint4", 4],
  22: ["int4", 4],
};

/** The network as it would run, or what of it is not supported; damaged files are refused. */
async function describeNetwork(path: string, bytes: Uint8Array) {
  const { UnsupportedOperatorsError } = await import("@lowbit/convert");
  const { UnsupportedError } = await import("lowbit");
  try {
    return describeGraph((await parseGraph(path, bytes)).graph);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof UnsupportedOperatorsError || cause instanceof UnsupportedError)
      return { unsupported: cause.message };
    throw error;
  }
}

/** Tensors as the file has them, layers as they are after the passes, which is how they would run. */
async function describeOnnx(path: string, bytes: Uint8Array): Promise<FileDescription> {
  const { fromBinary, ModelProtoSchema } = await import("@lowbit/convert/onnx");
  // The import checks the whole file, every tensor's size included; what follows only names things.
  const network = await describeNetwork(path, bytes);
  const initializers = fromBinary(ModelProtoSchema, bytes).graph?.initializer ?? [];
  return {
    format: "onnx",
    bytes: bytes.length,
    tensors: initializers.map(({ name, dataType, dims }) => {
      const [dtype, bits] = ONNX_TYPES[dataType] ?? [`type ${dataType}`, 0];
      const shape = dims.map(Number);
      return { name, dtype, shape, bits, size: sizeOf(shape) };
    }),
    ...network,
  };
}

/** Constants as the file has them, layers as they would run. */
async function describeTflite(path: string, bytes: Uint8Array): Promise<FileDescription> {
  const { readTflite, typeName } = await import("@lowbit/convert/tflite");
  const network = await describeNetwork(path, bytes);
  const constants = readTflite(bytes).tensors.flatMap(({ name, type, shape, data }) => {
    if (data === undefined) return [];
    const size = sizeOf(shape);
    const dtype = typeName(type).toLowerCase().replace("float", "f");
    return [{ name, dtype, shape, bits: size === 0 ? 0 : Math.floor((data.length * 8) / size), size }];
  });
  return { format: "tflite", bytes: bytes.length, tensors: constants, ...network };
}
