/** Files of tensors, worked through one tensor at a time: memory does not grow with the file. */

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { ModelMeta, QuantizeModelResult, QuantizeTensorsOptions, TensorFile, TensorInfo } from "@lowbit/convert";
import type { Constant, Pack, RawTensor } from "lowbit";
import { fileError } from "./errors.ts";
import { naming, openOutput, openSpool, type Spool } from "./files.ts";
import { modelName, networkConfig } from "./model.ts";

/** Opens a file of tensors without a network; undefined where it is something else. */
export async function openTensors(path: string): Promise<TensorFile | undefined> {
  const info = await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  if (!info.isFile() || info.size === 0) return undefined;
  const { openSource, openTensorFile, tensorFormat } = await import("@lowbit/convert/tensors");
  return naming(path, async () => {
    const source = await openSource(path);
    const format = await tensorFormat(source);
    if (format === undefined) {
      await source.close();
      return undefined;
    }
    const file = await openTensorFile(source);
    // A packed file is safetensors too.
    if (!file.metadata.has("lowbit") && !file.metadata.has("lowbit_digest")) return file;
    await file.close();
    return undefined;
  });
}

/** The same, but for weights beside a `config.json` that makes a network of them. */
export async function openLooseTensors(path: string): Promise<TensorFile | undefined> {
  const file = await openTensors(path);
  if (file?.format !== "safetensors" || !(await networkConfig(path))) return file;
  await file.close();
  return undefined;
}

/** A quantized file, waiting to be written. */
export interface QuantizedFile {
  readonly result: Omit<QuantizeModelResult, "graph">;
  finish(meta: ModelMeta): { readonly size: number; readonly write: () => Promise<void> };
}

/**
 * Quantizes a file tensor by tensor onto the disk, beside the output, and hands over what can be written.
 * The file is closed, and what waits on the disk removed, when `use` is done.
 */
export async function quantizeFile(
  file: TensorFile,
  options: QuantizeTensorsOptions,
  use: (quantized: QuantizedFile) => Promise<void>,
  { output, pack }: { readonly output: string; readonly pack: Pack },
): Promise<void> {
  const { quantizeTensorFile } = await import("@lowbit/convert");
  const { PackedStream } = await import("lowbit");
  const spool = await openSpool(output);
  try {
    const tensors = new Map<string, Uint8Array>();
    const places = new Map<string, readonly [offset: number, length: number]>();
    const keep = (name: string, bytes: Uint8Array): string => {
      tensors.set(name, bytes);
      return createHash("sha256").update(bytes).digest("hex");
    };
    const stream = new PackedStream(modelName(file.name), file.tensors.keys(), keep, { pack });
    const result = await naming(file.name, () =>
      quantizeTensorFile(file, options, async (name, constant) => {
        stream.add(name, constant);
        for (const [tensor, bytes] of tensors) places.set(tensor, [await spool.append(bytes), bytes.length]);
        tensors.clear();
      }),
    );
    await use({
      result,
      finish(meta) {
        const { head, order, size } = stream.finish(meta);
        return {
          size,
          write: () =>
            assemble(
              output,
              head,
              order.map((name) => places.get(name)!),
              spool,
            ),
        };
      },
    });
  } finally {
    await spool.close();
    await file.close();
  }
}

async function assemble(
  path: string,
  head: Uint8Array,
  places: readonly (readonly [offset: number, length: number])[],
  spool: Spool,
): Promise<void> {
  const output = await openOutput(path);
  try {
    await output.write(head);
    for (const [offset, length] of places)
      for await (const part of spool.parts(offset, length)) await output.write(part);
    await output.finish();
  } finally {
    await output.discard();
  }
}

type Entry = Pick<RawTensor, "dtype" | "shape">;

/** What a tensor becomes among floats: halves and integers stay, everything else is f32. */
function plainEntry({ type, shape, kind }: TensorInfo): Entry {
  const stays = kind === "integers" || type === "F16";
  return { dtype: (stays ? type : "F32") as RawTensor["dtype"], shape };
}

async function plainBytes(file: TensorFile, { name, kind, type }: TensorInfo): Promise<Uint8Array> {
  if (kind === "integers" || type === "F16" || type === "F32") return file.readBytes(name);
  const { data } = await floatsOf(await file.read(name));
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function floatsOf(constant: Constant): Promise<{ readonly data: ArrayBufferView }> {
  if (constant.kind === "plain") return constant;
  const { dequantize } = await import("lowbit/quantize");
  return { data: await dequantize(constant) };
}

/** Writes the floats of a file as safetensors, tensor by tensor. @returns what was written */
export async function dequantizeFile(
  file: TensorFile,
  path: string,
): Promise<{ readonly bytes: number; readonly tensors: ReadonlyMap<string, Entry> }> {
  const { safetensorsHead } = await import("lowbit");
  const tensors = new Map([...file.tensors].map(([name, info]) => [name, plainEntry(info)]));
  const { head, order, size } = safetensorsHead(tensors);
  const output = await openOutput(path);
  try {
    await output.write(head);
    for (const name of order)
      await output.write(await naming(file.name, () => plainBytes(file, file.tensors.get(name)!)));
    await output.finish();
  } finally {
    await output.discard();
    await file.close();
  }
  return { bytes: size, tensors };
}
