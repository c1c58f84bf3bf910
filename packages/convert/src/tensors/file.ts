/** Tensors in a file, one at a time: safetensors (whole or in shards) and GGUF. */
import type { ByteSource, Constant } from "lowbit";
import { looksLikeSafetensors } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { looksLikeGguf } from "../gguf/header.ts";
import { openSource, type Source, type SourceSettings } from "../source/source.ts";

export interface TensorInfo {
  readonly name: string;
  /** The element type as the format calls it: `F32`, `BF16`, `Q4_0` ... */
  readonly type: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  /** Bytes in the file. */
  readonly bytes: number;
  /** What `read` gives: floats, codes and scales, or integers (booleans among them). */
  readonly kind: "floats" | "codes" | "integers";
}

/** The heads of a file; tensors are read when they are asked for. */
export interface TensorFile {
  readonly format: "safetensors" | "gguf";
  readonly name: string;
  /** Bytes of all its files. */
  readonly size: number;
  /** Safetensors: strings. GGUF: see `GgufValue`. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * A tensor as a Graph's constant. F32 and F16 stay what they are; BF16, FP8 and F64 become f32 (F64 rounded); integers the next type of the Graph that holds
   * them; GGUF's blocks become codes and scales that stand for exactly their floats (those of tensors of one axis the floats themselves).
   * @throws ModelFileError for a name that is not there and a type that cannot be read; what reading a source throws
   */
  read(name: string): Promise<Constant>;
  /** Its bytes as they are. @throws as `read` */
  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A file in the same folder, such as `config.json`. @throws as `Source.beside` */
  beside(name: string): Promise<Source>;
  close(): Promise<void>;
}

/**
 * Opens a safetensors file, an index of sharded ones (`model.safetensors.index.json`) or a GGUF file, reading nothing but the heads.
 *
 * @throws ModelFileError for another format and a damaged GGUF file, FormatError for a damaged safetensors file, what opening a source throws
 */
export async function openTensorFile(from: ByteSource | Source, settings: SourceSettings = {}): Promise<TensorFile> {
  const source = isSource(from) ? from : await openSource(from, settings);
  try {
    const format = await tensorFormat(source);
    if (format === "gguf") return await (await import("../gguf/file.ts")).openGguf(source);
    if (format === "safetensors") return await (await import("../safetensors/file.ts")).openSafetensors(source);
    if (format === "index") return await (await import("../safetensors/shards.ts")).openShards(source);
    throw new ModelFileError(source.name, "format", "safetensors, an index of safetensors files, or GGUF", "another");
  } catch (error) {
    await source.close();
    throw error;
  }
}

const isSource = (from: ByteSource | Source): from is Source =>
  typeof from === "object" && "beside" in from && "read" in from;

/** By the first bytes; undefined where they are of no tensor file. */
export async function tensorFormat(source: Source): Promise<"gguf" | "safetensors" | "index" | undefined> {
  const first = await source.read(0, Math.min(16, source.size));
  if (looksLikeGguf(first)) return "gguf";
  if (looksLikeSafetensors(first, source.size)) return "safetensors";
  return first[0] === 0x7b ? "index" : undefined;
}

/** @throws ModelFileError where the file has no such tensor */
export function tensorOf<T>(tensors: ReadonlyMap<string, T>, file: string, name: string): T {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new ModelFileError(file, "tensor", "one of the file", `"${name}"`);
  return tensor;
}
