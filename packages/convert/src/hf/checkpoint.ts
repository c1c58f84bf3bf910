/** The tensors of a checkpoint: one safetensors file, or the shards that an index names. */
import { arrayOf, type PlainConstant, type RawTensor, readSafetensors } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { floats } from "../graph/constants.ts";
import { widen } from "../onnx/minifloat.ts";
import { Config } from "./config.ts";

/** Reads a file of the model's folder by its name (`1_Pooling/config.json`); undefined where there is none. */
export type ReadFile = (name: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** Most shards of a model, and bytes of a name. */
const MOST_SHARDS = 4096;

export class Checkpoint {
  readonly #tensors: Map<string, RawTensor>;
  readonly #read = new Set<string>();

  constructor(tensors: ReadonlyMap<string, RawTensor>) {
    this.#tensors = new Map(tensors);
  }

  /**
   * `model.safetensors`, or all shards of `model.safetensors.index.json`.
   * @throws ModelFileError where neither is there, a shard is missing, lies outside of the folder, or lacks a tensor of the index; FormatError for a damaged file
   */
  static async read(read: ReadFile): Promise<Checkpoint> {
    const single = await read("model.safetensors");
    if (single) return new Checkpoint(readSafetensors(plainView(single)).tensors);
    const op = "model.safetensors.index.json";
    const index = await read(op);
    if (!index)
      throw new ModelFileError("importHuggingFace", "weights", `model.safetensors or ${op}`, "neither in the folder");
    const map = Config.parse(index, op).object("weight_map");
    const entries = Object.entries(map?.fields ?? {});
    const shards = [...new Set(entries.map(([, shard]) => shard))];
    if (shards.length === 0 || shards.length > MOST_SHARDS)
      throw new ModelFileError(op, "shards", `1 to ${MOST_SHARDS}`, shards.length);
    const tensors = new Map<string, RawTensor>();
    for (const shard of shards) {
      // A shard lies beside its index: a path could leave the model's folder.
      if (typeof shard !== "string" || !/^[\w.-]+\.safetensors$/.test(shard) || shard.startsWith("."))
        throw new ModelFileError(op, "shard", "a name that ends in .safetensors, without folders", shard);
      const bytes = await read(shard);
      if (!bytes) throw new ModelFileError(op, "shard", shard, "no such file");
      for (const [name, tensor] of readSafetensors(plainView(bytes)).tensors) {
        if (tensors.has(name)) throw new ModelFileError(shard, "tensor", "a name that no other shard has", name);
        tensors.set(name, tensor);
      }
    }
    for (const [name] of entries) if (!tensors.has(name)) throw new ModelFileError(op, "tensor", name, "in no shard");
    return new Checkpoint(tensors);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /** Those that nobody asked for. */
  unread(): string[] {
    return this.names().filter((name) => !this.#read.has(name));
  }

  raw(name: string): RawTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new ModelFileError("importHuggingFace", "tensor", name, "not in the checkpoint");
    this.#read.add(name);
    return tensor;
  }

  /**
   * A tensor of F32, F16 or BF16 as f32; a view of the file where it is F32.
   * @throws ModelFileError where it is missing, of another type or of another shape
   */
  floats(name: string, shape: readonly number[]): PlainConstant & { readonly data: Float32Array } {
    const tensor = this.raw(name);
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i]))
      throw new ModelFileError(`tensor "${name}"`, "shape (by config.json)", shape, tensor.shape);
    return floats(shape, this.#widened(name, tensor)) as PlainConstant & { readonly data: Float32Array };
  }

  #widened(name: string, { dtype, bytes }: RawTensor): Float32Array {
    if (dtype === "F32") {
      const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
      return new arrayOf.f32(buffer, byteOffset, bytes.length / 4);
    }
    if (dtype !== "F16" && dtype !== "BF16")
      throw new ModelFileError(`tensor "${name}"`, "element type", "F32, F16 or BF16", dtype);
    const { buffer, byteOffset } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
    const halves = new Uint16Array(buffer, byteOffset, bytes.length / 2);
    if (dtype === "F16") return widen(halves, "float16");
    // The upper half of an f32.
    const words = new Uint32Array(halves.length);
    for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
    return new Float32Array(words.buffer);
  }
}

/** Node's Buffer is a Uint8Array too, but its methods differ. */
const plainView = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
