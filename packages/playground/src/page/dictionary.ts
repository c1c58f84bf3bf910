/** The dictionary itself: an encoder, the definitions, one index that answers and one that is exact. */
import { Tokenizer } from "@huggingface/tokenizers";
import { type Index, loadIndex } from "@lowbit/search";
import { type Encoder, loadEncoder } from "lowbit/encoder";
import { Definitions } from "../definitions.ts";
import { EXACT, FIRST, type FileRef, filesOf, type IndexRef, type Manifest } from "../manifest.ts";
import { Downloads } from "./downloads.ts";
import type { Answer, Figures, Report } from "./protocol.ts";

/** Definitions that are shown, and those that recall counts. */
const SHOWN = 20;
const COUNTED = 10;

/** Sentences held out that are asked between two looks at what the page wants. */
const SLICE = 10;

const sum = (files: readonly FileRef[]): number => files.reduce((bytes, file) => bytes + file.bytes, 0);

export class Dictionary {
  #encoder!: Encoder;
  #definitions!: Definitions;
  #index!: Index;
  /** Answers exactly; the index itself where that is in use. */
  #exact: Index | undefined;
  #heldOut: Float32Array | undefined;

  private constructor(
    readonly manifest: Manifest,
    private readonly downloads: Downloads,
    private readonly report: (report: Report) => void,
  ) {}

  static async open(base: string, report: (report: Report) => void): Promise<Dictionary> {
    const response = await fetch(new URL("site.json", base));
    if (!response.ok) throw new Error(`site.json: ${response.status} ${response.statusText}`);
    const manifest = (await response.json()) as Manifest;
    const { version, count, all, license, heldOut, indexes } = manifest;
    const listed = indexes.map(({ spec, bytesPerVector, recall }) => ({ spec, bytesPerVector, recall }));
    report({ kind: "site", version, count, all, license, heldOut: heldOut.count, first: FIRST, indexes: listed });
    const dictionary = new Dictionary(manifest, new Downloads(base), report);
    await dictionary.#load();
    return dictionary;
  }

