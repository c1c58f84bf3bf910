/** MiniLM as a folder from Hugging Face holds it, quantized to int8 once, and the threads that encode with it. */
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { Tokenizer } from "@huggingface/tokenizers";
import { type Encoder, loadEncoder } from "lowbit/encoder";
import type { EncodeTexts } from "./encode.ts";

/** As `lowbit search text` keeps it, so that either finds what the other made. */
export const PACKED = "model.lowbit.safetensors";

export const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"] as const;

/** @returns bytes of the packed encoder of a folder, which is made where there is none */
export async function packedEncoder(folder: string): Promise<Buffer> {
  const path = join(folder, PACKED);
  if (!existsSync(path)) {
    const { importHuggingFace, quantizeModel, writeModel } = await import("@lowbit/convert");
    const read = async (name: string) =>
      existsSync(join(folder, name)) ? new Uint8Array(await readFile(join(folder, name))) : undefined;
    const graph = await importHuggingFace(read, { name: "minilm" });
    const { graph: quantized } = await quantizeModel(graph, { weights: "int8", activations: "int8:dynamic" });
    await writeFile(`${path}.part`, writeModel(quantized));
    await rename(`${path}.part`, path);
  }
  return readFile(path);
}

export async function openEncoder(folder: string): Promise<Encoder> {
  const [tokenizer, config] = await Promise.all(
    TOKENIZER_FILES.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as object),
  );
  return loadEncoder(new Uint8Array(await packedEncoder(folder)), new Tokenizer(tokenizer!, config!));
}

/** Threads that encode until they are ended, which gives their memory back and drops what they were at. */
export function startThreads(folder: string, count: number): { encoders: EncodeTexts[]; end(): Promise<void> } {
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL("./encode-worker.js", import.meta.url), { workerData: folder }),
  );
  const encoders = workers.map(
    (worker): EncodeTexts =>
      (texts) =>
        new Promise((resolve, reject) => {
          const ended = () => reject(new Error("encoding: the thread ended"));
          worker.once("exit", ended);
          worker.once("error", reject);
          worker.once("message", (rows: Float32Array) => {
            worker.off("exit", ended);
            worker.off("error", reject);
            resolve(rows);
          });
          worker.postMessage(texts);
        }),
  );
  return { encoders, end: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))) };
}
