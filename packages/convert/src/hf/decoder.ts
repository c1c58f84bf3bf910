/** Llama and what descends from it (Touvron et al. 2023; Mistral; Qwen2; BitNet b1.58, Ma et al. 2024): tokens to the logits of the next ones. */
import type { Graph } from "lowbit";
import { TransformerBuilder } from "./builder.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import { ternaryOf } from "./ternary.ts";

export const DECODERS: ReadonlySet<string> = new Set(["llama", "mistral", "qwen2", "bitnet"]);

/** Input `input_ids` int32 [batch, sequence]; output `logits` [batch, sequence, vocabulary], of the token behind each position. */
export function buildDecoder(config: Config, checkpoint: Checkpoint, options: { readonly name: string }): Graph {
  const size = config.size("hidden_size");
  const heads = config.size("num_attention_heads");
  const kvHeads = config.size("num_key_value_heads", { fallback: heads });
  if (heads % kvHeads !== 0) config.refuse("num_key_value_heads", `a divisor of ${heads}`, kvHeads);
  const depth = config.size("head_dim", { fallback: size / heads });
  if (depth % 2 !== 0) config.refuse("head_dim", "an even size", depth);
  const inner = config.size("intermediate_size");
  const vocabulary = config.size("vocab_size", { most: "vocabulary" });
  const epsilon = config.real("rms_norm_eps", 1e-6);
  const theta = thetaOf(config);
  const activation = config.string("hidden_act", "silu");
  refuseWindows(config);

  const prefix = checkpoint.has("model.embed_tokens.weight") ? "model." : "";
  const builder = new TransformerBuilder(options.name, checkpoint);
  const project = projection(builder, config);
  let x = builder.embedding(`${prefix}embed_tokens`, builder.tokens("input_ids"), vocabulary, size);
  const layers = config.size("num_hidden_layers", { most: "layers" });
  for (let i = 0; i < layers; i++) {
    const at = `${prefix}layers.${i}`;
    const norm = (part: string, value: string, width = size) => builder.rmsNorm(`${at}.${part}`, value, width, epsilon);
    // BitNet normalizes once more in front of the last projection of each block.
    const subNorm = (part: string, value: string, width: number) =>
      checkpoint.has(`${at}.${part}.weight`) ? norm(part, value, width) : value;

    const attention = `${at}.self_attn`;
    const given = norm("input_layernorm", x);
    const [q, k] = [
      ["q_proj", heads],
      ["k_proj", kvHeads],
    ].map(([part, count]) => {
      const projected = project(`${attention}.${part}`, given, (count as number) * depth, size);
      return builder.rotary(`${attention}.${part}/rotary`, projected, count as number, theta);
    }) as [string, string];
    const v = project(`${attention}.v_proj`, given, kvHeads * depth, size);
    const attended = builder.attention(attention, [q, k, v], undefined, { heads, kvHeads, depth, causal: true });
    const normed = subNorm("self_attn.attn_sub_norm", attended, heads * depth);
    x = builder.add(`${at}/attention`, x, project(`${attention}.o_proj`, normed, size, heads * depth));

    const fed = norm("post_attention_layernorm", x);
    const gate = gated(builder, config, activation, `${at}.mlp`, project(`${at}.mlp.gate_proj`, fed, inner, size));
    const product = builder.mul(`${at}.mlp/product`, gate, project(`${at}.mlp.up_proj`, fed, inner, size));
    const down = project(`${at}.mlp.down_proj`, subNorm("mlp.ffn_sub_norm", product, inner), size, inner);
    x = builder.add(`${at}/mlp`, x, down);
  }
  x = builder.rmsNorm(`${prefix}norm`, x, size, epsilon);
  // Where the checkpoint has no head of its own, the embeddings are.
  const head = checkpoint.has("lm_head.weight") ? "lm_head" : `${prefix}embed_tokens`;
  const logits = builder.denseOf("lm_head", x, checkpoint.floats(`${head}.weight`, [vocabulary, size]));
  return builder.finish(logits, "logits");
}

/** The gate's activation: SiLU makes the block a SwiGLU (Shazeer 2020), BitNet squares a ReLU. */
function gated(builder: TransformerBuilder, config: Config, activation: string, name: string, x: string): string {
  switch (activation) {
    case "silu":
      return builder.silu(`${name}/silu`, x);
    case "gelu_pytorch_tanh":
      return builder.gelu(`${name}/gelu`, x, "tanh");
    case "relu2": {
      const relu = builder.relu(`${name}/relu`, x);
      return builder.mul(`${name}/square`, relu, relu);
    }
    default:
      return config.refuse("hidden_act", "silu, gelu_pytorch_tanh or relu2", activation);
  }
}

/** Newer files keep theta among `rope_parameters`. Scaled frequencies are not done. */
function thetaOf(config: Config): number {
  const parameters = config.object("rope_parameters") ?? config.object("rope_scaling");
  const type = parameters?.get("rope_type") ?? parameters?.get("type") ?? "default";
  if (type !== "default") config.refuse("rope_scaling", "none", type);
  return parameters?.get("rope_theta") === undefined
    ? config.real("rope_theta", 10_000)
    : parameters.real("rope_theta");
}

/** Every query sees all keys before it: a window as long as the longest text is the same, a shorter one is not done. */
function refuseWindows(config: Config): void {
  const window = config.get("sliding_window");
  if (window === undefined || config.get("use_sliding_window") === false) return;
  const limit = config.size("max_position_embeddings", { fallback: 2048 });
  if (typeof window !== "number" || window < limit)
    config.refuse("sliding_window", `none, or ${limit} and more`, window);
}

type Projection = (name: string, x: string, n: number, k: number) => string;

/** The layers between the norms: of floats, or (BitNet) of ternary weights by activations that are quantized token by token. */
function projection(builder: TransformerBuilder, config: Config): Projection {
  const quantization = config.object("quantization_config");
  const method = quantization?.string("quant_method", "none");
  if (method === undefined && config.string("model_type") !== "bitnet")
    return (name, x, n, k) => builder.dense(name, x, n, k);
  if (method !== undefined && method !== "bitnet") config.refuse("quantization_config", "quant_method bitnet", method);
  // Its older class divides by the scale that it stores, the newer one multiplies.
  const divides = (quantization?.string("linear_class", "bitlinear") ?? "autobitlinear") === "bitlinear";
  return (name, x, n, k) =>
    builder.denseOf(name, x, ternaryOf(builder.checkpoint, name, n, k, divides), undefined, "int8");
}
