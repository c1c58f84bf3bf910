import type { HostTensor } from "../values.ts";

/** The tensor with its axes in the order `permutation` (axis i of the result is axis permutation[i] of the source). */
export function transpose(tensor: HostTensor, permutation: readonly number[]): HostTensor {
  const shape = permutation.map((axis) => tensor.shape[axis] as number);
  const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((p, size) => p * size, 1));
  const steps = permutation.map((axis) => strides[axis] as number);
  const data = new Float32Array(tensor.data.length);
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < data.length; target++) {
    data[target] = tensor.data[source] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = steps[axis] as number;
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        source += step;
        break;
      }
      source -= step * (next - 1);
      index[axis] = 0;
    }
  }
  return { shape, data };
}
