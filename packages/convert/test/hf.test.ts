/** Hugging Face folders: tiny networks of random weights, against plain evaluations of their papers' formulas. */
import { createModel, type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import { importHuggingFace, ModelFileError, quantizeModel, readModel, writeModel } from "../src/index.ts";
import { bertFiles, type Files, json, llama, llamaFiles, llamaWeights, reader, Weights } from "./support/hf-folders.ts";

/** A decoder as transformers' modelling files write it, in f64, token by token. `linear` multiplies a row by a layer. */
function decode(
  weights: Weights,
  ids: readonly number[],
  act: (x: number) => number,
  linear: (row: number[], name: string) => number[],
): number[][] {
  const norm = (row: number[], name: string) => {
    const scale = weights.of(`${name}.weight`);
    const mean = row.reduce((sum, v) => sum + v * v, 0) / row.length;
    return row.map((v, i) => (v / Math.sqrt(mean + 1e-5)) * scale[i]!);
  };
  const maybe = (row: number[], name: string) => (weights.tensors.has(`${name}.weight`) ? norm(row, name) : row);
  const turned = (row: number[], s: number) =>
    // Heads of two elements have one pair, of angle s.
    row.map((v, i) => {
      const other = i % 2 === 0 ? -row[i + 1]! : row[i - 1]!;
      return v * Math.cos(s) + other * Math.sin(s);
    });
  let rows = ids.map((id) => Array.from(weights.of("model.embed_tokens.weight").subarray(id * 8, id * 8 + 8)));
  for (let i = 0; i < 2; i++) {
    const at = `model.layers.${i}`;
    const given = rows.map((row) => norm(row, `${at}.input_layernorm`));
    const q = given.map((row, s) => turned(linear(row, `${at}.self_attn.q_proj`), s));
    const k = given.map((row, s) => turned(linear(row, `${at}.self_attn.k_proj`), s));
    const v = given.map((row) => linear(row, `${at}.self_attn.v_proj`));
    rows = rows.map((row, s) => {
      const attended = new Array<number>(8).fill(0);
      for (let h = 0; h < 4; h++) {
        const kv = Math.floor(h / 2);
        const scores = k
          .slice(0, s + 1)
          .map((key) => (q[s]![2 * h]! * key[2 * kv]! + q[s]![2 * h + 1]! * key[2 * kv + 1]!) / Math.SQRT2);
        const exps = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = exps.reduce((a, b) => a + b, 0);
        for (const c of [0, 1])
          attended[2 * h + c] = exps.reduce((sum, e, t) => sum + (e / total) * v[t]![2 * kv + c]!, 0);
      }
      const out = linear(maybe(attended, `${at}.self_attn.attn_sub_norm`), `${at}.self_attn.o_proj`);
      return row.map((value, c) => value + out[c]!);
    });
    rows = rows.map((row) => {
      const fed = norm(row, `${at}.post_attention_layernorm`);
      const [gate, up] = [linear(fed, `${at}.mlp.gate_proj`), linear(fed, `${at}.mlp.up_proj`)];
      const product = gate.map((value, c) => act(value) * up[c]!);
      const down = linear(maybe(product, `${at}.mlp.ffn_sub_norm`), `${at}.mlp.down_proj`);
      return row.map((value, c) => value + down[c]!);
    });
  }
  const table = weights.of("model.embed_tokens.weight");
  return rows.map((row) => {
    const last = norm(row, "model.norm");
    return Array.from({ length: 17 }, (_, n) => last.reduce((sum, v, c) => sum + v * table[n * 8 + c]!, 0));
  });
}

const product = (row: readonly number[], weight: ArrayLike<number>): number[] =>
  Array.from({ length: weight.length / row.length }, (_, n) =>
    row.reduce((sum, v, i) => sum + v * weight[n * row.length + i]!, 0),
  );

const ids = [3, 16, 0, 7, 7];
const tokens = () => ({ input_ids: new Tensor("int32", [1, ids.length], Int32Array.from(ids)) });

async function logitsOf(graph: Graph): Promise<Float32Array> {
  using model = await createModel(graph);
  return (await model.run(tokens())).logits!.data as Float32Array;
}

function expectClose(got: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(tolerance);
}

describe("decoders", () => {
  test("Llama: shared keys, rotary positions, SwiGLU, tied embeddings, in shards", async () => {
    const weights = llamaWeights();
    const files = llamaFiles();
    const silu = (x: number) => x / (1 + Math.exp(-x));
    const wanted = decode(weights, ids, silu, (row, name) => product(row, weights.of(`${name}.weight`)));
    expectClose(await logitsOf(await importHuggingFace(reader(files))), wanted.flat(), 1e-4);

    const refused = (change: Files) => importHuggingFace(reader({ ...files, ...change }));
    const index = (entries: object) => ({ "model.safetensors.index.json": json({ weight_map: entries }) });
    await expect(refused(index({ "model.norm.weight": "../b.safetensors" }))).rejects.toThrow(/without folders/);
    await expect(refused(index({ "model.norm.weight": "c.safetensors" }))).rejects.toThrow(/no such file/);
    await expect(refused(index({ absent: "a.safetensors" }))).rejects.toThrow(/absent/);
    const scaled = { ...llama, rope_scaling: { rope_type: "llama3", factor: 8 } };
    await expect(refused({ "config.json": json(scaled) })).rejects.toThrow(/rope_scaling/);
    await expect(refused({ "config.json": json({ ...llama, model_type: "t5" }) })).rejects.toThrow(ModelFileError);
    await expect(refused({ "config.json": json({ ...llama, hidden_size: 16 }) })).rejects.toThrow(/shape/);
    await expect(refused({ "config.json": json({ ...llama, num_hidden_layers: 1e9 }) })).rejects.toThrow(/num_hidden/);
    await expect(refused({ "config.json": new Uint8Array([0xff]) })).rejects.toThrow(/JSON/);
  });

  test("BitNet b1.58: absmean weights and int8 activations per token, from floats and from packed codes", async () => {
    const weights = llamaWeights({ subNorms: true });
    const config = { ...llama, model_type: "bitnet", hidden_act: "relu2" };
    const files: Files = { "config.json": json(config), "model.safetensors": weights.file() };
    const graph = await importHuggingFace(reader(files));
    const ternary = (name: string) => {
      const values = weights.of(`${name}.weight`);
      const scale = values.reduce((sum, v) => sum + Math.abs(v), 0) / values.length;
      return { scale, codes: Array.from(values, (v) => Math.max(-1, Math.min(1, Math.round(v / scale)))) };
    };
    const wanted = decode(
      weights,
      ids,
      (x) => Math.max(0, x) ** 2,
      (row, name) => {
        const { scale, codes } = ternary(name);
        const largest = Math.max(...row.map(Math.abs));
        const quantized = row.map((v) => Math.round((v * 127) / largest));
        return product(quantized, codes).map((sum) => (sum * scale * largest) / 127);
      },
    );
    const got = await logitsOf(graph);
    expectClose(got, wanted.flat(), 0.05);

    const packed = new Weights();
    for (const [name, tensor] of weights.tensors) {
      const layer = name.replace(/\.weight$/, "");
      if (!/_proj$/.test(layer)) {
        packed.tensors.set(name, tensor);
        continue;
      }
      const [n, k] = tensor.shape as [number, number];
      const { scale, codes } = ternary(layer);
      const bytes = new Uint8Array((n / 4) * k);
      codes.forEach((code, i) => {
        const [row, column] = [Math.floor(i / k), i % k];
        bytes[(row % (n / 4)) * k + column]! |= (code + 1) << (2 * Math.floor(row / (n / 4)));
      });
      packed.tensors.set(name, { dtype: "U8", shape: [n / 4, k], bytes });
      const inverse = Float32Array.of(1 / scale);
      packed.tensors.set(`${layer}.weight_scale`, { dtype: "F32", shape: [1], bytes: new Uint8Array(inverse.buffer) });
    }
    const quantization_config = { quant_method: "bitnet", linear_class: "bitlinear" };
    const stored: Files = {
      "config.json": json({ ...config, quantization_config }),
      "model.safetensors": packed.file(),
    };
    expectClose(await logitsOf(await importHuggingFace(reader(stored))), Array.from(got), 1e-4);
  });
});

describe("encoders", () => {
  const feed = () => ({
    input_ids: new Tensor("int32", [2, 4], Int32Array.of(1, 5, 2, 0, 1, 7, 12, 2)),
    attention_mask: new Tensor("int32", [2, 4], Int32Array.of(1, 1, 1, 0, 1, 1, 1, 1)),
  });

  test("BERT with what sentence-transformers puts behind it equals the interpreter; padding changes nothing", async () => {
    const graph = await importHuggingFace(reader(bertFiles()));
    expect(graph.outputs).toEqual(["sentence_embedding"]);
    using model = await createModel(graph);
    const { data } = (await model.run(feed())).sentence_embedding! as Tensor<"f32">;
    const wanted = runReference(graph, feed()).sentence_embedding!.data as Float32Array;
    expectClose(data, Array.from(wanted), 1e-5);
    expect(data.subarray(0, 8).reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 5);
    const short = {
      input_ids: new Tensor("int32", [1, 3], Int32Array.of(1, 5, 2)),
      attention_mask: new Tensor("int32", [1, 3], Int32Array.of(1, 1, 1)),
    };
    const alone = (await model.run(short)).sentence_embedding!.data as Float32Array;
    expectClose(alone, Array.from(data.subarray(0, 8)), 1e-6);
  });

  test("token types, every token's vector", async () => {
    const read = reader(bertFiles());
    const cls = { ...bertFiles(), "1_Pooling/config.json": json({ pooling_mode_cls_token: true }) };
    const all = await importHuggingFace(read, { pooling: "none" });
    using every = await createModel(all);
    const b = await every.run(feed());
    const hidden = b.last_hidden_state as Tensor<"f32">;
    expect(hidden.shape).toEqual([2, 4, 8]);
    await expect(importHuggingFace(reader(cls))).rejects.toThrow(/pooling mode, expected mean_tokens/);
    const typed = await importHuggingFace(read, { pooling: "none", tokenTypes: true });
    using pairs = await createModel(typed);
    const types = new Tensor("int32", [2, 4], new Int32Array(8));
    const zeros = (await pairs.run({ ...feed(), token_type_ids: types })).last_hidden_state!.data as Float32Array;
    expectClose(zeros, Array.from(hidden.data), 1e-5);
  });

  test("int8 with rows quantized as they come: tables and layers in codes, written and read, close to float", async () => {
    const graph = await importHuggingFace(reader(bertFiles()));
    const { graph: coded, layers } = await quantizeModel(graph, { weights: "int8", activations: "int8:dynamic" });
    expect(layers.map(({ scheme }) => scheme)).toEqual(layers.map(() => "int8"));
    expect(layers).toHaveLength(8);
    const dense = coded.nodes.filter(({ op }) => op === "dense");
    expect(dense.every(({ attributes }) => "activations" in attributes)).toBe(true);
    using model = await createModel(readModel(writeModel(coded)).graph);
    using float = await createModel(graph);
    const [a, b] = [await model.run(feed()), await float.run(feed())];
    expectClose(
      a.sentence_embedding!.data as Float32Array,
      Array.from(b.sentence_embedding!.data as Float32Array),
      0.05,
    );
  });
});
