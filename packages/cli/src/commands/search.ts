import { defineCommand } from "citty";
import { fromHalf, Tensor } from "lowbit";
import { loadSearch, need, type Options, open, searching } from "../search/common.ts";
import { ask, text } from "../search/text.ts";
import { readArrays, writeArrays } from "../shared/arrays.ts";
import { JSON_ARGUMENT, numberOption } from "../shared/command.ts";
import { FileError, UsageError } from "../shared/errors.ts";
import { checkOutput, naming, readInput, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { createProgress } from "../shared/progress.ts";

/** The one array of a file, f32 or f16, [n, D]. */
async function readVectors(path: string): Promise<{ shape: readonly number[]; data: Float32Array }> {
  const arrays = [...(await readArrays(path)).values()];
  const [tensor] = arrays;
  if (arrays.length !== 1 || !tensor) throw new FileError(path, `expected one array, got ${arrays.length}`);
  const { dtype, shape, data } = tensor;
  if (shape.length !== 2 || (dtype !== "f32" && dtype !== "f16"))
    throw new FileError(path, `expected f32 or f16 vectors [n, D], got ${dtype} [${shape.join(", ")}]`);
  return { shape, data: dtype === "f32" ? (data as Float32Array) : Float32Array.from(data as Uint16Array, fromHalf) };
}

async function build(options: Options): Promise<void> {
  const output = need(options.output, "build", "-o IDX");
  const spec = need(options.index, "build", "--index SPEC");
  await checkOutput(output, [options.file]);
  const search = await loadSearch();
  search.parseSpec(spec);
  const metric = (options.metric ?? "cosine") as (typeof search.METRICS)[number];
  if (!search.METRICS.includes(metric))
    throw new UsageError(`--metric: expected ${search.METRICS.join(", ")}, got "${metric}"`);
  const seed = numberOption("seed", options.seed, 0, true) ?? 0;
  const efConstruction = numberOption("ef-construction", options["ef-construction"], 1, true);
  const vectors = await readVectors(options.file);
  const progress = createProgress(options.json);
  let running = "";
  const started = performance.now();
  const index = await naming(options.file, () =>
    search.Index.build(vectors, spec, {
      metric,
      seed,
      ...(efConstruction && { efConstruction }),
      onProgress: (stage, done) => {
        if (stage !== running) progress.stage(stage, 1);
        running = stage;
        progress.update(done);
      },
    }),
  );
  progress.end();
  const file = search.saveIndex(index);
  await writeOutput(output, file);
  const { size: count, bytesPerVector } = index;
  const seconds = (performance.now() - started) / 1000;
  if (options.json)
    printJson({
      count,
      dimension: index.dimension,
      spec: index.spec,
      metric,
      bytesPerVector,
      bytes: file.length,
      seconds,
    });
  else
    console.log(
      `${output}: ${count} vectors of ${index.dimension} as ${index.spec}, ${bytesPerVector} bytes each, ${file.length} bytes, ${seconds.toFixed(1)} s`,
    );
}

async function query(options: Options): Promise<void> {
  const from = need(options.queries, "query", "--queries q.npy");
  const output = need(options.output, "query", "-o ids.npy");
  await checkOutput(output, [options.file, from]);
  if (options.scores) await checkOutput(options.scores, [options.file, from, output]);
  const search = await loadSearch();
  const index = await open(search, options.file);
  const queries = await readVectors(from);
  const { k, note, rescored, settings } = searching(search, index, options);
  const count = queries.shape[0]!;
  const started = performance.now();
  const { numbers, scores } = await naming(from, () => index.searchAll(queries, k, settings));
  const msPerQuery = (performance.now() - started) / Math.max(1, count);
  const ids = BigInt64Array.from(numbers, (number) => (number < 0 ? -1n : numericId(index.idOf(number))));
  await writeArrays(output, new Map([["ids", new Tensor("int64", [count, k], ids)]]));
  if (options.scores) await writeArrays(options.scores, new Map([["scores", new Tensor("f32", [count, k], scores)]]));
  if (options.json) printJson({ queries: count, k, rescored, msPerQuery });
  else console.log(`${output}: ${count} queries, k = ${k}${note}, ${msPerQuery.toFixed(3)} ms each`);
}

function numericId(id: number | bigint | string): bigint {
  if (typeof id === "string")
    throw new UsageError(`ids of this index are words such as "${id}"; an .npy holds numbers`);
  return BigInt(id);
}

async function evaluate(options: Options): Promise<void> {
  const from = need(options.queries, "eval", "--queries q.npy");
  const base = need(options.base, "eval", "--base base.npy, the vectors that the index was built from");
  const search = await loadSearch();
  const index = await open(search, options.file);
  const queries = await readVectors(from);
  const { k, note, rescored, settings } = searching(search, index, options);
  const flat = await search.Index.build(await readVectors(base), index.metric === "hamming" ? "Binary" : "Flat", {
    metric: index.metric,
  });
  const shape = [queries.shape[0]!, k];
  const truth = { shape, data: flat.searchAll(queries, k).numbers };
  const started = performance.now();
  const recall = search.recall(index, queries, truth, { k, ...settings });
  const msPerQuery = (performance.now() - started) / Math.max(1, shape[0]!);
  if (options.json)
    printJson({ recall, k, rescored, queries: shape[0], msPerQuery, bytesPerVector: index.bytesPerVector });
  else
    console.log(
      `${index.spec}: recall@${k} ${recall.toFixed(4)} of ${shape[0]} queries${note}, ${msPerQuery.toFixed(3)} ms each, ${index.bytesPerVector} bytes a vector`,
    );
}

async function toFaiss(options: Options): Promise<void> {
  const output = need(options.faiss, "export", "--faiss FILE");
  await checkOutput(output, [options.file]);
  const search = await loadSearch();
  const index = await open(search, options.file);
  // Faiss has no vectors that are there and cannot be found.
  index.compact();
  const file = await naming(options.file, () => search.toFaiss(index));
  await writeOutput(output, file);
  if (options.json) printJson({ count: index.size, spec: index.spec, bytes: file.length });
  else console.log(`${output}: ${index.size} vectors of ${index.dimension} as ${index.spec}, ${file.length} bytes`);
}

async function fromFaiss(options: Options): Promise<void> {
  const from = need(options.faiss ?? options.file, "import", "--faiss FILE");
  const output = need(options.output, "import", "-o IDX");
  await checkOutput(output, [from]);
  const search = await loadSearch();
  const bytes = await readInput(from);
  const index = await naming(from, () => search.fromFaiss(bytes));
  const file = search.saveIndex(index);
  await writeOutput(output, file);
  const { size: count, spec, metric, dimension } = index;
  if (options.json) printJson({ count, dimension, spec, metric, bytes: file.length });
  else console.log(`${output}: ${count} vectors of ${dimension} as ${spec} by ${metric}, ${file.length} bytes`);
}

const ACTIONS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  build,
  query,
  eval: evaluate,
  text,
  ask,
  export: toFaiss,
  import: fromFaiss,
};

