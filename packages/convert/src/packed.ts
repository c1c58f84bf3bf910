import { type Graph, looksLikeSafetensors, type Packed, readPacked, writePacked } from "lowbit";

/** What a packed file says beside the graph: where it comes from, and how it compares with float. */
export type ModelMeta = Omit<Packed, "graph">;

/**
 * A Graph as a packed file: safetensors with the graph in its metadata. Same graph and meta, same bytes.
 *
 * @throws GraphError where the graph breaks a rule
 */
export function writeModel(graph: Graph, meta: ModelMeta = {}): Uint8Array<ArrayBuffer> {
  return writePacked({ ...meta, graph });
}

/**
 * Reads a packed file, checking structure, digests and the graph's rules.
 *
 * @param bytes the whole file; constants are views into it
 * @throws FormatError, DigestError, GraphError
 */
export function readModel(bytes: Uint8Array): Packed {
  return readPacked(new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength));
}

/** Whether a file is a safetensors file, as packed ones are, by its first bytes. */
export function isPacked(bytes: Uint8Array): boolean {
  return looksLikeSafetensors(bytes);
}
