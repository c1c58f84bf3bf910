/** The sentence encoder of a folder as it comes from Hugging Face: quantized once, and kept there. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { type Encoder, loadEncoder } from "lowbit/encoder";
import { FileError, fileError } from "../shared/errors.ts";
import { naming, readInput, writeOutput } from "../shared/files.ts";
import { openGraph } from "../shared/model.ts";
import type { Progress } from "../shared/progress.ts";

/** What a folder's weights become: int8, activations by token, a quarter of the bytes. */
const KEPT = "model.lowbit.safetensors";

export interface OpenedEncoder {
  readonly encoder: Encoder;
  /** The packed file. */
  readonly path: string;
  /** Of that file: vectors of another encoder mean something else. */
  readonly sha256: string;
}

/**
 * @param path a folder with `model.safetensors`, `config.json`, `tokenizer.json` and `tokenizer_config.json`, or a packed encoder with the latter two beside it
 * @throws FileError for what is missing or is no encoder
 */
export async function openEncoder(path: string, progress: Progress): Promise<OpenedEncoder> {
  const isFolder = (await stat(path).catch((error) => Promise.reject(fileError(path, error)))).isDirectory();
  const packed = isFolder ? await packedIn(path, progress) : path;
  const bytes = await readInput(packed);
  const tokenizer = await tokenizerBeside(packed);
  const encoder = await naming(packed, () => loadEncoder(bytes as Uint8Array<ArrayBuffer>, tokenizer));
  return { encoder, path: packed, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The packed encoder of a folder, which is made where there is none or the weights are newer. */
async function packedIn(folder: string, progress: Progress): Promise<string> {
  const [source, kept] = [join(folder, "model.safetensors"), join(folder, KEPT)];
  const changed = async (file: string) => (await stat(file).catch(() => undefined))?.mtimeMs;
  const [before, after] = [await changed(source), await changed(kept)];
  if (after !== undefined && (before === undefined || before <= after)) return kept;
  const { quantizeModel, writeModel } = await import("@lowbit/convert");
  const { graph, format } = await openGraph(source);
  if (format !== "huggingface")
    throw new FileError(source, "expected a network's weights, with its config.json beside");
  progress.stage("quantizing the encoder to int8", 1);
  const result = await naming(source, () => quantizeModel(graph, { weights: "int8", activations: "int8:dynamic" }));
  await writeOutput(kept, writeModel(result.graph));
  progress.end();
  return kept;
}

async function tokenizerBeside(model: string): Promise<Tokenizer> {
  const read = async (name: string): Promise<object> => {
    const path = join(dirname(model), name);
    const bytes = await readInput(path);
    return naming(path, () => JSON.parse(new TextDecoder().decode(bytes)));
  };
  const [tokenizer, config] = [await read("tokenizer.json"), await read("tokenizer_config.json")];
  return naming(join(dirname(model), "tokenizer.json"), () => new Tokenizer(tokenizer, config));
}
