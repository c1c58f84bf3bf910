/**
 * Where a packed file comes from, written into it. Nothing here depends on the day or the machine, so same input, same
 * bytes.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import type { Graph, Provenance } from "lowbit";
import { VERSION } from "../version.ts";
import type { OpenedGraph } from "./model.ts";
import { type SourceTensor, sourceTensors } from "./source-tensors.ts";

/**
 * @param graph what is written
 * @param recipe what was done, as a command line without paths
 */
export async function provenanceOf(opened: OpenedGraph, graph: Graph, recipe: string): Promise<Provenance> {
  const own = {
    source: basename(opened.path),
    sourceSha256: createHash("sha256").update(opened.bytes).digest("hex"),
    recipe,
    library: `lowbit ${VERSION}`,
  };
  // A packed file's own source stays the source of its tensors.
  const kept = opened.provenance?.tensors;
  if (opened.format === "packed" && kept !== undefined) return { ...own, tensors: kept };
  // Tensors without a network keep their names and places; there is nothing to note down.
  if (opened.format !== "onnx") return own;
  const { fromBinary, ModelProtoSchema } = await import("@lowbit/convert/onnx");
  const tensors = sourceTensors(fromBinary(ModelProtoSchema, opened.bytes), graph);
  return {
    ...own,
    tensors: tensors.map((tensor) => ({ ...tensor, steps: tensor.steps.map((step) => ({ ...step })) })),
  };
}

/** Of a file of tensors, which is not held in memory. */
export async function provenanceOfFile(path: string, recipe: string): Promise<Provenance> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
  return { source: basename(path), sourceSha256: hash.digest("hex"), recipe, library: `lowbit ${VERSION}` };
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** The list that {@link provenanceOf} wrote; entries of any other form (a file may say anything) are left out. */
export function tensorsOf(provenance: Provenance | undefined): SourceTensor[] {
  const list: unknown = provenance?.tensors;
  if (!Array.isArray(list)) return [];
  return list.filter((entry: Partial<SourceTensor> | null): entry is SourceTensor => {
    if (typeof entry !== "object" || entry === null) return false;
    const { layer, input, source, shape, steps } = entry;
    const named =
      typeof layer === "string" && typeof source === "string" && typeof input === "number" && isSizes(shape);
    return named && Array.isArray(steps) && steps.every((step) => isSizes(step?.shape) && isSizes(step.permutation));
  });
}
