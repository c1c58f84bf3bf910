import type { Dim } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { FlatBuffer, type Unread } from "./flatbuffer.ts";
import { BUILTIN_OPERATORS, Model, type ModelTable, type OperatorTable, type TensorTable } from "./schema.ts";

/** Affine quantization of a tensor: real = (q - zeroPoint) * scale, one of each, or one per entry of `axis`. */
export interface SourceQuantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
}

export interface SourceTensor {
  readonly name: string;
  /** Enum `TensorType`. */
  readonly type: number;
  /** As the file was written; a dynamic size is 1 here, as a rule. */
  readonly shape: readonly number[];
  /** The same with a symbol for every size that `shape_signature` leaves open. */
  readonly dims: readonly Dim[];
  readonly quantization: SourceQuantization | undefined;
  /** Of a constant: its bytes, in the file's own memory. */
  readonly data: Uint8Array | undefined;
}

export interface SourceOperator {
  /** `CONV_2D`, or the name of a custom operator. */
  readonly type: string;
  /** What messages and Graph nodes call it: its first output. */
  readonly title: string;
  /** Indices of tensors; -1 where an optional input is absent. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: Unread | undefined;
  readonly customOptions: Uint8Array | undefined;
}

/** The first subgraph of a .tflite file, checked: indices resolve, every value is written once, and before it is read. */
export interface SourceModel {
  readonly name: string;
  readonly tensors: readonly SourceTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly SourceOperator[];
}

/** Whether the bytes have the identifier of a TensorFlow Lite file. */
export function looksLikeTflite(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";
}

/** Reads a .tflite file. @throws ModelFileError for anything that is not a well-formed model */
export function readTflite(bytes: Uint8Array): SourceModel {
  if (!looksLikeTflite(bytes))
    throw new ModelFileError("tflite", "file", "a FlatBuffer with the identifier TFL3", "another or a truncated file");
  const model = new FlatBuffer(bytes, "tflite").root(Model);
  if (model.version !== 3) throw new ModelFileError("tflite", "schema version", 3, model.version);
  const [graph] = model.subgraphs;
  if (graph === undefined) throw new ModelFileError("tflite", "subgraphs", "at least one", "none");
  const symbols = symbolsOf(graph.tensors);
  const tensors = graph.tensors.map((tensor, index) => readTensor(tensor, index, symbols[index]!, model, bytes));
  const inputs = graph.inputs ?? [];
  const outputs = graph.outputs ?? [];
  const operators = graph.operators.map((operator, index) => readOperator(operator, index, tensors, model));
  if (outputs.length === 0) throw new ModelFileError("tflite", "outputs", "at least one", "none");
  checkOrder(tensors, inputs, outputs, operators);
  return { name: graph.name ?? "", tensors, inputs, outputs, operators };
}

/** What the open sizes of each tensor are called after: its name, or its index where it has none or that of one before it. They are other sizes. */
function symbolsOf(tensors: readonly TensorTable[]): string[] {
  const taken = new Set<string>([""]);
  return tensors.map(({ name = "" }, index) => {
    const symbol = taken.has(name) ? `tensor${index}` : name;
    taken.add(symbol);
    return symbol;
  });
}

function readTensor(
  tensor: TensorTable,
  index: number,
  symbol: string,
  model: ModelTable,
  bytes: Uint8Array,
): SourceTensor {
  const name = tensor.name ?? "";
  const op = `tflite: tensor ${index} "${name}"`;
  const shape = tensor.shape ?? [];
  const signature = tensor.shapeSignature ?? [];
  if (shape.length > 8) throw new ModelFileError(op, "rank", "at most 8", shape.length);
  // An empty vector is a list without entries. An empty tensor of more axes could have any sizes beside its 0.
  const least = shape.length === 1 ? 0 : 1;
  if (shape.some((size) => size < least) || shape.reduce((product, size) => product * size, 1) > 2 ** 40)
    throw new ModelFileError(op, "shape", `sizes of ${least} or more, fewer than 2^40 elements`, shape);
  if (signature.length > 0 && signature.length !== shape.length)
    throw new ModelFileError(op, "shape signature", `${shape.length} sizes, as the shape`, signature);
  const dims = shape.map(
    (size, axis): Dim => (signature[axis] === -1 ? (axis === 0 ? "N" : `${symbol}_${axis}`) : size),
  );
  if (tensor.isVariable)
    throw new ModelFileError(op, "kind", "a value or a constant", "a variable that keeps its value");
  if (tensor.sparsity) throw new ModelFileError(op, "storage", "dense data", "sparse data");
  return {
    name,
    type: tensor.type,
    shape,
    dims,
    quantization: readQuantization(tensor, op),
    data: dataOf(tensor, model, bytes, op),
  };
}

function readQuantization({ quantization, shape }: TensorTable, op: string): SourceQuantization | undefined {
  const scale = quantization?.scale ?? [];
  if (quantization === undefined || scale.length === 0) return undefined;
  const given = quantization.zeroPoint ?? [];
  const { axis } = quantization;
  if (scale.some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY)))
    throw new ModelFileError(op, "scales", "finite numbers above 0", scale.slice(0, 4));
  if (given.length > 1 && given.length !== scale.length)
    throw new ModelFileError(op, "zero points", `one for each of ${scale.length} scales`, given.length);
  if (scale.length > 1 && (shape ?? [])[axis] !== scale.length)
    throw new ModelFileError(op, `scales (of axis ${axis} of [${shape}])`, (shape ?? [])[axis], scale.length);
  if (quantization.details !== 0)
    throw new ModelFileError(op, "quantization", "scales and zero points", "a custom kind");
  return { scale, zeroPoint: scale.map((_, i) => given[given.length === 1 ? 0 : i] ?? 0), axis };
}

