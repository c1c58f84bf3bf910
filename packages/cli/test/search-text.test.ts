/** `lowbit search text` and `ask` with an encoder of thirteen words: what is asked for is found, and what is wrong is said. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type RawTensor, writeSafetensors } from "lowbit";
import { Random } from "lowbit/quantize";
import { describe, expect, it } from "vitest";
import { newFolder, written } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const words = ["red", "green", "blue", "cat", "dog", "bird", "runs", "sleeps", "sings"];
const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...words];
const size = 64;

/** A BERT of random weights, as sentence-transformers lays it out. */
function encoderFolder(seed: number): string {
  const folder = join(newFolder(), "encoder");
  mkdirSync(join(folder, "1_Pooling"), { recursive: true });
  const [tensors, random] = [new Map<string, RawTensor>(), new Random(seed)];
  const add = (name: string, ...shape: number[]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform() - 0.5);
    // Words tell more than places, so that texts are told apart.
    if (name.includes("word_embeddings")) for (const i of data.keys()) data[i]! *= 8;
    tensors.set(`bert.${name}`, { dtype: "F32", shape, bytes: new Uint8Array(data.buffer) });
  };
  const both = (name: string, n: number, ...k: number[]) => {
    add(`${name}.weight`, n, ...k);
    add(`${name}.bias`, n);
  };
  add("embeddings.word_embeddings.weight", vocabulary.length, size);
  add("embeddings.position_embeddings.weight", 12, size);
  add("embeddings.token_type_embeddings.weight", 2, size);
  both("embeddings.LayerNorm", size);
  const at = "encoder.layer.0";
  for (const part of ["self.query", "self.key", "self.value", "output.dense"])
    both(`${at}.attention.${part}`, size, size);
  both(`${at}.attention.output.LayerNorm`, size);
  both(`${at}.intermediate.dense`, 2 * size, size);
  both(`${at}.output.dense`, size, 2 * size);
  both(`${at}.output.LayerNorm`, size);
  written(folder, "model.safetensors", writeSafetensors(tensors));
  const json = (name: string, value: object) => written(folder, name, JSON.stringify(value));
  json("config.json", {
    ...{ model_type: "bert", hidden_size: size, num_attention_heads: 2, num_hidden_layers: 1, hidden_act: "gelu" },
    ...{ intermediate_size: 2 * size, vocab_size: vocabulary.length, max_position_embeddings: 12, type_vocab_size: 2 },
    layer_norm_eps: 1e-12,
  });
  json("1_Pooling/config.json", { pooling_mode_mean_tokens: true, pooling_mode_cls_token: false });
  json("modules.json", [{ type: "sentence_transformers.models.Normalize" }]);
  const special = (content: string, id: number) => ({ content, id, special: true, normalized: false });
  const [head, text, tail] = ["[CLS]", "A", "[SEP]"];
  json("tokenizer.json", {
    ...{ version: "1.0", truncation: null, padding: null, normalizer: { type: "BertNormalizer", lowercase: true } },
    added_tokens: vocabulary.slice(0, 4).map(special),
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: head } }, { Sequence: { id: text } }, { SpecialToken: { id: tail } }],
      pair: [],
      special_tokens: {
        [head]: { id: head, ids: [2], tokens: [head] },
        [tail]: { id: tail, ids: [3], tokens: [tail] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      ...{ type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100 },
      vocab: Object.fromEntries(vocabulary.map((word, i) => [word, i])),
    },
  });
  json("tokenizer_config.json", { tokenizer_class: "BertTokenizer", do_lower_case: true });
  return folder;
}

const texts = words
  .slice(0, 3)
  .flatMap((a) => words.slice(3, 6).flatMap((b) => words.slice(6).map((c) => `${a} ${b} ${c}`)));
const lines = (objects: readonly object[]) => objects.map((object) => JSON.stringify(object)).join("\n");
const encoder = encoderFolder(1);
const kept = join(encoder, "model.lowbit.safetensors");
const documents = written(
  newFolder(),
  "docs.jsonl",
  `${lines(texts.map((text, i) => ({ id: `d${i}`, text, lang: "en" })))}\n\n`,
);

interface Answer {
  readonly hits: { readonly id: string | number; readonly score: number; readonly payload: Record<string, unknown> }[];
  readonly rescored: number;
}

