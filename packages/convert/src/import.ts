import { type ByteSource, type Constant, type Graph, looksLikeSafetensors } from "lowbit";
import type { ImportOptions, ModelFormat } from "./api.ts";
import { ModelFileError } from "./errors.ts";
import { readExternalData } from "./onnx/external.ts";
import { importOnnx, importOnnxModel } from "./onnx/import.ts";
import { parseOnnx } from "./onnx/reader.ts";
import { isPacked, readModel } from "./packed.ts";
import { openSource, type Source, type SourceSettings } from "./source/source.ts";
import { importTensors } from "./tensor-file.ts";
import { openTensorFile, tensorFormat } from "./tensors/file.ts";
import { importTflite } from "./tflite/import.ts";
import { looksLikeTflite } from "./tflite/reader.ts";

/**
 * A model file as a Graph, before any pass. Of a safetensors file without a network, a Graph of constants alone.
 *
 * @param bytes the whole file; must not change afterwards, for large constants may be views into it
 * @throws ModelFileError for a damaged or foreign file, FormatError and DigestError for a damaged safetensors
 *   file, UnsupportedOperatorsError naming every node without an importer, GraphError where sizes contradict each other
 */
export function importModel(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  // A plain view: Node's Buffer, which is a Uint8Array too, copies where others share, and the reverse.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = options.format ?? formatOf(plain);
  switch (format) {
    case "onnx":
      return importOnnx(plain, options.name);
    case "tflite":
      return importTflite(plain, options.name);
    case "packed": {
      const { graph } = readModel(plain);
      return options.name === undefined ? graph : { ...graph, name: options.name };
    }
    case "tensors":
      return importTensors(plain, options.name);
    default:
      throw new ModelFileError("importModel", "format", "onnx, tflite, packed or tensors", format);
  }
}

/**
 * A model file as a Graph, from a path (Node, Deno, Bun), a URL, a Blob or bytes: as {@link importModel}, and what needs more than bytes: GGUF, sharded safetensors, and ONNX
 * models with external data, which are read by range from the model's own folder (or from `files`, by name).
 *
 * @throws what `importModel` throws; LoadError where a file cannot be read; FileError for a file that the model needs and that is not there or outside its folder
 */
export async function importFrom(from: ByteSource, options: ImportOptions & SourceSettings = {}): Promise<Graph> {
  const source = await openSource(from, options);
  try {
    if (source.size > 0 && options.format !== "onnx") {
      const format = await tensorFormat(source);
      if (format === "gguf" || format === "index") return await importTensorFile(source, options);
    }
    const bytes = await source.read(0, source.size);
    if ((options.format ?? formatOf(bytes)) !== "onnx") return importModel(bytes, options);
    const model = parseOnnx(bytes);
    await readExternalData(model, source);
    return importOnnxModel(model, options.name);
  } finally {
    await source.close();
  }
}

async function importTensorFile(source: Source, { name = "tensors" }: ImportOptions): Promise<Graph> {
  const file = await openTensorFile(source);
  const constants = new Map<string, Constant>();
  for (const tensor of file.tensors.keys()) constants.set(tensor, await file.read(tensor));
  await file.close();
  return { name, inputs: [], outputs: [], nodes: [], values: new Map(), constants };
}

/** What a file is, by its first bytes; `onnx`, which has no mark of its own, where it is nothing else. */
export function formatOf(bytes: Uint8Array): ModelFormat {
  if (looksLikeTflite(bytes)) return "tflite";
  if (!looksLikeSafetensors(bytes)) return "onnx";
  return isPacked(bytes) ? "packed" : "tensors";
}
