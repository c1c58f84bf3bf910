/**
 * Texts to vectors: a sentence encoder and its tokenizer as one object.
 *
 * @example
 * import { Tokenizer } from "@huggingface/tokenizers";
 * import { loadEncoder } from "lowbit/encoder";
 *
 * const tokenizer = new Tokenizer(tokenizerJson, tokenizerConfig);
 * const encoder = await loadEncoder("minilm-int8.safetensors", tokenizer);
 * const [a, b] = await encoder.encode(["A plane is taking off.", "An air plane is taking off."]);
 *
 * @module
 */
import { disposeSymbol } from "./dispose.ts";
import { DisposedError, GraphError, InputError, OutOfRangeError } from "./errors.ts";
import { loadModel } from "./index.ts";
import type { LoadOptions } from "./runtime/load.ts";
import type { Model } from "./runtime/types.ts";
import type { ByteSource } from "./source.ts";
import { sizeOf, Tensor } from "./tensor.ts";

/** What is asked of a tokenizer: token ids with the model's own special tokens, the last of them where a cut text ends, too. `@huggingface/tokenizers` has it. */
export interface TextTokenizer {
  encode(text: string): { readonly ids: readonly number[] };
}

export interface EncoderOptions extends LoadOptions {
  /** Tokens of a text, special ones included, beyond which it is cut. Default 256, at most what the model has positions for. */
  readonly maxTokens?: number | undefined;
  /** Tokens of a batch, padding included. Default 1,024: texts of like length run together, and one long text alone. */
  readonly batchTokens?: number | undefined;
}

export interface Encoder extends Disposable {
  /** Length of a vector. */
  readonly size: number;
  readonly model: Model;
  /**
   * One vector for each text, in the order of the texts: the same whatever other texts come along.
   * @throws DisposedError, InputError where a text has no tokens or is no string
   */
  encode(
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void },
  ): Promise<Float32Array[]>;
  dispose(): void;
}

/**
 * Loads a packed encoder: `input_ids` and `attention_mask` int32 [batch, sequence] to one vector a text, as `importHuggingFace` of `@lowbit/convert` makes it.
 * @throws what `loadModel` throws, GraphError where the model's inputs or output are others
 */
export async function loadEncoder(
  source: ByteSource,
  tokenizer: TextTokenizer,
  options: EncoderOptions = {},
): Promise<Encoder> {
  const model = await loadModel(source, options);
  try {
    return createEncoder(model, tokenizer, options);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * An encoder of a model that is loaded already; takes the model over.
 * @throws GraphError, OutOfRangeError
 */
export function createEncoder(
  model: Model,
  tokenizer: TextTokenizer,
  { maxTokens = 256, batchTokens = 1024 }: Pick<EncoderOptions, "maxTokens" | "batchTokens"> = {},
): Encoder {
  const [output] = model.outputs;
  const size = output?.shape.at(-1);
  const wanted = "input_ids and attention_mask, int32 [batch, sequence]";
  if (
    model.inputs.length !== 2 ||
    !["input_ids", "attention_mask"].every((name) =>
      model.inputs.some((input) => input.name === name && input.dtype === "int32" && input.shape.length === 2),
    )
  )
    throw new GraphError("loadEncoder", "inputs", wanted, model.inputs.map(({ name }) => name).join(", "));
  if (output?.dtype !== "f32" || output.shape.length !== 2 || typeof size !== "number")
    throw new GraphError("loadEncoder", "output", "f32 [batch, size]", output && `${output.dtype} [${output.shape}]`);
  for (const [what, value] of Object.entries({ maxTokens, batchTokens }))
    if (!(Number.isInteger(value) && value >= 2)) throw new OutOfRangeError("loadEncoder", what, "2 or more", value);
  return new TextEncoderModel(model, tokenizer, output.name, size, maxTokens, batchTokens);
}

/** The tokens of one text and its place among the texts. */
interface Tokens {
  readonly at: number;
  readonly ids: readonly number[];
}

class TextEncoderModel implements Encoder {
  #disposed = false;

  constructor(
    readonly model: Model,
    private readonly tokenizer: TextTokenizer,
    private readonly output: string,
    readonly size: number,
    private readonly maxTokens: number,
    private readonly batchTokens: number,
  ) {}

  async encode(
    texts: readonly string[],
    {
      signal,
      onProgress,
    }: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void } = {},
  ): Promise<Float32Array[]> {
    if (this.#disposed) throw new DisposedError("encode", "encoder");
    const vectors = new Array<Float32Array>(texts.length);
    // Texts of like length side by side, so that little is padded.
    const tokens = texts.map((text, at) => this.#tokens(text, at)).sort((a, b) => a.ids.length - b.ids.length);
    for (let from = 0; from < tokens.length; ) {
      signal?.throwIfAborted();
      let to = from + 1;
      while (to < tokens.length && (to + 1 - from) * tokens[to]!.ids.length <= this.batchTokens) to++;
      await this.#run(tokens.slice(from, to), vectors);
      from = to;
      onProgress?.(from, tokens.length);
    }
    return vectors;
  }

  #tokens(text: string, at: number): Tokens {
    if (typeof text !== "string") throw new InputError("encode", `texts[${at}]`, "a string", typeof text);
    const { ids } = this.tokenizer.encode(text);
    if (ids.length === 0) throw new InputError("encode", `tokens of texts[${at}]`, "at least one", 0);
    // The last token of a text closes it.
    return { at, ids: ids.length <= this.maxTokens ? ids : [...ids.slice(0, this.maxTokens - 1), ids.at(-1)!] };
  }

  async #run(batch: readonly Tokens[], vectors: Float32Array[]): Promise<void> {
    const length = batch.at(-1)!.ids.length;
    const shape = [batch.length, length];
    const ids = new Int32Array(sizeOf(shape));
    const mask = new Int32Array(ids.length);
    for (const [row, tokens] of batch.entries()) {
      ids.set(tokens.ids, row * length);
      mask.fill(1, row * length, row * length + tokens.ids.length);
    }
    const feed = { input_ids: new Tensor("int32", shape, ids), attention_mask: new Tensor("int32", shape, mask) };
    const { data } = (await this.model.run(feed))[this.output] as Tensor<"f32">;
    for (const [row, { at }] of batch.entries()) vectors[at] = data.slice(row * this.size, (row + 1) * this.size);
  }

  dispose(): void {
    this.#disposed = true;
    this.model.dispose();
  }

  [disposeSymbol](): void {
    this.dispose();
  }
}
