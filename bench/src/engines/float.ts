/** The same shape in f32 on our own kernels: what low bits gain before any other runtime is asked. */
import { availableTiers } from "lowbit/kernels";
import { rowLength } from "../cases/product.ts";
import { productKernel } from "../cases/product-kernels.ts";
import type { EngineSource } from "../engine.ts";
import type { Conv, Gemm } from "../task.ts";
import type { TypedArray } from "../values.ts";
import { instanceOf } from "./lowbit.ts";

/** Values that stay exact in f32 leave only the rounding of sums beyond 2^24; of floats nothing is left. */
const TOLERANCE = 2 ** -20;

export const float: EngineSource = {
  name: "float",
  kind: "ours",
  async open(host) {
    const instance = await instanceOf(host, availableTiers().at(-1) ?? "scalar");
    return [
      {
        name: "float",
        supports({ task }) {
          if (task.op !== "gemm" && task.op !== "conv") return `no float ${task.op}`;
          return task.x === "f32" && task.w === "f32" ? "the case is float already" : true;
        },
        async prepare(of, tensors) {
          const task = { ...of.task, x: "f32", w: "f32", y: { kind: "f32" } } as Gemm | Conv;
          const floats = (values: TypedArray) => Float32Array.from(values as Float32Array);
          const [x, w] = [floats(tensors.x as TypedArray), floats(tensors.w as TypedArray)];
          const prepared = productKernel({ instance }, { ...of, task }, { x, w });
          // Int8 by int8 may sum to 2^14 a term.
          const largest = rowLength(task) * ("w" in of.task && of.task.w === "weight8" ? 2 ** 14 : 2 ** 7);
          return {
            ...prepared,
            async answer() {
              const { data } = await prepared.answer();
              return { kind: "sums", data: data as Float32Array, tolerance: largest * TOLERANCE };
            },
          };
        },
        dispose: () => instance.dispose(),
      },
    ];
  },
};
