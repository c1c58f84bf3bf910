/** Our own kernels as machine code (`bench/native`), which `LOWBIT_NATIVE` names and `pnpm bench` builds: what of the same source's speed is left in WASM. */
import { familyOf } from "../cases/index.ts";
import { productKernel } from "../cases/product-kernels.ts";
import type { EngineSource } from "../engine.ts";
import type { Conv, Gemm, Scan } from "../task.ts";
import type { TypedArray } from "../values.ts";
import { enginesOf, Process, preparedIn } from "./process.ts";

const results = { int32: Int32Array, f32: Float32Array, int8: Int8Array, bits: Uint32Array } as const;

const resultOf = (task: Gemm | Conv | Scan) => (task.op === "scan" ? Int32Array : results[task.y.kind]);

export const nativeLowbit: EngineSource = {
  name: "native",
  kind: "peer",
  open: (host) =>
    enginesOf(
      host,
      ["native:lowbit"],
      () => Process.start(process.env.LOWBIT_NATIVE ?? "lowbit-native", []),
      "not built: pnpm bench builds it",
      (_, process) => ({
        // A family with a kernel of its own (codebooks) is not here.
        supports: (of) =>
          of.task.op === "scan" || familyOf(of).kernel === productKernel || "products, convolutions and scans",
        async prepare(of, tensors) {
          const task = of.task as Gemm | Conv | Scan;
          const paths: Record<string, string> = {};
          for (const [name, tensor] of Object.entries(tensors)) paths[name] = await process.put(tensor);
          return preparedIn(process, { task, tensors: paths }, async (id) => ({
            kind: "exact",
            data: new (resultOf(task))(await process.output(id)) as TypedArray,
          }));
        },
      }),
    ),
};
