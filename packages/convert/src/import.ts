import type { Graph } from "lowbit";
import type { ImportOptions } from "./api.ts";
import { ModelFileError } from "./errors.ts";
import { importOnnx } from "./onnx/import.ts";
import { isPacked, readModel } from "./packed.ts";

/**
 * A model file as a Graph, before any pass.
 *
 * @param bytes the whole file; must not change afterwards, for large constants may be views into it
 * @throws ModelFileError for a damaged or foreign file, UnsupportedOperatorsError naming every node without an
 *   importer, GraphError where sizes contradict each other
 */
export function importModel(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  // A plain view: Node's Buffer, which is a Uint8Array too, copies where others share, and the reverse.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = options.format ?? (isPacked(plain) ? "packed" : "onnx");
  switch (format) {
    case "onnx":
      return importOnnx(plain, options.name);
    case "packed": {
      const { graph } = readModel(plain);
      return options.name === undefined ? graph : { ...graph, name: options.name };
    }
    default:
      throw new ModelFileError("importModel", "format", "onnx or packed", format);
  }
}
