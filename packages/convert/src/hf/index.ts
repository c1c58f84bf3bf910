/** A folder as Hugging Face has them (`config.json` and safetensors) as a Graph. */
import type { Graph } from "lowbit";
import { Checkpoint, type ReadFile } from "./checkpoint.ts";
import { Config } from "./config.ts";
import { buildDecoder, DECODERS } from "./decoder.ts";
import { buildEncoder, ENCODERS, type Pooling } from "./encoder.ts";

export type { ReadFile } from "./checkpoint.ts";
export type { Pooling } from "./encoder.ts";

export interface HuggingFaceOptions {
  /** The Graph's name; the model's type where it is absent. */
  readonly name?: string;
  /** Of encoders: absent, what the folder's sentence-transformers files say (`1_Pooling/config.json`), else `none`. */
  readonly pooling?: Pooling;
  /** Of encoders, behind a pooling: absent, whether `modules.json` names a Normalize module. */
  readonly normalize?: boolean;
  /** Of encoders: whether `token_type_ids` is an input (pairs of texts). Default false: all are 0. */
  readonly tokenTypes?: boolean;
}

/** The types of models that {@link importHuggingFace} knows, as `config.json` names them. */
export const HUGGING_FACE_MODELS: readonly string[] = [...Object.keys(ENCODERS), ...DECODERS];

/**
 * Reads `config.json` and the weights of a model: encoders of the BERT family, decoders of the Llama family (BitNet b1.58 among them), in F32, F16 or BF16, in one file or in shards.
 * Weights of F32 are views into what `read` gave, which must not change afterwards.
 *
 * @param read gives a file of the model's folder by its name, or undefined: from a disk, a web server or memory
 * @throws ModelFileError where a file is damaged or missing, config and tensors contradict each other, or a part of the model is not supported; FormatError for a damaged
 *   safetensors file
 */
export async function importHuggingFace(read: ReadFile, options: HuggingFaceOptions = {}): Promise<Graph> {
  const file = await read("config.json");
  const config = file ? Config.parse(file) : new Config({}).refuse("file", "config.json", "none in the folder");
  const type = config.string("model_type");
  const name = options.name ?? type;
  const family = Object.hasOwn(ENCODERS, type) ? ENCODERS[type] : undefined;
  if (!family && !DECODERS.has(type)) config.refuse("model_type", HUGGING_FACE_MODELS.join(", "), type);
  const checkpoint = await Checkpoint.read(read);
  if (!family) return buildDecoder(config, checkpoint, { name });
  const { pooling, normalize } = await sentenceTransformer(read);
  return buildEncoder(family, config, checkpoint, {
    name,
    pooling: options.pooling ?? pooling,
    normalize: options.normalize ?? normalize,
    tokenTypes: options.tokenTypes ?? false,
  });
}

/** What the files of sentence-transformers say comes behind the encoder. */
async function sentenceTransformer(read: ReadFile): Promise<{ pooling: Pooling; normalize: boolean }> {
  const file = await read("1_Pooling/config.json");
  if (!file) return { pooling: "none", normalize: false };
  const config = Config.parse(file, "1_Pooling/config.json");
  if (!config.flag("pooling_mode_mean_tokens", false)) {
    const modes = Object.keys(config.fields).filter((key) => config.get(key) === true);
    config.refuse("pooling mode", "mean_tokens", modes.join(", "));
  }
  const modules = await read("modules.json");
  const normalize = modules !== undefined && new TextDecoder().decode(modules).includes("models.Normalize");
  return { pooling: "mean", normalize };
}
