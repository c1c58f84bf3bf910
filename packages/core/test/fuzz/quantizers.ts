/** The inner loops of the quantizers and the assignment to centroids, against the naive ones of their tests. */
import { nearestCentroids } from "../../src/kernels/nearest.ts";
import { kernelLoops } from "../../src/kernels/quantize.ts";
import type { InnerLoops } from "../../src/quantize/inner.ts";
import { naiveLoops, naiveNearest } from "../quantize/naive-loops.ts";
import type { Fuzzer, Values } from "./problem.ts";

export const quantizers: Fuzzer = (draw) => {
  const [rows, columns] = [draw.size(20), draw.size(100)];
  const grouping = { rows, columns, groupSize: draw.pick(columns, 16, draw.integer(1, columns)) };
  const groups = rows * Math.ceil(columns / grouping.groupSize);
  const x = draw.floats(rows * columns);
  const bits = draw.integer(1, 8);
  const maxCode = 2 ** bits - 1;
  const scale = draw.floats(groups).map((v) => Math.abs(v) + 1e-3);
  const grid = { scale, zeroPoint: draw.integer(0, maxCode), minCode: 0, maxCode };
  const kind = draw.pick("gridCodes", "gridErrors", "absMax", "meanAbs", "nearest", "pack");
  const dimension = draw.pick(1, 2, 4);
  const vectors = draw.floats(Math.floor(x.length / dimension) * dimension);
  const codebook = draw.floats(draw.integer(1, 256) * dimension);
  const codes = Uint8Array.from(draw.integers(rows * columns, 0, maxCode));
  const compute = (loops: InnerLoops): Values => {
    if (kind === "pack") return loops.unpack(loops.pack(codes, rows, columns, bits), rows, columns, bits);
    using resident = loops.load(kind === "nearest" ? vectors : x);
    switch (kind) {
      case "gridCodes":
        return resident.gridCodes(grouping, grid);
      case "gridErrors":
        return resident.gridErrors(grouping, grid);
      case "nearest":
        return resident.nearest(codebook, dimension);
      default:
        return resident[kind](grouping);
    }
  };
  return {
    text: `${kind}, ${rows} x ${columns} in groups of ${grouping.groupSize}, ${bits} bits, ${codebook.length / dimension} x ${dimension}`,
    run: (kernels) => compute(kernelLoops(kernels)),
    expected: () => compute(naiveLoops),
  };
};

export const nearest: Fuzzer = (draw) => {
  const [dimension, count, rows] = [draw.size(40), draw.size(300), draw.size(40)];
  const centroids = draw.floats(count * dimension);
  // Some vectors are centroids, and equal ones among those are ties.
  const x = draw.floats(rows * dimension);
  for (let i = 0; i < rows; i++) {
    const c = draw.integer(0, 2 * count - 1);
    if (c < count) x.set(centroids.subarray(c * dimension, (c + 1) * dimension), i * dimension);
  }
  return {
    text: `nearest of ${count}, ${rows} vectors of ${dimension}`,
    run: (kernels) => nearestCentroids(kernels, x, centroids, dimension),
    expected: () => naiveNearest(x, centroids, dimension),
  };
};
