/**
 * Safetensors in several files, as Hugging Face has them: an index (`model.safetensors.index.json`) says which file each tensor is in.
 *
 *   { "metadata": { "total_size": 123 }, "weight_map": { "model.embed_tokens.weight": "model-00001-of-00002.safetensors", ... } }
 */
import { ModelFileError } from "../errors.ts";
import type { Source } from "../source/source.ts";
import { type TensorFile, tensorOf } from "../tensors/file.ts";
import { openSafetensors } from "./file.ts";

/** Far above any model's. */
const MAX_INDEX = 2 ** 26;

/** @throws ModelFileError where the index and the shards do not fit, FileError for a shard that is not there or outside the folder */
export async function openShards(source: Source): Promise<TensorFile> {
  const files = await readIndex(source);
  const shards = new Map<string, TensorFile>();
  const close = async () => {
    await Promise.all([...shards.values(), source].map((file) => file.close()));
  };
  try {
    // One after another: an index may name thousands.
    for (const file of new Set(files.values())) {
      const shard = await source.beside(file);
      shards.set(
        file,
        await openSafetensors(shard).catch(async (error) => {
          await shard.close();
          throw error;
        }),
      );
    }
    const shardOf = (name: string) => shards.get(tensorOf(files, source.name, name))!;
    for (const [name, file] of files)
      if (!shards.get(file)!.tensors.has(name))
        throw new ModelFileError(source.name, `tensor "${name}"`, `in "${file}", as the index says`, "not there");
    // In the order of the shards' bytes, which is how they are best read.
    const listed = [...shards.values()].flatMap((shard) =>
      [...shard.tensors].filter(([name]) => files.get(name) !== undefined && shardOf(name) === shard),
    );
    return {
      format: "safetensors",
      name: source.name,
      size: [...shards.values()].reduce((sum, { size }) => sum + size, source.size),
      metadata: new Map([...shards.values()].flatMap(({ metadata }) => [...metadata])),
      tensors: new Map(listed),
      read: async (name) => shardOf(name).read(name),
      readBytes: async (name) => shardOf(name).readBytes(name),
      beside: (name) => source.beside(name),
      close,
    };
  } catch (error) {
    for (const shard of shards.values()) await shard.close();
    throw error;
  }
}

/** File by tensor. */
async function readIndex(source: Source): Promise<Map<string, string>> {
  if (source.size > MAX_INDEX)
    throw new ModelFileError(source.name, "bytes of an index (at most)", MAX_INDEX, source.size);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await source.read(0, source.size)));
  } catch (cause) {
    throw new ModelFileError(source.name, "index", "JSON", cause instanceof Error ? cause.message : cause, cause);
  }
  const map = (json as { readonly weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map) || Object.keys(map).length === 0)
    throw new ModelFileError(
      source.name,
      "index",
      "a weight_map of tensors and files",
      "none (no index of safetensors?)",
    );
  for (const [name, file] of Object.entries(map))
    if (typeof file !== "string")
      throw new ModelFileError(source.name, `file of tensor "${name}"`, "a name", typeof file);
  return new Map(Object.entries(map as Record<string, string>));
}
