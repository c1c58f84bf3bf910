/** A model file of any supported format, as a Graph and as something that runs. */

import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { ModelFormat, Source } from "@lowbit/convert";
import type { Graph, Model, Provenance, Tensor, Tier } from "lowbit";
import { FileError } from "./errors.ts";
import { naming, readInput } from "./files.ts";
import { fitSamples } from "./samples.ts";

export interface OpenedGraph {
  readonly path: string;
  /** `tensors`: a safetensors file without a network. */
  readonly format: ModelFormat | "huggingface";
  readonly bytes: Uint8Array;
  /** With all passes run where the source was a foreign network; of tensors, constants alone. */
  readonly graph: Graph;
  /** Of a packed file: where it comes from. */
  readonly provenance?: Provenance;
}

export interface OpenOptions {
  /** Told what each pass did. */
  readonly explain?: (pass: string, changes: readonly string[]) => void;
}

/** Name of a model after its file: `nets/a.onnx` -> `a`. */
export const modelName = (path: string): string => basename(path, extname(path));

/** Reads a model; every error names the file. */
export async function openGraph(path: string, options: OpenOptions = {}): Promise<OpenedGraph> {
  const bytes = await readInput(path);
  return (await openHuggingFace(path, bytes)) ?? parseGraph(path, bytes, options);
}

const INDEX = "model.safetensors.index.json";

/** The `config.json` beside weights, where it says which network they are of. */
export async function networkConfig(path: string): Promise<Uint8Array | undefined> {
  const { HUGGING_FACE_MODELS } = await import("@lowbit/convert");
  const config = await readFile(join(dirname(path), "config.json")).catch(() => undefined);
  const isKnown = basename(path) === INDEX || HUGGING_FACE_MODELS.some((type) => config?.includes(`"${type}"`));
  return isKnown ? config : undefined;
}

/** Weights with a `config.json` beside them that says which network they are of; undefined for everything else. */
async function openHuggingFace(path: string, bytes: Uint8Array): Promise<OpenedGraph | undefined> {
  const { looksLikeSafetensors } = await import("lowbit");
  const { importHuggingFace, isPacked } = await import("@lowbit/convert");
  const isIndex = basename(path) === INDEX;
  if (!isIndex && (!looksLikeSafetensors(bytes) || (await naming(path, () => isPacked(bytes))))) return undefined;
  const config = await networkConfig(path);
  if (!config) return undefined;
  const beside = (name: string) => readFile(join(dirname(path), name)).catch(() => undefined);
  const read = (name: string) =>
    name === "config.json" ? config : name === "model.safetensors" ? (isIndex ? undefined : bytes) : beside(name);
  const graph = await naming(path, () => importHuggingFace(read, { name: modelName(path) }));
  return { path, format: "huggingface", bytes, graph };
}

/** A file that the one at `path` names: in its own folder or below, else it is refused. */
export async function openBeside(path: string, name: string): Promise<Source> {
  const { openSource } = await import("@lowbit/convert");
  const source = await openSource(path);
  try {
    return await source.beside(name);
  } finally {
    await source.close();
  }
}

/** The model in `bytes`, which are those of `path`, with the files that it names. */
export async function parseGraph(path: string, bytes: Uint8Array, options: OpenOptions = {}): Promise<OpenedGraph> {
  const { formatOf, importFrom, readModel, runPasses } = await import("@lowbit/convert");
  return naming(path, async () => {
    const format = formatOf(bytes);
    if (format === "packed") {
      const { graph, provenance } = readModel(bytes);
      return { path, format, bytes, graph, ...(provenance && { provenance }) };
    }
    const plain = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    const imported = await importFrom(plain, { name: modelName(path), beside: (name) => openBeside(path, name) });
    if (isTensorsOnly({ graph: imported })) return { path, format: "tensors", bytes, graph: imported };
    const { explain } = options;
    const graph = runPasses(imported, explain ? { explain: ({ pass, changes }) => explain(pass, changes) } : {});
    return { path, format, bytes, graph };
  });
}

/** Whether the file holds tensors and nothing that computes with them. Every network has an output. */
export const isTensorsOnly = ({ graph }: Pick<OpenedGraph, "graph">): boolean => graph.outputs.length === 0;

/** @throws FileError where the file holds tensors alone */
export function needNetwork(opened: OpenedGraph): void {
  if (isTensorsOnly(opened)) throw new FileError(opened.path, "holds tensors and no network that could run");
}

/** Compiles the graph for this engine. @param tier absent: the highest that runs here */
export async function openModel(opened: OpenedGraph, tier?: Tier, threads = 1): Promise<Model> {
  needNetwork(opened);
  const { createModel } = await import("lowbit");
  return naming(opened.path, () => createModel(opened.graph, { tier, threads }));
}

/** What one call of the model gave for samples `from` until `from + count`. */
export interface Batch {
  readonly from: number;
  readonly count: number;
  /** Samples in the outputs: more than `count` where a fixed batch was filled up. */
  readonly rows: number;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Samples per call where the model leaves it open: enough to fill the kernels' tiles, little memory. */
export const BATCH = 64;

/** Runs all samples of `x` through a model of one input. */
export async function* runSamples(model: Model, x: Tensor): AsyncGenerator<Batch, void, void> {
  const [input] = model.inputs;
  if (input === undefined) return;
  const samples = fitSamples(x, input);
  const step = samples.fixedBatch ?? BATCH;
  for (let from = 0; from < samples.count; from += step) {
    const count = Math.min(step, samples.count - from);
    const outputs = await model.run({ [input.name]: samples.take(from, count) });
    yield { from, count, rows: samples.fixedBatch ?? count, outputs };
  }
}
