/**
 * The nearest centroid of every vector, as k-means and product quantization assign: squared distances in f32, ties to the lowest index. Shapes are
 * vectors x centroids x dimension. A run of ours brings vectors and centroids into the memory of the instance and takes the indices out, as the
 * function that users call does.
 */
import { nearestCentroids } from "lowbit/kernels";
import type { Case, Family } from "../case.ts";
import type { Assign } from "../task.ts";
import { draw } from "../values.ts";
import { seedOf } from "./product.ts";

const cases = ["16384x256x8", "100000x256x8!"].map((entry): Case => {
  const shape = entry.replace("!", "");
  const [vectors = 0, centroids = 0, dimension = 0] = shape.split("x").map(Number);
  const id = `nearest/${shape}`;
  return {
    ...{ id, family: "nearest", shape, seed: seedOf(id), checksum: undefined, quick: entry.endsWith("!") },
    task: { op: "assign", vectors, centroids, dimension },
    work: { amount: vectors * centroids * dimension, unit: "MAC" },
  };
});

const taskOf = ({ id, task }: Case): Assign => {
  if (task.op !== "assign") throw new Error(`${id}: not an assignment`);
  return task;
};

export const nearest: Family = {
  ...{ name: "nearest", title: "k-means assignment, 256 centroids of 8 dimensions", cases },
  tensors(of) {
    const { vectors, centroids, dimension } = taskOf(of);
    return {
      x: draw("f32", vectors * dimension, of.seed, 0),
      centroids: draw("f32", centroids * dimension, of.seed, 1),
    };
  },
  outputs: (of) => taskOf(of).vectors,
  /** The indices. */
  sums(of, tensors, positions) {
    const { vectors, dimension } = taskOf(of);
    const [x, centroids] = [tensors.x as Float32Array, tensors.centroids as Float32Array];
    const { fround } = Math;
    return Float64Array.from({ length: positions?.length ?? vectors }, (_, at) => {
      const from = (positions?.[at] ?? at) * dimension;
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (let c = 0; c < centroids.length; c += dimension) {
        let distance = 0;
        for (let j = 0; j < dimension; j++) {
          const difference = fround(x[from + j]! - centroids[c + j]!);
          distance = fround(distance + fround(difference * difference));
        }
        if (distance < least) [best, least] = [c / dimension, distance];
      }
      return best;
    });
  },
  result: (_, __, indices) => Uint32Array.from(indices),
  kernel({ instance }, of, { x, centroids }) {
    const { dimension } = taskOf(of);
    let data: Uint32Array = new Uint32Array(0);
    return {
      run() {
        data = nearestCentroids(instance, x as Float32Array, centroids as Float32Array, dimension);
      },
      answer: () => ({ kind: "exact", data }),
      dispose() {},
    };
  },
};
