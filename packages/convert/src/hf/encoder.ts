/** BERT and what descends from it (Devlin et al. 2018; RoBERTa, Liu et al. 2019; DistilBERT, Sanh et al. 2019): texts to vectors. */
import type { Graph } from "lowbit";
import { floats } from "../graph/constants.ts";
import { TransformerBuilder } from "./builder.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";

/** How a sentence's vector comes of those of its tokens; `none`: all of them are the output. */
export type Pooling = "mean" | "none";

export interface EncoderOptions {
  readonly name: string;
  readonly pooling: Pooling;
  /** Whether the sentence's vector is scaled to length 1. */
  readonly normalize: boolean;
  /** Whether `token_type_ids` is an input; else all of them are 0. */
  readonly tokenTypes: boolean;
}

/** What the fields of `config.json` and the tensors are called. */
interface Family {
  readonly prefixes: readonly string[];
  readonly fields: { readonly [K in "size" | "layers" | "heads" | "inner" | "activation"]: string };
  /** Tensors of layer i. */
  readonly layer: (i: number) => Readonly<Record<"q" | "k" | "v" | "o" | "norm1" | "up" | "down" | "norm2", string>>;
  /** Positions begin at this row of their table. */
  readonly offset: (config: Config) => number;
}

const bertFields = {
  size: "hidden_size",
  layers: "num_hidden_layers",
  heads: "num_attention_heads",
  inner: "intermediate_size",
  activation: "hidden_act",
} as const;

const bert: Family = {
  prefixes: ["", "bert.", "model.", "roberta."],
  fields: bertFields,
  layer: (i) => {
    const at = `encoder.layer.${i}`;
    return {
      q: `${at}.attention.self.query`,
      k: `${at}.attention.self.key`,
      v: `${at}.attention.self.value`,
      o: `${at}.attention.output.dense`,
      norm1: `${at}.attention.output.LayerNorm`,
      up: `${at}.intermediate.dense`,
      down: `${at}.output.dense`,
      norm2: `${at}.output.LayerNorm`,
    };
  },
  offset: () => 0,
};

// The padding's own row, and none for the rows before it.
const roberta: Family = { ...bert, offset: (config) => config.size("pad_token_id", { fallback: 1 }) + 1 };

const distilbert: Family = {
  prefixes: ["", "distilbert."],
  fields: { size: "dim", layers: "n_layers", heads: "n_heads", inner: "hidden_dim", activation: "activation" },
  layer: (i) => {
    const at = `transformer.layer.${i}`;
    return {
      q: `${at}.attention.q_lin`,
      k: `${at}.attention.k_lin`,
      v: `${at}.attention.v_lin`,
      o: `${at}.attention.out_lin`,
      norm1: `${at}.sa_layer_norm`,
      up: `${at}.ffn.lin1`,
      down: `${at}.ffn.lin2`,
      norm2: `${at}.output_layer_norm`,
    };
  },
  offset: () => 0,
};

export const ENCODERS: Readonly<Record<string, Family>> = {
  bert,
  roberta,
  "xlm-roberta": roberta,
  camembert: roberta,
  distilbert,
};

/**
 * Inputs `input_ids`, `attention_mask` (and `token_type_ids`), int32 [batch, sequence]; output `sentence_embedding` [batch, size], or without pooling `last_hidden_state`
 * [batch, sequence, size].
 */
