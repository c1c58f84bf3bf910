import { readNpz } from "@lowbit/convert";
import { DataError } from "../errors.ts";
import { readDataFile } from "./files.ts";
import type { Images } from "./images.ts";

/** Names of the arrays in the file. */
export interface NpzNames {
  readonly images?: string;
  readonly labels?: string;
}

/**
 * Reads a NumPy .npz with `images`, uint8 [n, height, width] or [n, height, width, channels], and `labels`, uint8 [n].
 * @throws DataError where an array is missing or shaped otherwise; FileError where the file is no .npz
 */
export async function readImagesNpz(path: string, names: NpzNames = {}): Promise<Images> {
  const { images: imagesName = "images", labels: labelsName = "labels" } = names;
  const arrays = readNpz(await readDataFile(path), [imagesName, labelsName]);
  const [images, labels] = [arrays.get(imagesName), arrays.get(labelsName)];
  const has = (name: string, tensor: typeof images) =>
    `${name} ${tensor === undefined ? "missing" : `${tensor.dtype} [${tensor.shape.join(", ")}]`}`;
  const [count = 0, height = 0, width = 0, channels = 1] = images?.shape ?? [];
  const isImages = images?.dtype === "uint8" && (images.shape.length === 3 || images.shape.length === 4);
  if (!isImages || labels?.dtype !== "uint8" || labels.shape.join() !== String(count) || count === 0)
    throw new DataError(
      `${path}: expected ${imagesName} uint8 [n, height, width, channels] and ${labelsName} uint8 [n], got ${has(imagesName, images)}, ${has(labelsName, labels)}`,
    );
  const classes = (labels.data as Uint8Array).reduce((most, label) => Math.max(most, label), 0) + 1;
  return {
    count,
    height,
    width,
    channels,
    classes,
    images: images.data as Uint8Array,
    labels: labels.data as Uint8Array,
  };
}
