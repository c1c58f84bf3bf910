import { gunzipSync } from "node:zlib";
import { decode } from "jpeg-js";
import { parseTar } from "nanotar";
import { DataError } from "../errors.ts";
import { readDataFile } from "./files.ts";
import type { Images } from "./images.ts";

/** Images, and what the files were called. */
export interface NamedImages extends Images {
  /** `folder/file.jpg` of each image. */
  readonly names: readonly string[];
  /** Names of the classes, which are the folders in order of their names. */
  readonly classNames: readonly string[];
}

/** It bounds what a gzip header can make us allocate. */
const LARGEST_FILE = 1 << 30;

/** What a decoder may use for one picture of a data set. */
const LIMITS = { maxResolutionInMP: 1, maxMemoryUsageInMB: 64 };

/**
 * Reads pictures of one size from a .tar or .tar.gz: a folder is a class, `.../class/name.jpg` a picture of it. In order of their names, as RGB.
 * @throws DataError where there are none, they have several sizes, or one is damaged
 */
export async function readJpegTar(path: string): Promise<NamedImages> {
  const packed = await readDataFile(path);
  const isPacked = packed[0] === 0x1f && packed[1] === 0x8b;
  const files = entriesOf(path, isPacked ? () => gunzipSync(packed, { maxOutputLength: LARGEST_FILE }) : () => packed);
  const classNames = [...new Set(files.map(({ folder }) => folder))].sort();
  if (files.length === 0 || classNames.length > 256)
    throw new DataError(
      `${path}: expected .jpg files in 1 to 256 folders, got ${files.length} in ${classNames.length}`,
    );
  let [height, width] = [0, 0];
  let images = new Uint8Array();
  for (const [i, { name, data }] of files.entries()) {
    const picture = pictureOf(`${path}: ${name}`, data);
    if (i === 0) {
      ({ height, width } = picture);
      images = new Uint8Array(files.length * height * width * 3);
    }
    if (picture.height !== height || picture.width !== width)
      throw new DataError(
        `${path}: expected pictures of ${width} x ${height}, got ${name} of ${picture.width} x ${picture.height}`,
      );
    images.set(picture.data, i * height * width * 3);
  }
  const numbers = new Map(classNames.map((name, k) => [name, k]));
  return {
    count: files.length,
    height,
    width,
    channels: 3,
    classes: classNames.length,
    images,
    labels: Uint8Array.from(files, ({ folder }) => numbers.get(folder)!),
    names: files.map(({ name }) => name),
    classNames,
  };
}

interface JpegFile {
  /** `folder/file.jpg` */
  readonly name: string;
  readonly folder: string;
  readonly data: Uint8Array;
}

/** Bytes with a buffer to themselves: the tar reader looks at the whole buffer, and a small result of Node's zlib may be a part of a pool (since Node 24). */
const alone = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

function entriesOf(path: string, content: () => Uint8Array): JpegFile[] {
  let entries: ReturnType<typeof parseTar>;
  try {
    entries = parseTar(alone(content()));
  } catch (cause) {
    throw new DataError(`${path}: not a .tar, or a .tar.gz of at most ${LARGEST_FILE} bytes`, { cause });
  }
  return entries
    .flatMap((entry) => {
      const [folder, file] = entry.name.split("/").slice(-2);
      if (folder === undefined || file === undefined || !/\.jpe?g$/i.test(file)) return [];
      return "data" in entry && entry.data !== undefined
        ? [{ name: `${folder}/${file}`, folder, data: entry.data }]
        : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function pictureOf(name: string, data: Uint8Array): { width: number; height: number; data: Uint8Array } {
  try {
    return decode(data, { useTArray: true, formatAsRGBA: false, ...LIMITS });
  } catch (cause) {
    throw new DataError(`${name}: not a JPEG picture that can be read`, { cause });
  }
}
