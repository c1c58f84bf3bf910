/** Writing a packed file. Apart from `packed.ts`, so that a page that only loads models has none of it. */
import { validateGraph } from "../graph/validate.ts";
import { sha256Hex } from "./digest.ts";
import { type EncodeOptions, encodeGraph } from "./encode.ts";
import { digestKey, metadataKey, type Packed } from "./packed.ts";
import { writeSafetensors } from "./safetensors.ts";

/** Choices of {@link writePacked}. */
export type WriteOptions = EncodeOptions;

/**
 * The file's bytes. The same input gives the same bytes, everywhere, of the oldest version of the format that can hold it: 1, 2 with ternary codes in base 3, or 3 with
 * other packings or the decodings offset, bases, additive and hashed.
 * @throws GraphError where the graph is not valid
 */
export function writePacked(
  { graph, provenance, parity }: Packed,
  options: WriteOptions = {},
): Uint8Array<ArrayBuffer> {
  validateGraph(graph);
  const { version, graph: json, tensors, digests } = encodeGraph(graph, options);
  const metadata = JSON.stringify({ version, graph: json, tensors: digests, provenance, parity });
  const entries = [
    [metadataKey, metadata],
    [digestKey, sha256Hex(metadata)],
  ] as const;
  return writeSafetensors(tensors, new Map(entries));
}
