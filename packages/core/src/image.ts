/** From pixels to a model's input, and from its output to names. */
import { OutOfRangeError, ShapeError } from "./errors.ts";
import type { ImagePreprocessing } from "./graph/types.ts";
import { Tensor } from "./tensor.ts";

/** Pixels, row by row from the top: `ImageData` is one. */
export interface ImageLike {
  readonly width: number;
  readonly height: number;
  /** 1 (gray), 3 (RGB) or 4 (RGBA, not premultiplied) bytes per pixel. */
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** One channel of an image: bytes as numbers, [height, width]. */
type Plane = Float64Array;

/**
 * An image as a tensor: f32 [1, height, width, C] or [1, C, height, width], as `preprocessing` says.
 *
 * Transparent pixels lie on white; gray is 0.299 R + 0.587 G + 0.114 B; `invert` is 255 - x; sizes are changed by bilinear
 * interpolation between pixel centres (no antialiasing); at the end x = (pixel - mean[c]) / std[c]. All arithmetic is in doubles and rounded to f32
 * once, so the same image gives the same bytes in every engine.
 *
 * @example
 * const [input] = model.inputs;
 * const image = imageToTensor(context.getImageData(0, 0, 280, 280), input.preprocessing);
 *
 * @throws ShapeError where the data is not 1, 3 or 4 bytes per pixel
 */
export function imageToTensor(image: ImageLike, preprocessing: ImagePreprocessing): Tensor<"f32"> {
  const { width, height, channels, layout, mean, std, invert = false } = preprocessing;
  const planes = split(image, channels).map((plane) => {
    const resized = resize(plane, image.width, image.height, width, height);
    return invert ? resized.map((x) => 255 - x) : resized;
  });
  const count = planes.length;
  const nhwc = layout === "NHWC";
  const data = new Float32Array(count * width * height);
  for (const [c, plane] of planes.entries())
    for (let i = 0; i < plane.length; i++)
      data[nhwc ? i * count + c : c * plane.length + i] = (plane[i]! - mean[c]!) / std[c]!;
  return new Tensor("f32", nhwc ? [1, height, width, count] : [1, count, height, width], data);
}

/** The planes that a model wants, in its order. */
function split({ data, width, height }: ImageLike, channels: ImagePreprocessing["channels"]): Plane[] {
  const pixels = width * height;
  const depth = data.length / pixels;
  if (!(pixels > 0 && (depth === 1 || depth === 3 || depth === 4)))
    throw new ShapeError("imageToTensor", `bytes of a ${width} x ${height} image`, "1, 3 or 4 per pixel", data.length);
  const plane = (offset: number): Plane =>
    Float64Array.from({ length: pixels }, (_, i) => {
      const value = data[i * depth + offset]!;
      if (depth !== 4) return value;
      const alpha = data[i * 4 + 3]! / 255;
      return value * alpha + 255 * (1 - alpha);
    });
  const [r, g, b] = depth === 1 ? [plane(0), plane(0), plane(0)] : [plane(0), plane(1), plane(2)];
  if (channels === "rgb") return [r, g, b];
  if (channels === "bgr") return [b, g, r];
  return [depth === 1 ? r : r.map((red, i) => 0.299 * red + 0.587 * g[i]! + 0.114 * b[i]!)];
}

/** Bilinear, between pixel centres: source = (target + 0.5) * from / to - 0.5, kept inside the image. */
function resize(plane: Plane, fromWidth: number, fromHeight: number, width: number, height: number): Plane {
  if (fromWidth === width && fromHeight === height) return plane;
  const columns = places(fromWidth, width);
  const result = new Float64Array(width * height);
  for (const [y, row] of places(fromHeight, height).entries())
    for (const [x, column] of columns.entries()) {
      const at = (low: number): number => {
        const [left, right] = [plane[low * fromWidth + column.low]!, plane[low * fromWidth + column.high]!];
        return left + (right - left) * column.part;
      };
      const [top, bottom] = [at(row.low), at(row.high)];
      result[y * width + x] = top + (bottom - top) * row.part;
    }
  return result;
}

/** For each target: its two neighbours in the source and how far it is from the lower one. */
function places(from: number, to: number): { readonly low: number; readonly high: number; readonly part: number }[] {
  return Array.from({ length: to }, (_, target) => {
    const source = Math.min(from - 1, Math.max(0, ((target + 0.5) * from) / to - 0.5));
    const low = Math.floor(source);
    return { low, high: Math.min(from - 1, low + 1), part: source - low };
  });
}

/** A class with its score. */
export interface Ranked {
  readonly index: number;
  /** From the model's labels; the index where it has none. */
  readonly label: string;
  readonly score: number;
}

/**
 * The `k` highest scores of one sample, best first; ties go to the lower index, NaN comes last.
 * @param scores [..., classes]: logits or probabilities
 * @param labels `model.labels`
 * @throws OutOfRangeError where `sample` is not one of the rows
 */
export function topK(
  scores: Tensor<"f32">,
  labels: readonly string[] = [],
  { k = 5, sample = 0 }: { readonly k?: number; readonly sample?: number } = {},
): Ranked[] {
  const classes = scores.shape.at(-1) ?? 1;
  const rows = classes === 0 ? 0 : scores.size / classes;
  if (!(Number.isInteger(sample) && sample >= 0 && sample < rows))
    throw new OutOfRangeError("topK", "sample", `0 to ${rows - 1}`, sample);
  const row = scores.data.subarray(sample * classes, (sample + 1) * classes);
  const rank = (index: number): number => (Number.isNaN(row[index]) ? Number.NEGATIVE_INFINITY : row[index]!);
  const order = Array.from(row.keys()).sort((a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
  return order.slice(0, k).map((index) => ({ index, label: labels[index] ?? String(index), score: row[index]! }));
}