export function buildEncoder(family: Family, config: Config, checkpoint: Checkpoint, options: EncoderOptions): Graph {
  const { fields } = family;
  const size = config.size(fields.size);
  const heads = config.size(fields.heads);
  if (size % heads !== 0) config.refuse(fields.heads, `a divisor of ${size}`, heads);
  const inner = config.size(fields.inner);
  const activation = config.string(fields.activation, "gelu");
  const epsilon = config.real("layer_norm_eps", 1e-12);
  const kind = config.string("position_embedding_type", "absolute");
  if (kind !== "absolute") config.refuse("position_embedding_type", "absolute", kind);

  const words = "embeddings.word_embeddings";
  const prefix = family.prefixes.find((start) => checkpoint.has(`${start}${words}.weight`)) ?? "";
  const name = (part: string) => `${prefix}${part}`;
  const builder = new TransformerBuilder(options.name, checkpoint);
  const ids = builder.tokens("input_ids");
  const mask = builder.tokens("attention_mask");
  const vocabulary = config.size("vocab_size", { most: "vocabulary" });
  let x = builder.embedding(name(words), ids, vocabulary, size);
  x = addEmbeddings(builder, config, x, { size, name, offset: family.offset(config), tokenTypes: options.tokenTypes });
  const norm = (part: string, value: string) => builder.layerNorm(name(part), value, size, epsilon);
  x = norm("embeddings.LayerNorm", x);
  const layers = config.size(fields.layers, { most: "layers" });
  for (let i = 0; i < layers; i++) {
    const part = family.layer(i);
    const project = (to: string, from: string, n: number, k: number) => builder.dense(name(to), from, n, k);
    const [q, k, v] = [part.q, part.k, part.v].map((to) => project(to, x, size, size)) as [string, string, string];
    const attended = builder.attention(name(`${part.o}/attention`), [q, k, v], mask, { heads, depth: size / heads });
    x = norm(part.norm1, builder.add(name(`${part.o}/add`), project(part.o, attended, size, size), x));
    const up = activate(
      builder,
      config,
      fields.activation,
      name(`${part.up}/${activation}`),
      project(part.up, x, inner, size),
    );
    x = norm(part.norm2, builder.add(name(`${part.down}/add`), project(part.down, up, size, inner), x));
  }
  return finish(builder, x, mask, size, options);
}

/** A layer's activation by its name in `config.json`. */
function activate(builder: TransformerBuilder, config: Config, field: string, name: string, x: string): string {
  const activation = config.string(field, "gelu");
  switch (activation) {
    case "gelu":
      return builder.gelu(name, x, "none");
    case "gelu_new":
    case "gelu_pytorch_tanh":
      return builder.gelu(name, x, "tanh");
    case "relu":
      return builder.relu(name, x);
    case "silu":
    case "swish":
      return builder.silu(name, x);
    default:
      return config.refuse(field, "gelu, gelu_new, gelu_pytorch_tanh, relu or silu", activation);
  }
}

/** Positions, and types of tokens. Where all types are 0, their one row is a part of every position's. */
function addEmbeddings(
  builder: TransformerBuilder,
  config: Config,
  x: string,
  part: { size: number; name: (part: string) => string; offset: number; tokenTypes: boolean },
): string {
  const { checkpoint } = builder;
  const { size, name, offset, tokenTypes } = part;
  const limit = config.size("max_position_embeddings");
  const positions = checkpoint.floats(name("embeddings.position_embeddings.weight"), [limit, size]);
  const types = name("embeddings.token_type_embeddings");
  const add = (value: string, table: typeof positions) =>
    builder.addPositions(name("embeddings.position_embeddings"), value, table, offset);
  if (!checkpoint.has(`${types}.weight`)) {
    if (tokenTypes) config.refuse("type_vocab_size", "embeddings of token types", "none in the checkpoint");
    return add(x, positions);
  }
  const count = config.size("type_vocab_size");
  if (tokenTypes) {
    const typed = builder.embedding(types, builder.tokens("token_type_ids"), count, size);
    return add(builder.add(name("embeddings/add"), x, typed), positions);
  }
  const [row] = [checkpoint.floats(`${types}.weight`, [count, size]).data];
  const both = new Float32Array(positions.data.length);
  for (let i = 0; i < both.length; i++) both[i] = positions.data[i]! + row[i % size]!;
  return add(x, floats(positions.shape, both) as typeof positions);
}

function finish(builder: TransformerBuilder, x: string, mask: string, size: number, options: EncoderOptions): Graph {
  const { pooling, normalize } = options;
  if (pooling === "none") return builder.finish(x, "last_hidden_state");
  const pooled = builder.maskedMean("pooling", x, mask);
  return builder.finish(normalize ? builder.unitLength("normalize", pooled, size) : pooled, "sentence_embedding");
}
