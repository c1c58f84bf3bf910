import type { NodeOf } from "../../graph/types.ts";
import { Binary } from "../../kernels/elementwise.ts";
import { MatmulF32 } from "../../kernels/gemm-f32.ts";
import { sizeOf } from "../../tensor.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";

/** add, sub, mul, div with numpy broadcasting; the kernel object depends on the shapes and lives as long as a binding. */
export function lowerBinary(node: NodeOf<"add" | "sub" | "mul" | "div">, context: LoweringContext): Operation {
  const [a = "", b = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { op } = node;
  return {
    node: node.name,
    op,
    kernel: "elementwise",
    ...context.inputsOf(node),
    output: y,
    bind(binding) {
      const object = binding.own(new Binary(binding.instance, { op, a: binding.shape(a), b: binding.shape(b) }));
      const [left, right, to] = [binding.pointer(a), binding.pointer(b), binding.pointer(y)];
      return () => object.run(left, right, to);
    },
    [Symbol.dispose]: () => undefined,
  };
}

const sameShape = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Stacks of matrices; a single matrix on one side serves all of the other's. */
export function lowerMatmul(node: NodeOf<"matmul">, context: LoweringContext): Operation | undefined {
  const [a = "", b = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const outer = (name: string) => context.info(name).shape.slice(0, -2);
  const single = (name: string): boolean => outer(name).every((d) => d === 1);
  if (!single(a) && !single(b) && !sameShape(outer(a), outer(b)))
    return context.refuse(node, `matmul of stacks [${outer(a)}] and [${outer(b)}]`);
  return {
    node: node.name,
    op: node.op,
    kernel: "matmul_f32",
    ...context.inputsOf(node),
    output: y,
    macs: (of) => sizeOf(of(y)) * of(a).at(-1)!,
    bind(binding) {
      const [m, k] = binding.shape(a).slice(-2) as [number, number];
      const n = binding.shape(b).at(-1)!;
      const object = binding.own(new MatmulF32(binding.instance, { m, n, k }));
      const batch = sizeOf(binding.shape(y).slice(0, -2));
      const stride = (name: string, size: number): number =>
        sizeOf(binding.shape(name).slice(0, -2)) === 1 ? 0 : size;
      const [left, right, to] = [binding.pointer(a), binding.pointer(b), binding.pointer(y)];
      const [aStride, bStride] = [stride(a, m * k), stride(b, k * n)];
      return () => object.run(left, right, to, batch, aStride, bStride);
    },
    [Symbol.dispose]: () => undefined,
  };
}