  get #wasm() {
    return this.downloads.wasm(this.manifest);
  }

  get spec(): string {
    return this.#index.spec;
  }

  async #load(): Promise<void> {
    const { encoder, tokenizer, tokenizerConfig, definitions } = this.manifest;
    const first = this.#ref(FIRST);
    const add = this.#progress("encoder, definitions and first index", [
      ...[encoder, tokenizer, tokenizerConfig, definitions],
      ...filesOf(first),
    ]);
    const [model, words, config, lines, index] = await Promise.all([
      this.downloads.read(encoder, add),
      this.downloads.json(tokenizer, add),
      this.downloads.json(tokenizerConfig, add),
      this.downloads.gunzip(definitions, add),
      this.downloads.index(first, add),
    ]);
    const wasm = this.#wasm;
    this.#definitions = new Definitions(lines);
    this.#encoder = await loadEncoder(model, new Tokenizer(words, config), { wasm });
    this.#index = await loadIndex(index, { kernels: { wasm } });
    // Weights are unpacked and kernels compiled by the first run: nobody waits for that.
    await this.#encoder.encode(["a first sentence"]);
    this.#ready();
  }

  #ready(): void {
    this.report({ kind: "ready", spec: this.spec, tier: this.#encoder.model.tier });
    this.report(this.#figures());
  }

  #ref(spec: string): IndexRef {
    const found = this.manifest.indexes.find((index) => index.spec === spec);
    if (!found) throw new Error(`no index ${spec}`);
    return found;
  }

  #progress(what: string, files: readonly FileRef[]): (bytes: number) => void {
    const total = sum(files);
    let loaded = 0;
    return (bytes) => {
      loaded += bytes;
      this.report({ kind: "loading", what, loaded, total });
    };
  }

  #figures(): Figures {
    const { spec, bytesPerVector, bytes, state } = this.#index;
    return { kind: "figures", spec, bytesPerVector, codes: bytes, memory: state.instance.memoryBytes };
  }

  async #open(spec: string, what: string): Promise<Index> {
    const ref = this.#ref(spec);
    const file = await this.downloads.index(ref, this.#progress(what, filesOf(ref)));
    return loadIndex(file, { kernels: { wasm: this.#wasm } });
  }

  /** Another index answers from here on. */
  async use(spec: string): Promise<void> {
    if (spec === this.spec) return;
    const next = spec === EXACT && this.#exact ? this.#exact : await this.#open(spec, spec);
    if (this.#index !== this.#exact) this.#index.dispose();
    this.#index = next;
    if (spec === EXACT) this.#exact = next;
    this.#ready();
  }

  /** Loads the index that the others are measured by. */
  async compare(): Promise<void> {
    this.#exact ??= this.spec === EXACT ? this.#index : await this.#open(EXACT, "exact answers, to compare with");
  }

  async ask(id: number, text: string): Promise<Answer> {
    const began = performance.now();
    const [query] = await this.#encoder.encode([text]);
    const encoded = performance.now();
    const hits = this.#index.search(query!, SHOWN);
    const searchMs = performance.now() - encoded;
    const found = hits.map(({ id, score }) => ({ ...this.#definitions.at(Number(id)), number: Number(id), score }));
    const answer = { kind: "answer" as const, id, text, spec: this.spec, found, encodeMs: encoded - began, searchMs };
    if (!this.#exact) return answer;
    const nearest = new Set(this.#exact.search(query!, COUNTED).map(({ id }) => id));
    const right = hits.slice(0, COUNTED).filter(({ id }) => nearest.has(id)).length;
    return { ...answer, recall: right / nearest.size };
  }

  /** Asks the sentences held out, a few at a time; `between` may end it. */
  async measure(between: () => Promise<boolean>): Promise<void> {
    const { vectors, nearest, count } = this.manifest.heldOut;
    this.#heldOut ??= new Float32Array((await this.downloads.read(vectors)).slice().buffer);
    const index = this.#index;
    const [k, size] = [nearest.length / count, index.dimension];
    let [ms, right] = [0, 0];
    for (let i = 0; i < count; i++) {
      if (i % SLICE === 0 && !(await between())) return;
      const query = this.#heldOut.subarray(i * size, (i + 1) * size);
      const began = performance.now();
      const hits = index.search(query, k);
      ms += performance.now() - began;
      const wanted = new Set(nearest.slice(i * k, (i + 1) * k));
      right += hits.filter(({ id }) => wanted.has(Number(id))).length;
    }
    this.report({ ...this.#figures(), msPerQuery: ms / count, recall: right / (k * count) });
  }

  /** Fetches what no one has asked for yet, so that every index is there without a network. */
  async keepAll(): Promise<void> {
    const { encoder, tokenizer, tokenizerConfig, definitions, heldOut, indexes } = this.manifest;
    const every = [encoder, tokenizer, tokenizerConfig, definitions, heldOut.vectors, ...indexes.flatMap(filesOf)];
    const files = [...new Map(every.map((file) => [file.path, file])).values()];
    await this.downloads.prune([...files, ...Object.values(this.manifest.wasm)]);
    const total = sum(files);
    const there = await this.downloads.kept(files);
    let loaded = sum(files.filter(({ path }) => there.has(path)));
    this.report({ kind: "kept", loaded, total });
    for (const file of files.filter(({ path }) => !there.has(path))) {
      await this.downloads.read(file, (bytes) => {
        loaded += bytes;
        if (loaded < total) this.report({ kind: "kept", loaded, total });
      });
    }
    const all = await this.downloads.kept(files);
    if (all.size === files.length) this.report({ kind: "kept", loaded: total, total });
    else throw new Error("this browser keeps no files for this page");
  }
}
