import {
  type Graph,
  isPacked as isPackedFile,
  looksLikeSafetensors,
  type Packed,
  readPacked,
  readSafetensors,
  type WriteOptions,
  writePacked,
} from "lowbit";

/** What a packed file says beside the graph: where it comes from, and how it compares with float. */
export type ModelMeta = Omit<Packed, "graph">;

/**
 * A Graph as a packed file: safetensors with the graph in its metadata. Same graph, meta and options, same bytes.
 *
 * @throws GraphError where the graph breaks a rule
 */
export function writeModel(graph: Graph, meta: ModelMeta = {}, options?: WriteOptions): Uint8Array<ArrayBuffer> {
  return writePacked({ ...meta, graph }, options);
}

/**
 * Reads a packed file, checking structure, digests and the graph's rules.
 *
 * @param bytes the whole file; constants are views into it
 * @throws FormatError, DigestError, GraphError
 */
export function readModel(bytes: Uint8Array): Packed {
  return readPacked(plainView(bytes));
}

/**
 * Whether a file is a packed one. False for what does not begin as a safetensors file, and for one of plain tensors.
 *
 * @throws FormatError for a damaged safetensors file
 */
export function isPacked(bytes: Uint8Array): boolean {
  return looksLikeSafetensors(bytes) && isPackedFile(readSafetensors(plainView(bytes)));
}

/** Node's Buffer is a Uint8Array too, but its methods differ. */
const plainView = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
