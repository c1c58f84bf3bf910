/** The packed file: a graph with its weights as a safetensors file. docs/format.md describes every byte. */
import { DigestError, FormatError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import { decodeGraph } from "./decode.ts";
import type { Expand } from "./expand.ts";
import { Field } from "./fields.ts";
import { type Json, parseJson } from "./json.ts";
import { type RawTensor, readSafetensors, type Safetensors } from "./safetensors.ts";

/** The newest that this library writes, where a file needs it; it reads this one and all older ones. */
export const formatVersion = 3;

/** Keys of the safetensors file's metadata. */
export const metadataKey = "lowbit";
export const digestKey = "lowbit_digest";

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

/** A file whose digests fit. */
export interface OpenedFile {
  readonly version: number;
  readonly json: Field;
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

/**
 * Takes a file apart and checks its digests: yields what to digest, and is sent the SHA-256 in hexadecimal digits, so that it runs by a digest at once and by an engine's own,
 * which takes promises.
 * @throws FormatError, DigestError
 */
export function* opening(
  bytes: Uint8Array<ArrayBuffer>,
): Generator<Uint8Array<ArrayBuffer> | string, OpenedFile, string> {
  const { metadata, tensors } = readSafetensors(bytes);
  const text = metadata.get(metadataKey);
  if (text === undefined)
    throw new FormatError("metadata-missing", `__metadata__.${metadataKey}`, "a packed model", "none");
  const digest = yield text;
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
  yield* checkingDigests(json.get("tensors"), tensors);
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
function* checkingDigests(
  list: Field,
  tensors: ReadonlyMap<string, RawTensor>,
): Generator<Uint8Array<ArrayBuffer>, void, string> {
  const listed = new Set<string>();
  for (const entry of list.list()) {
    const name = entry.get("name").string();
    const tensor = tensors.get(name);
    if (!tensor) throw new FormatError("tensor-missing", entry.path, "a tensor of the file", name);
    const expected = entry.get("sha256").string();
    const got = yield tensor.bytes;
    if (expected !== got) throw new DigestError(`tensor ${name}`, expected, got);
    listed.add(name);
  }
  for (const name of tensors.keys())
    if (!listed.has(name)) throw new FormatError("tensor-missing", "digests", `one for tensor ${name}`, "none");
}