describe("search text, ask", () => {
  it("finds a text by its words, and says all that was in its line", async () => {
    const index = join(newFolder(), "x.lowbit");
    const built = await lowbitJson("search", "text", documents, "-o", index, "--encoder", encoder);
    expect(built).toMatchObject({ count: 27, dimension: size, spec: "RaBitQ4" });
    expect(existsSync(kept)).toBe(true);
    for (const i of [0, 13, 26]) {
      const { hits, rescored } = await lowbitJson<Answer>("search", "ask", index, texts[i]!, "-k", "3");
      expect(hits).toHaveLength(3);
      expect(hits[0]).toMatchObject({ id: `d${i}`, payload: { id: `d${i}`, text: texts[i], lang: "en" } });
      expect(hits[0]!.score).toBeGreaterThan(0.97);
      expect(rescored).toBe(0);
    }
    const { stdout, stderr, code } = await lowbit("search", "ask", index, "blue bird sings", "-k", "1");
    expect(stdout).toMatch(/^(0\.9|1\.0)\d+ {2}d26 {2}blue bird sings\n$/);
    expect(stderr).toMatch(/1 of 27; .* ms to encode, .* ms to search/);
    expect(code).toBe(0);
    // Index and encoder may move together; alone, the encoder is asked for.
    const moved = join(newFolder(), "there");
    mkdirSync(moved);
    renameSync(index, join(moved, "x.lowbit"));
    const lost = await lowbit("search", "ask", join(moved, "x.lowbit"), "red cat runs");
    expect(lost.stderr).toMatch(/^lowbit: .*model\.lowbit\.safetensors.*\n$/);
    expect(lost.code).toBe(2);
    const found = await lowbitJson<Answer>("search", "ask", join(moved, "x.lowbit"), texts[5]!, "--encoder", encoder);
    expect(found.hits[0]!.id).toBe("d5");
  });

  it("takes a text a line, another field, and a spec whose scores are taken again", async () => {
    const plain = written(newFolder(), "docs.txt", `${texts.join("\n")}\n`);
    const named = written(newFolder(), "docs.ndjson", lines(texts.map((body, id) => ({ id: 100 + id, body }))));
    for (const [file, first, ...more] of [
      [plain, 0],
      [named, 100, "--field", "body"],
    ] as const) {
      const index = join(newFolder(), "x.lowbit");
      await lowbitJson("search", "text", file, "-o", index, "--encoder", kept, "--index", "Binary,RSQ8", ...more);
      const { hits, rescored } = await lowbitJson<Answer>("search", "ask", index, texts[7]!);
      expect(hits[0]!.id).toBe(first + 7);
      expect(rescored).toBe(200);
      const { stdout, stderr } = await lowbit("search", "ask", index, texts[7]!);
      expect(stdout.split("\n")[0]).toContain(`${first + 7}  ${texts[7]}`);
      expect(stderr).toContain("200 scored again");
    }
  });

  it("makes the packed encoder again when the weights are newer, and not otherwise", async () => {
    const folder = encoderFolder(3);
    const [weights, packed] = [join(folder, "model.safetensors"), join(folder, "model.lowbit.safetensors")];
    const build = () =>
      lowbitJson("search", "text", documents, "-o", join(newFolder(), "x.lowbit"), "--encoder", folder);
    await build();
    const [first, { mtimeMs }] = [readFileSync(packed), statSync(packed)];
    await build();
    expect(statSync(packed).mtimeMs).toBe(mtimeMs);
    utimesSync(weights, new Date(mtimeMs + 5000), new Date(mtimeMs + 5000));
    await build();
    expect(statSync(packed).mtimeMs).not.toBe(mtimeMs);
    expect(readFileSync(packed).equals(first)).toBe(true);
    rmSync(weights);
    await build();
  });

  const bad = (text: string) => written(newFolder(), "bad.jsonl", text);
  it.each([
    ["no encoder", documents, [], /--encoder FOLDER/],
    ["a folder without weights", documents, ["--encoder", newFolder()], /model\.safetensors.*no such file/],
    ["what is no JSON", bad('{"text":"red"}\nred'), ["--encoder", encoder], /line 2: expected a JSON object/],
    ["no text", bad('{"words":"red"}'), ["--encoder", encoder], /line 1: expected a text in "text"/],
    ["an id too few", bad('{"text":"red","id":1}\n{"text":"red"}'), ["--encoder", encoder], /line 2: .*"id"/],
    ["an id too many", bad('{"text":"red"}\n{"text":"red","id":1}'), ["--encoder", encoder], /line 2: .*"id"/],
    ["an id twice", bad('{"text":"red","id":1}\n{"text":"dog","id":1}'), ["--encoder", encoder], /each once/],
    ["nothing in it", bad("\n\n"), ["--encoder", encoder], /no line has a text/],
    ["no UTF-8", written(newFolder(), "bad.txt", Uint8Array.of(0xff, 0xfe)), ["--encoder", encoder], /UTF-8/],
    ["an unknown spec", documents, ["--encoder", encoder, "--index", "PQ7"], /index spec/],
  ])("text with %s: one line, exit code 2, no file", async (_, file, more, message) => {
    const output = join(newFolder(), "x.lowbit");
    const { code, stderr } = await lowbit("search", "text", file, "-o", output, ...more);
    expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(output)).toBe(false);
  });

  it("ask refuses another encoder, an index of vectors alone, and no words", async () => {
    const index = join(newFolder(), "x.lowbit");
    await lowbitJson("search", "text", documents, "-o", index, "--encoder", encoder);
    const other = await lowbit("search", "ask", index, "red", "--encoder", encoderFolder(2));
    expect(other.stderr).toMatch(/expected the encoder that made .*x\.lowbit, SHA-256 [0-9a-f]{64}, got/);
    expect(other.code).toBe(2);
    for (const blank of [[], [" "]]) {
      const none = await lowbit("search", "ask", index, ...blank);
      expect(none.stderr).toMatch(/words/);
      expect(none.code).toBe(2);
    }
  });
});
