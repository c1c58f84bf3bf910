import {
  type ImageLike,
  type ImagePreprocessing,
  imageToTensor,
  OutOfRangeError,
  ShapeError,
  Tensor,
  topK,
} from "lowbit";
import { describe, expect, it } from "vitest";

const rules: ImagePreprocessing = { width: 2, height: 2, channels: "gray", layout: "NHWC", mean: [0], std: [1] };

const gray = (width: number, height: number, ...data: number[]): ImageLike => ({
  width,
  height,
  data: Uint8Array.from(data),
});

describe("imageToTensor", () => {
  it("keeps an image of the right size", () => {
    const tensor = imageToTensor(gray(2, 2, 1, 2, 3, 4), rules);
    expect(tensor.shape).toEqual([1, 2, 2, 1]);
    expect([...tensor.data]).toEqual([1, 2, 3, 4]);
  });

  it("orders channels and axes as asked", () => {
    const image: ImageLike = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) };
    const rgb = { ...rules, height: 1, channels: "rgb", mean: [0, 0, 0], std: [1, 1, 1] } as const;
    expect([...imageToTensor(image, rgb).data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...imageToTensor(image, { ...rgb, channels: "bgr" }).data]).toEqual([3, 2, 1, 6, 5, 4]);
    const planes = imageToTensor(image, { ...rgb, layout: "NCHW" });
    expect(planes.shape).toEqual([1, 3, 1, 2]);
    expect([...planes.data]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("normalises per channel", () => {
    const image: ImageLike = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
    const normal = { ...rules, width: 1, height: 1, channels: "rgb", mean: [10, 10, 10], std: [1, 2, 4] } as const;
    expect([...imageToTensor(image, normal).data]).toEqual([0, 5, 5]);
  });

  it("lays transparent pixels on white, weighs colours, and inverts", () => {
    const image: ImageLike = {
      width: 3,
      height: 1,
      data: Uint8ClampedArray.of(0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 255),
    };
    const wide = { ...rules, width: 3, height: 1 };
    expect([...imageToTensor(image, wide).data]).toEqual([255, 0, Math.fround(0.299 * 255)]);
    expect([...imageToTensor(image, { ...wide, invert: true }).data]).toEqual([0, 255, Math.fround(255 - 0.299 * 255)]);
  });

  it("resizes between pixel centres, as the formula says", () => {
    const image = gray(3, 2, 0, 30, 60, 100, 130, 160);
    const tensor = imageToTensor(image, { ...rules, width: 5, height: 4 });
    const at = (x: number, y: number): number => {
      const [sx, sy] = [((x + 0.5) * 3) / 5 - 0.5, ((y + 0.5) * 2) / 4 - 0.5];
      return 30 * Math.min(2, Math.max(0, sx)) + 100 * Math.min(1, Math.max(0, sy));
    };
    for (let y = 0; y < 4; y++) for (let x = 0; x < 5; x++) expect(tensor.data[y * 5 + x]).toBeCloseTo(at(x, y), 4);
  });

  it.each([gray(2, 2, 1, 2, 3), gray(0, 0), gray(1, 1, 1, 2)])("refuses data of another size by name", (image) =>
    expect(() => imageToTensor(image, rules)).toThrow(ShapeError),
  );
});

describe("topK", () => {
  const scores = new Tensor("f32", [2, 4], Float32Array.of(1, 3, 2, 3, Number.NaN, -1, Number.NEGATIVE_INFINITY, 0));

  it("ranks by score, ties to the lower index", () => {
    expect(topK(scores, ["a", "b", "c", "d"], { k: 3 })).toEqual([
      { index: 1, label: "b", score: 3 },
      { index: 3, label: "d", score: 3 },
      { index: 2, label: "c", score: 2 },
    ]);
  });

  it("puts NaN last and names what has no label by its index", () => {
    expect(topK(scores, [], { sample: 1 }).map(({ label }) => label)).toEqual(["3", "1", "0", "2"]);
  });

  it("refuses a sample that is not there", () =>
    expect(() => topK(scores, [], { sample: 2 })).toThrow(OutOfRangeError));
});
