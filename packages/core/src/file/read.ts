/** Reading a packed file at once. Apart from `packed.ts`, so that `loadModel`, which fetches what expands packings only for files that have any, does not bring it along. */
import { validateGraph } from "../graph/validate.ts";
import { expand } from "./expand.ts";
import { decodePacked, openPacked, type Packed } from "./packed.ts";

/**
 * Reads a file and checks all of it: structure, digests, types, and the graph's rules.
 * @param bytes the whole file; constants are views of it, but for those that are packed
 * @throws FormatError, DigestError, GraphError
 */
export function readPacked(bytes: Uint8Array<ArrayBuffer>): Packed {
  const packed = decodePacked(openPacked(bytes), expand);
  validateGraph(packed.graph);
  return packed;
}
