/** A safetensors file without a network: its tensors as the constants of a Graph that has nothing else. */
import {
  arrayOf,
  bytesOf,
  type Graph,
  type PlainConstant,
  type RawTensor,
  readSafetensors,
  type SafetensorsDType,
} from "lowbit";
import { ModelFileError } from "./errors.ts";
import { floats } from "./graph/constants.ts";
import { widen } from "./onnx/minifloat.ts";

/** Element types that a Graph has too; BF16 is widened to f32, which holds each of its numbers. */
const DTYPES: { readonly [D in SafetensorsDType]?: PlainConstant["dtype"] } = {
  F32: "f32",
  F16: "f16",
  I8: "int8",
  U8: "uint8",
  I32: "int32",
  I64: "int64",
  BOOL: "bool",
};

const SUPPORTED = [...Object.keys(DTYPES), "BF16"].join(", ");

/**
 * Reads a safetensors file that is not a packed one. Constants have the tensors' names and shapes, in the order of the
 * file's bytes; the file's metadata is not kept.
 *
 * @param bytes the whole file; must not change afterwards, for constants may be views into it
 * @param name of the Graph
 * @throws FormatError for a damaged file, ModelFileError for a file without tensors, for an element type that is not
 *   supported, and for booleans other than 0 and 1
 */
export function importTensors(bytes: Uint8Array, name = "tensors"): Graph {
  const plain = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  const { tensors } = readSafetensors(plain);
  if (tensors.size === 0) throw new ModelFileError("safetensors", "tensors", "at least one", 0);
  const constants = new Map([...tensors].map(([name, tensor]) => [name, constantOf(name, tensor)]));
  return { name, inputs: [], outputs: [], nodes: [], values: new Map(), constants };
}

function constantOf(name: string, { dtype: type, shape, bytes }: RawTensor): PlainConstant {
  const op = `safetensors: tensor "${name}"`;
  if (type === "BF16") return floats(shape, widen(new Uint16Array(bytes.slice().buffer), "bfloat16"));
  const dtype = DTYPES[type];
  if (dtype === undefined) throw new ModelFileError(op, "element type", SUPPORTED, type);
  if (dtype === "bool" && bytes.some((byte) => byte > 1))
    throw new ModelFileError(op, "booleans", "0 or 1", "another byte");
  const size = bytesOf[dtype];
  // A file may place tensors where a view of their elements cannot begin.
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return { kind: "plain", dtype, shape, data: new arrayOf[dtype](buffer, byteOffset, bytes.length / size) };
}
