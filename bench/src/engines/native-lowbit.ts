/**
 * Our own kernels as machine code (`bench/native`), which `pnpm bench` builds: what of the same source's speed is left in WASM. A compiler joins its vectors of 128 bits into wider ones where
 * the processor has them, which no WASM can; so there is a second build, without.
 */
import { familyOf } from "../cases/index.ts";
import { productKernel } from "../cases/product-kernels.ts";
import type { EngineSource } from "../engine.ts";
import type { Conv, Gemm, Scan } from "../task.ts";
import type { TypedArray } from "../values.ts";
import { enginesOf, Process, preparedIn } from "./process.ts";

const results = { int32: Int32Array, f32: Float32Array, int8: Int8Array, bits: Uint32Array } as const;

const resultOf = (task: Gemm | Conv | Scan) => (task.op === "scan" ? Int32Array : results[task.y.kind]);

/** By the variable that names its program. */
const builds = { LOWBIT_NATIVE: "native:lowbit", LOWBIT_NATIVE_128: "native:lowbit-128" } as const;

export const nativeLowbit: EngineSource = {
  name: "native",
  kind: "peer",
  async open(host) {
    const engines = Object.entries(builds).map(([variable, name]) =>
      enginesOf(
        host,
        [name],
        () => Process.start(process.env[variable] ?? name.replace("native:lowbit", "lowbit-native"), []),
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
    );
    return (await Promise.all(engines)).flat();
  },
};
