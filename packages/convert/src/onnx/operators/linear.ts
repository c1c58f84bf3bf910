import { floats, perChannel } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** MatMul. A constant second matrix [K, N] makes it `dense` with weights [N, K]. */
function matMul(node: NodeContext): void {
  const a = node.float(0);
  const b = node.float(1);
  const rankA = node.shape(a).length;
  const rankB = node.shape(b).length;
  if (rankA < 2 || rankB < 2) node.unsupported(`operands of rank ${rankA} and ${rankB}`, "rank 2 or more");
  if (node.constantOf(b) && rankB === 2) {
    const weight = node.step("weight", "transpose", [b], { permutation: [1, 0] });
    node.bind(node.main("dense", [a, node.weight(weight)], {}));
  } else node.bind(node.main("matmul", [a, b], {}));
}

/** Gemm-7 to Gemm-13: alpha * A' * B' + beta * C, with A' and B' transposed where transA, transB say so. */
function gemm(node: NodeContext): void {
  const { attributes } = node;
  const alpha = attributes.float("alpha", 1);
  const beta = attributes.float("beta", 1);
  const transA = attributes.int("transA", 0) !== 0;
  const transB = attributes.int("transB", 0) !== 0;
  let a = node.float(0, 2);
  if (transA) a = node.step("a", "transpose", [a], { permutation: [1, 0] });
  const b = node.float(1, 2);
  const c = node.optional(2);
  const constantB = node.constantOf(b);
  if (constantB === undefined) {
    const right = transB ? node.step("b", "transpose", [b], { permutation: [1, 0] }) : b;
    let y = node.main("matmul", [a, right], {});
    if (alpha !== 1) y = node.step("alpha", "mul", [y, node.store("alpha", floats([], [alpha]))], {});
    node.bind(c === undefined || beta === 0 ? y : plus(node, y, c, beta));
    return;
  }
  const rows = transB ? b : node.step("weight", "transpose", [b], { permutation: [1, 0] });
  const coded = node.weight(rows);
  const [outputs = 0, ...rest] = node.shape(rows) as number[];
  const scaled = (): Float32Array => (node.constantOf(rows)!.data as Float32Array).map((value) => value * alpha);
  const weight =
    alpha === 1
      ? coded === b
        ? node.store("weight", constantB)
        : coded
      : node.store("weight", floats([outputs, ...rest], scaled()));
  const inputs = [a, weight];
  const constantC = node.constantOf(c);
  const bias = constantC && perChannel(constantC, outputs, 2);
  if (c === undefined || beta === 0) node.bind(node.main("dense", inputs, {}));
  else if (bias) {
    const scaled = beta === 1 ? bias : bias.map((value) => value * beta);
    node.bind(node.main("dense", [...inputs, node.store("bias", floats([outputs], scaled))], {}));
  } else node.bind(plus(node, node.main("dense", inputs, {}), c, beta));
}

function plus(node: NodeContext, y: string, c: string, beta: number): string {
  const scaled = beta === 1 ? c : node.step("beta", "mul", [c, node.store("beta", floats([], [beta]))], {});
  return node.step("c", "add", [y, scaled], {});
}

export const linear: Readonly<Record<string, OperatorImporter>> = { MatMul: matMul, Gemm: gemm };
