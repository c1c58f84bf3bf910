/** A GGUF file, its tensors read one at a time. */
import { type Constant, UnsupportedError } from "lowbit";
import { dequantize, fromBlocks } from "lowbit/quantize";
import { ModelFileError } from "../errors.ts";
import { floats } from "../graph/constants.ts";
import type { Source } from "../source/source.ts";
import { type TensorFile, type TensorInfo, tensorOf } from "../tensors/file.ts";
import { plainConstant, widenedConstant } from "../tensors/plain.ts";
import { type GgufHeader, type GgufTensor, MoreNeeded, readGgufHeader } from "./header.ts";
import { GGUF_READABLE } from "./types.ts";

/** Bytes that are read at first: the heads of most files; vocabularies take some MB. */
const FIRST = 2 ** 20;

/** @throws ModelFileError for a damaged file */
export async function openGguf(source: Source): Promise<TensorFile> {
  const { metadata, tensors } = await readHeader(source);
  const inOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  const bytesOf = ({ offset, bytes }: GgufTensor) => source.read(offset, bytes);
  return {
    format: "gguf",
    name: source.name,
    size: source.size,
    metadata,
    tensors: new Map(inOrder.map((tensor) => [tensor.name, infoOf(tensor)])),
    readBytes: async (name) => bytesOf(tensorOf(tensors, source.name, name)),
    async read(name) {
      const tensor = tensorOf(tensors, source.name, name);
      checkReadable(tensor);
      return constantOf(tensor, await bytesOf(tensor));
    },
    beside: (name) => source.beside(name),
    close: () => source.close(),
  };
}

function infoOf({ name, type, shape, bytes }: GgufTensor): TensorInfo {
  const blocks = type.weights > 1 && shape.length > 1;
  const integers = type.reads?.as === "plain" && type.reads.dtype.startsWith("int");
  return { name, type: type.name, shape, bytes, kind: blocks ? "codes" : integers ? "integers" : "floats" };
}

async function readHeader(source: Source): Promise<GgufHeader> {
  for (let length = FIRST; ; ) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return readGgufHeader(bytes, source.size);
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
      length = Math.max(4 * length, error.bytes);
    }
  }
}

function checkReadable({ name, type }: GgufTensor): void {
  if (type.reads === undefined)
    throw new UnsupportedError("gguf", [`tensor "${name}" of type ${type.name}`], GGUF_READABLE.join(", "));
}

async function constantOf({ name, type, shape }: GgufTensor, bytes: Uint8Array<ArrayBuffer>): Promise<Constant> {
  const op = `gguf: tensor "${name}"`;
  const reads = type.reads!;
  if (reads.as === "plain") return plainConstant(op, reads.dtype, shape, bytes);
  if (reads.as === "widened") return widenedConstant(reads.stored, shape, bytes);
  // A constant of codes has rows; a tensor of one axis is one.
  const rows = shape.length > 1 ? shape : [1, ...shape];
  const constant = await fromBlocks(bytes, reads.type, rows).catch((cause) => {
    throw new ModelFileError(
      op,
      `blocks of ${type.name}`,
      "finite scales",
      cause instanceof Error ? cause.message : cause,
      cause,
    );
  });
  return shape.length > 1 ? constant : floats(shape, await dequantize(constant));
}
