/** Writing a packed file. Apart from `packed.ts`, so that a page that only loads models has none of it. */

import { checkConstant } from "../graph/constants.ts";
import type { Constant, Graph } from "../graph/types.ts";
import { validateGraph } from "../graph/validate.ts";
import { sha256Hex } from "./digest.ts";
import { type EncodeOptions, GraphEncoder, type Keep } from "./encode.ts";
import { digestKey, metadataKey, type Packed } from "./packed.ts";
import { type RawTensor, type SafetensorsHead, safetensorsHead, writeSafetensors } from "./safetensors.ts";

/** Choices of {@link writePacked}. */
export type WriteOptions = EncodeOptions;

type Meta = Omit<Packed, "graph">;

/**
 * The file's bytes. The same input gives the same bytes, everywhere, of the oldest version of the format that can hold it: 1, 2 with ternary codes in base 3, or 3 with
 * other packings or the decodings offset, bases, additive and hashed.
 * @throws GraphError where the graph is not valid
 */
export function writePacked({ graph, ...meta }: Packed, options: WriteOptions = {}): Uint8Array<ArrayBuffer> {
  validateGraph(graph);
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const encoder = new GraphEncoder(
    graph.constants.keys(),
    (name, bytes) => {
      kept.set(name, bytes);
      return sha256Hex(bytes);
    },
    options,
  );
  for (const [name, constant] of graph.constants) encoder.add(name, constant);
  const { tensors, metadata } = headOf(encoder, graph, meta);
  const raw = ([name, entry]: readonly [string, Omit<RawTensor, "bytes">]) =>
    [name, { ...entry, bytes: kept.get(name)! }] as const;
  return writeSafetensors(new Map([...tensors].map(raw)), metadata);
}

function headOf(encoder: GraphEncoder, graph: Omit<Graph, "constants">, { provenance, parity }: Meta) {
  const { version, graph: json, tensors, digests } = encoder.finish(graph);
  const text = JSON.stringify({ version, graph: json, tensors: digests, provenance, parity });
  return {
    tensors,
    metadata: new Map([
      [metadataKey, text],
      [digestKey, sha256Hex(text)],
    ]),
  };
}

/**
 * Writes a packed file of constants alone, one after another: what `writePacked` writes, byte for byte, without all of them in memory.
 *
 * @example
 * const stream = new PackedStream("tensors", names, (name, bytes) => spool(name, bytes)); // gives their SHA-256
 * for (const name of names) stream.add(name, await constantOf(name));
 * const { head, order } = stream.finish({ provenance }); // the file is head, then the spooled tensors in that order
 */
export class PackedStream {
  readonly #encoder: GraphEncoder;
  readonly #name: string;

  /**
   * @param name of the graph
   * @param names of all constants, in the order in which they will be added
   * @param keep takes each tensor's bytes until the end and gives their SHA-256 in hexadecimal digits
   */
  constructor(name: string, names: Iterable<string>, keep: Keep, options: WriteOptions = {}) {
    this.#name = name;
    this.#encoder = new GraphEncoder(names, keep, options);
  }

  /** @throws GraphError where the constant breaks a rule */
  add(name: string, constant: Constant): void {
    checkConstant(name, constant);
    this.#encoder.add(name, constant);
  }

  finish(meta: Meta = {}): SafetensorsHead {
    const graph = { name: this.#name, inputs: [], outputs: [], nodes: [], values: new Map() };
    const { tensors, metadata } = headOf(this.#encoder, graph, meta);
    return safetensorsHead(tensors, metadata);
  }
}
