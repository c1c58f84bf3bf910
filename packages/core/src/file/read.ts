/** Reading a packed file at once. Apart from `packed.ts`, so that `loadModel`, which has the digests of the engine and fetches what expands packings only for files that have any, does not bring its own along. */
import { validateGraph } from "../graph/validate.ts";
import { sha256Hex } from "./digest.ts";
import { expand } from "./expand.ts";
import { decodePacked, opening, type Packed } from "./packed.ts";

/**
 * Reads a file and checks all of it: structure, digests, types, and the graph's rules.
 * @param bytes the whole file; constants are views of it, but for those that are packed
 * @throws FormatError, DigestError, GraphError
 */
export function readPacked(bytes: Uint8Array<ArrayBuffer>): Packed {
  const steps = opening(bytes);
  let step = steps.next();
  while (!step.done) step = steps.next(sha256Hex(step.value));
  const packed = decodePacked(step.value, expand);
  validateGraph(packed.graph);
  return packed;
}
