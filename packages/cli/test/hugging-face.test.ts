/** Weights with a `config.json` beside them are a network, wherever one is asked for. */

import { join } from "node:path";
import { type RawTensor, writeSafetensors } from "lowbit";
import { expect, it } from "vitest";
import { newFolder, written } from "./files.ts";
import { lowbitJson } from "./lowbit.ts";

const folder = newFolder();
const config = {
  ...{ model_type: "llama", hidden_size: 8, num_attention_heads: 4, num_key_value_heads: 2, num_hidden_layers: 1 },
  ...{ intermediate_size: 12, vocab_size: 17, rms_norm_eps: 1e-5, rope_theta: 100, hidden_act: "silu" },
};

function llama(): Uint8Array {
  const tensors = new Map<string, RawTensor>();
  const add = (name: string, ...shape: number[]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37) % 19) / 19 - 0.4);
    tensors.set(`${name}.weight`, { dtype: "F32", shape, bytes: new Uint8Array(data.buffer) });
  };
  add("model.embed_tokens", 17, 8);
  add("model.norm", 8);
  const layer = "model.layers.0";
  for (const norm of ["input_layernorm", "post_attention_layernorm"]) add(`${layer}.${norm}`, 8);
  for (const [name, n] of [
    ["q", 8],
    ["k", 4],
    ["v", 4],
    ["o", 8],
  ] as const)
    add(`${layer}.self_attn.${name}_proj`, n, 8);
  add(`${layer}.mlp.gate_proj`, 12, 8);
  add(`${layer}.mlp.up_proj`, 12, 8);
  add(`${layer}.mlp.down_proj`, 8, 12);
  return writeSafetensors(tensors);
}

written(folder, "config.json", JSON.stringify(config));
const weights = written(folder, "model.safetensors", llama());

it("is quantized as a network, exported, and answers as before", async () => {
  const [packed, onnx] = [join(folder, "int8.safetensors"), join(folder, "int8.onnx")];
  const schemes = ["--weights", "int8", "--activations", "int8:dynamic"];
  const { layers } = await lowbitJson<{ layers: { op: string }[] }>("quantize", weights, "-o", packed, ...schemes);
  expect(new Set(layers.map(({ op }) => op))).toContain("dense");
  const { operators } = await lowbitJson<{ operators: Record<string, number> }>("inspect", packed);
  expect(operators).toMatchObject({ embedding: 1, attention: 1 });
  const compare = (model: string, against: string) =>
    lowbitJson<{ outputs: { sqnr: number }[] }>("eval", model, "--against", against, "--samples", "2");
  expect((await compare(packed, weights)).outputs[0]!.sqnr).toBeGreaterThan(20);
  await lowbitJson("export", weights, "-o", onnx);
  const { tensors } = await lowbitJson<{ tensors: unknown[] }>("export", packed, "-o", join(folder, "codes.onnx"));
  expect(tensors.length).toBeGreaterThan(8);
});
