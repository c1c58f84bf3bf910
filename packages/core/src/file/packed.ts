/** The packed file: a graph with its weights as a safetensors file. docs/format.md describes every byte. */
import { DigestError, FormatError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import { validateGraph } from "../graph/validate.ts";
import { decodeGraph } from "./decode.ts";
import { sha256Hex } from "./digest.ts";
import { type EncodeOptions, encodeGraph } from "./encode.ts";
import type { Expand } from "./expand.ts";
import { Field } from "./fields.ts";
import { type Json, parseJson } from "./json.ts";
import { type RawTensor, readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";

/** The newest that this library writes, where a file needs it; it reads this one and all older ones. */
export const formatVersion = 3;

const metadataKey = "lowbit";
const digestKey = "lowbit_digest";

/** Where a model comes from; further members are kept. */
export interface Provenance {
  /** File name of the source, without its folder. */
  readonly source?: string;
  /** SHA-256 of the source's bytes, hexadecimal. */
  readonly sourceSha256?: string;
  /** Command line, or training recipe with its seed. */
  readonly recipe?: string;
  /** Name and version of the library that wrote the file. */
  readonly library?: string;
  readonly [key: string]: Json | undefined;
}

/** What a packed file holds. */
export interface Packed {
  readonly graph: Graph;
  readonly provenance?: Provenance;
  /** Figures of the comparison with the float network, as the converter wrote them. */
  readonly parity?: { readonly [key: string]: Json };
}

/** Whether a safetensors file is a packed one, rather than one of plain tensors; a damaged packed one is, too. */
export const isPacked = ({ metadata }: Safetensors): boolean => metadata.has(metadataKey) || metadata.has(digestKey);

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

/** A file whose digests fit. */
export interface OpenedFile {
  readonly version: number;
  readonly json: Field;
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

/** Takes a file apart. */
export function openPacked(bytes: Uint8Array<ArrayBuffer>): OpenedFile {
  const { metadata, tensors } = readSafetensors(bytes);
  const text = metadata.get(metadataKey);
  if (text === undefined)
    throw new FormatError("metadata-missing", `__metadata__.${metadataKey}`, "a packed model", "none");
  const digest = sha256Hex(text);
  if (metadata.get(digestKey) !== digest)
    throw new DigestError(`__metadata__.${metadataKey}`, metadata.get(digestKey) ?? "one", digest);
  const json = new Field(parseJson(text, { depth: 12, what: metadataKey }), metadataKey);
  const version = json.get("version").integer(1, Number.MAX_SAFE_INTEGER);
  if (version > formatVersion)
    throw new FormatError(
      "metadata-version",
      "version of the format (at most)",
      formatVersion,
      `${version}: written by a newer lowbit`,
    );
  checkDigests(json.get("tensors"), tensors);
  return { version, json, tensors };
}

/**
 * As `readPacked`, without the graph's rules: whoever runs the graph checks those.
 * @param expand is needed where the version is above 1, which has no packings
 */
export function decodePacked({ version, json, tensors }: OpenedFile, expand?: Expand): Packed {
  const provenance = json.get("provenance");
  const parity = json.get("parity");
  return {
    graph: decodeGraph(json.get("graph"), tensors, version > 1 ? expand : undefined),
    ...(provenance.isPresent && { provenance: provenance.object() }),
    ...(parity.isPresent && { parity: parity.object() }),
  };
}

/** Every tensor is listed once and has the bytes that it was written with. */
function checkDigests(list: Field, tensors: ReadonlyMap<string, RawTensor>): void {
  const listed = new Set<string>();
  for (const entry of list.list()) {
    const name = entry.get("name").string();
    const tensor = tensors.get(name);
    if (!tensor) throw new FormatError("tensor-missing", entry.path, "a tensor of the file", name);
    const expected = entry.get("sha256").string();
    const got = sha256Hex(tensor.bytes);
    if (expected !== got) throw new DigestError(`tensor ${name}`, expected, got);
    listed.add(name);
  }
  for (const name of tensors.keys())
    if (!listed.has(name)) throw new FormatError("tensor-missing", "digests", `one for tensor ${name}`, "none");
}