export const search = defineCommand({
  meta: {
    name: "search",
    description: "Build an index of vectors or texts, query it, measure its recall, exchange it with Faiss",
  },
  args: {
    action: { type: "positional", required: true, description: Object.keys(ACTIONS).join(", ") },
    file: {
      type: "positional",
      required: false,
      description:
        "build: vectors (.npy, [n, D]); text: documents (.jsonl, or a text a line); import: the Faiss file; else the index",
    },
    words: { type: "positional", required: false, description: "ask: what to look for" },
    encoder: {
      type: "string",
      valueHint: "FOLDER",
      description: "text: model.safetensors, config.json, tokenizer.json of a sentence encoder; ask: where it is now",
    },
    field: { type: "string", valueHint: "NAME", description: "text: what of a document is encoded (text)" },
    faiss: { type: "string", valueHint: "FILE", description: "export: the Faiss file to write; import: to read" },
    output: {
      type: "string",
      alias: "o",
      valueHint: "FILE",
      description: "build, text, import: the index; query: ids.npy, int64, -1 padded",
    },
    index: {
      type: "string",
      valueHint: "SPEC",
      description:
        "build, text (RaBitQ4): e.g. PQ48x8, OPQ48,PQ48x4fs,RFlat, IVF1024,PQ48x4fs, RaBitQ4, Binary,RSQ8, HNSW32,PQ48x8,RFlat",
    },
    metric: { type: "string", valueHint: "ip|cosine|l2|hamming", description: "build (cosine)" },
    queries: { type: "string", valueHint: "q.npy", description: "query, eval: [n, D]" },
    scores: { type: "string", valueHint: "s.npy", description: "query: where to write the scores" },
    base: { type: "string", valueHint: "base.npy", description: "eval: the vectors themselves, for the truth" },
    k: { type: "string", alias: "k", valueHint: "K", description: "query, eval, ask: how many (10)" },
    rescored: { type: "string", valueHint: "N", description: "Candidates scored again (200 of Binary, else 50)" },
    nprobe: { type: "string", valueHint: "N", description: "Lists looked through, of IVF (16)" },
    "ef-search": { type: "string", valueHint: "N", description: "Nodes kept on the way, of HNSW (64)" },
    "ef-construction": { type: "string", valueHint: "N", description: "build: the same while a graph is made (40)" },
    seed: { type: "string", valueHint: "N", description: "build: of every random choice (0)" },
    json: JSON_ARGUMENT,
  },
  async run({ args }) {
    const action = Object.hasOwn(ACTIONS, args.action) ? ACTIONS[args.action] : undefined;
    if (!action)
      throw new UsageError(
        `search ${args.action}: expected ${Object.keys(ACTIONS).join(", ")}; see lowbit search --help`,
      );
    if (args.file === undefined && args.action !== "import")
      throw new UsageError(`search ${args.action}: FILE is missing; see lowbit search --help`);
    await action(args as Options);
  },
});