/** Data inside the FlatBuffer, or behind it in files over 2 GB; undefined for what is computed. */
function dataOf(
  { buffer, shape }: TensorTable,
  model: ModelTable,
  bytes: Uint8Array,
  op: string,
): Uint8Array | undefined {
  const found = model.buffers[buffer];
  if (found === undefined) {
    if (buffer === 0) return undefined;
    throw new ModelFileError(op, "buffer", `one of ${model.buffers.length}`, buffer);
  }
  const { data, offset, size } = found;
  if (offset > 1) {
    if (offset + size > bytes.length)
      throw new ModelFileError(
        op,
        "buffer behind the model",
        `within ${bytes.length} bytes`,
        `${offset} to ${offset + size}`,
      );
    return bytes.subarray(offset, offset + size);
  }
  if (data !== undefined && data.length > 0) return data;
  // A constant may be empty; the empty buffer 0 is that of every computed value.
  return buffer !== 0 && (shape ?? []).includes(0) ? new Uint8Array(0) : undefined;
}

function readOperator(
  operator: OperatorTable,
  index: number,
  tensors: readonly SourceTensor[],
  model: ModelTable,
): SourceOperator {
  const op = `tflite: operator ${index}`;
  const code = model.operatorCodes[operator.opcode];
  if (code === undefined)
    throw new ModelFileError(op, "opcode index", `one of ${model.operatorCodes.length}`, operator.opcode);
  // The code outgrew its first field, a byte; writers of today fill both.
  const value = Math.max(code.code, code.oldCode);
  const builtin = BUILTIN_OPERATORS[value] ?? `operator ${value}`;
  const type = builtin === "CUSTOM" ? (code.customCode ?? "CUSTOM") : builtin;
  const { inputs = [], outputs = [], options, customOptions } = operator;
  const exists = (tensor: number) => tensor < tensors.length && tensor >= 0;
  const stray = [...inputs.filter((tensor) => tensor !== -1), ...outputs].find((tensor) => !exists(tensor));
  if (stray !== undefined) throw new ModelFileError(`${op} (${type})`, "tensor", `one of ${tensors.length}`, stray);
  if (outputs.length === 0) throw new ModelFileError(`${op} (${type})`, "outputs", "at least one", "none");
  // Converters join the names of what they fused by semicolons.
  const title = tensors[outputs[0]!]!.name.split(";")[0] || `${type.toLowerCase()}_${index}`;
  return { type, title, inputs, outputs, options, customOptions };
}

/** TFLite runs operators in the file's order, so a cycle shows as a value that is read before it is written. */
function checkOrder(
  tensors: readonly SourceTensor[],
  inputs: readonly number[],
  outputs: readonly number[],
  operators: readonly SourceOperator[],
): void {
  const known = new Set<number>();
  for (const input of inputs) {
    const tensor = tensors[input];
    if (tensor === undefined) throw new ModelFileError("tflite", "input", `one of ${tensors.length} tensors`, input);
    if (known.has(input)) throw new ModelFileError("tflite", "input", "a tensor listed once", `"${tensor.name}" twice`);
    if (tensor.data)
      throw new ModelFileError("tflite", "input", "a tensor without data", `the constant "${tensor.name}"`);
    known.add(input);
  }
  tensors.forEach((tensor, index) => {
    if (tensor.data) known.add(index);
  });
  for (const { type, title, inputs: read, outputs: written } of operators) {
    const op = `tflite: ${type} "${title}"`;
    for (const input of read) {
      if (input !== -1 && !known.has(input))
        throw new ModelFileError(op, "input", "a value written before it is read", `"${tensors[input]!.name}"`);
    }
    for (const output of written) {
      if (known.has(output))
        throw new ModelFileError(
          op,
          "output",
          "a value written once",
          `"${tensors[output]!.name}", an input, a constant or written before`,
        );
      known.add(output);
    }
  }
  for (const output of outputs)
    if (!known.has(output))
      throw new ModelFileError("tflite", "output", "a value that something writes", tensors[output]?.name ?? output);
}
