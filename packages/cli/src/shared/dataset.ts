/** Labelled samples: an .npz with x and y, or a pair of IDX files as MNIST has them. */

import { ShapeError, type Tensor } from "lowbit";
import { readArrays } from "./arrays.ts";
import { FileError, UsageError } from "./errors.ts";
import { naming, readInput } from "./files.ts";

export interface Dataset {
  /** Axis 0 is samples. */
  readonly x: Tensor;
  /** Class of each sample. */
  readonly y: Int32Array;
}

/** Whole class ids of [n] or [n, 1] elements. */
function classIds(path: string, y: Tensor): Int32Array {
  const ids = Int32Array.from(y.data as ArrayLike<number | bigint>, Number);
  // What is no 32-bit integer comes back changed.
  const bad = ids.findIndex((id, i) => id < 0 || id !== Number(y.data[i]));
  if (bad >= 0) throw new FileError(path, `y holds class ids 0, 1, 2 ..., got ${y.data[bad]} at ${bad}`);
  if (y.shape.slice(1).some((size) => size !== 1))
    throw new ShapeError(path, "shape of y", "[samples] class ids", y.shape);
  return ids;
}

/** @param spec `d.npz`, or `images.gz,labels.gz` */
export async function readDataset(spec: string): Promise<Dataset> {
  const { x, y, path } = await readPair(spec);
  const ids = classIds(path, y);
  if (ids.length === 0 || x.shape[0] !== ids.length)
    throw new ShapeError(
      path,
      "samples in x and y",
      "as many in both, 1 or more",
      `${x.shape[0] ?? 0} and ${ids.length}`,
    );
  return { x, y: ids };
}

/**
 * Samples for any inputs: labelled ones as {@link readDataset} has them (their array is `x`), or, where labels are not needed, every array of an .npz or the only one of an .npy.
 */
export async function readLabelled(
  spec: string,
  isOptional: boolean,
): Promise<{ readonly arrays: ReadonlyMap<string, Tensor>; readonly y?: Int32Array }> {
  if (isOptional && !spec.includes(",")) {
    const arrays = await readArrays(spec);
    if (!(arrays.has("x") && arrays.has("y"))) return { arrays };
  }
  const { x, y } = await readDataset(spec);
  return { arrays: new Map([["x", x]]), y };
}

async function readPair(spec: string): Promise<{ x: Tensor; y: Tensor; path: string }> {
  const [images = "", labels, ...more] = spec.split(",");
  if (labels === undefined) {
    const arrays = await readArrays(images);
    const [x, y] = [arrays.get("x"), arrays.get("y")];
    if (x === undefined || y === undefined)
      throw new FileError(
        images,
        `expected arrays x (samples) and y (class ids), got ${[...arrays.keys()].join(", ") || "one without a name"}`,
      );
    return { x, y, path: images };
  }
  if (more.length > 0) throw new UsageError(`--data: expected d.npz or images.gz,labels.gz, got "${spec}"`);
  const { readIdx } = await import("@lowbit/convert");
  const read = async (path: string) => {
    const bytes = await readInput(path);
    return naming(path, () => readIdx(bytes, path));
  };
  return { x: await read(images), y: await read(labels), path: labels };
}
