/** Folders as Hugging Face has them, of tiny networks with seeded weights: `config.json`, safetensors, and what sentence-transformers puts beside them. */
import { type RawTensor, writeSafetensors } from "lowbit";
import { RandomData } from "../../../core/src/testing/random-data.ts";
import type { ReadFile } from "../../src/index.ts";

export type Files = Record<string, Uint8Array>;

export const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
export const reader =
  (files: Files): ReadFile =>
  (name) =>
    files[name];

export class Weights {
  readonly tensors = new Map<string, RawTensor>();
  readonly #random = new RandomData(7);

  add(name: string, ...shape: number[]): void {
    const data = this.#random.floats(shape.reduce((a, b) => a * b, 1)).map((v) => v * 0.4);
    this.tensors.set(name, { dtype: "F32", shape, bytes: new Uint8Array(data.buffer as ArrayBuffer) });
  }

  of(name: string): Float32Array {
    const { bytes } = this.tensors.get(name)!;
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  file(names = [...this.tensors.keys()]): Uint8Array {
    return writeSafetensors(new Map(names.map((name) => [name, this.tensors.get(name)!])));
  }
}

export const llama = {
  model_type: "llama",
  hidden_size: 8,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  intermediate_size: 12,
  vocab_size: 17,
  rms_norm_eps: 1e-5,
  rope_theta: 100,
  hidden_act: "silu",
};

export function llamaWeights({ subNorms = false } = {}): Weights {
  const weights = new Weights();
  weights.add("model.embed_tokens.weight", 17, 8);
  for (let i = 0; i < 2; i++) {
    const at = `model.layers.${i}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"]) weights.add(`${at}.${norm}.weight`, 8);
    weights.add(`${at}.self_attn.q_proj.weight`, 8, 8);
    weights.add(`${at}.self_attn.k_proj.weight`, 4, 8);
    weights.add(`${at}.self_attn.v_proj.weight`, 4, 8);
    weights.add(`${at}.self_attn.o_proj.weight`, 8, 8);
    weights.add(`${at}.mlp.gate_proj.weight`, 12, 8);
    weights.add(`${at}.mlp.up_proj.weight`, 12, 8);
    weights.add(`${at}.mlp.down_proj.weight`, 8, 12);
    if (subNorms) weights.add(`${at}.self_attn.attn_sub_norm.weight`, 8);
    if (subNorms) weights.add(`${at}.mlp.ffn_sub_norm.weight`, 12);
  }
  weights.add("model.norm.weight", 8);
  return weights;
}

export const bert = {
  model_type: "bert",
  hidden_size: 8,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  intermediate_size: 16,
  vocab_size: 13,
  max_position_embeddings: 9,
  type_vocab_size: 2,
  hidden_act: "gelu",
  layer_norm_eps: 1e-12,
};

export function bertFiles(): Files {
  const weights = new Weights();
  weights.add("bert.embeddings.word_embeddings.weight", 13, 8);
  weights.add("bert.embeddings.position_embeddings.weight", 9, 8);
  weights.add("bert.embeddings.token_type_embeddings.weight", 2, 8);
  const norm = (name: string) => {
    for (const part of ["weight", "bias"]) weights.add(`${name}.${part}`, 8);
  };
  norm("bert.embeddings.LayerNorm");
  const at = "bert.encoder.layer.0";
  for (const [part, n, k] of [
    ["attention.self.query", 8, 8],
    ["attention.self.key", 8, 8],
    ["attention.self.value", 8, 8],
    ["attention.output.dense", 8, 8],
    ["intermediate.dense", 16, 8],
    ["output.dense", 8, 16],
  ] as const) {
    weights.add(`${at}.${part}.weight`, n, k);
    weights.add(`${at}.${part}.bias`, n);
  }
  norm(`${at}.attention.output.LayerNorm`);
  norm(`${at}.output.LayerNorm`);
  return {
    "config.json": json(bert),
    "model.safetensors": weights.file(),
    "1_Pooling/config.json": json({ pooling_mode_mean_tokens: true, pooling_mode_cls_token: false }),
    "modules.json": json([{ type: "sentence_transformers.models.Normalize" }]),
  };
}

/** A decoder in two shards with their index. */
export function llamaFiles(): Files {
  const weights = llamaWeights();
  const names = [...weights.tensors.keys()];
  const shards = { "a.safetensors": names.slice(0, 9), "b.safetensors": names.slice(9) };
  const map = Object.entries(shards).flatMap(([shard, list]) => list.map((name) => [name, shard]));
  return {
    "config.json": json(llama),
    "model.safetensors.index.json": json({ weight_map: Object.fromEntries(map) }),
    ...Object.fromEntries(Object.entries(shards).map(([shard, list]) => [shard, weights.file(list)])),
  };
}
