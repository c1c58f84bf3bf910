import { type Graph, looksLikeSafetensors } from "lowbit";
import type { ImportOptions, ModelFormat } from "./api.ts";
import { ModelFileError } from "./errors.ts";
import { importOnnx } from "./onnx/import.ts";
import { isPacked, readModel } from "./packed.ts";
import { importTensors } from "./tensor-file.ts";
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
      return importTflite(plain, options.name, options.rounding);
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

/** What a file is, by its first bytes; `onnx`, which has no mark of its own, where it is nothing else. */
export function formatOf(bytes: Uint8Array): ModelFormat {
  if (looksLikeTflite(bytes)) return "tflite";
  if (!looksLikeSafetensors(bytes)) return "onnx";
  return isPacked(bytes) ? "packed" : "tensors";
}
