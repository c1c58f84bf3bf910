import type { Node } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import { isProduct, productOf, withScalar } from "./factors.ts";
import type { Pass } from "./pass.ts";

export const recognizeGelu: Pass = {
  name: "recognize-gelu",
  explain:
    "x/2 (1 + erf(x / √2)), the same with tanh(√(2/π) (x + 0.044715 x³)), and x sigmoid(x) are one operator each (gelu, silu): one pass over memory.",
  run(editor, note) {
    for (const node of editor.live()) {
      if (node.op === "sigmoid") silu(editor, node, note);
      if (node.op !== "erf" && node.op !== "tanh") continue;
      const x = node.op === "erf" ? erfArgument(editor, node) : tanhArgument(editor, node);
      if (x === undefined || editor.info(x).dtype !== "f32") continue;
      for (const add of editor.consumers(node.outputs[0]!)) {
        const one = withScalar(editor, add, "add");
        const root = one?.scalar === 1 ? halvedProduct(editor, x, add.outputs[0]!) : undefined;
        if (!root || !sameShape(editor, x, root)) continue;
        const approximate = node.op === "erf" ? "none" : "tanh";
        editor.replace(root, { op: "gelu", inputs: [x], attributes: { approximate } });
        note(`${root.name}: x/2 (1 + ${node.op} ...) around ${node.name} is gelu`);
      }
    }
  },
};

const sameShape = (editor: GraphEditor, x: string, { outputs }: Node) =>
  editor.shape(x).join() === editor.shape(outputs[0]!).join();

/** x of erf(x / √2). */
function erfArgument(editor: GraphEditor, erf: Node): string | undefined {
  const { values, constant } = productOf(editor, erf.inputs[0]!, [], 1);
  return values.length === 1 && isProduct({ values, constant }, values, Math.SQRT1_2) ? values[0] : undefined;
}

/** x of tanh(√(2/π) (x + 0.044715 x³)), also as tanh(√(2/π) x (1 + 0.044715 x²)). */
function tanhArgument(editor: GraphEditor, tanh: Node): string | undefined {
  const outer = Math.sqrt(2 / Math.PI);
  const { values, constant } = productOf(editor, tanh.inputs[0]!, [], 2);
  const sum = values.map((value) => editor.producer(value)).find((node) => node?.op === "add");
  if (sum === undefined) return undefined;
  const [a = "", b = ""] = sum.inputs;
  const whole = { values, constant };
  for (const [x, cube] of [
    [a, b],
    [b, a],
  ] as const)
    if (isProduct(whole, sum.outputs, outer) && isProduct(productOf(editor, cube, [x]), [x, x, x], 0.044715)) return x;
  const square = withScalar(editor, sum, "add");
  const x = values.find((value) => value !== sum.outputs[0]);
  if (square?.scalar !== 1 || x === undefined || !isProduct(whole, [x, sum.outputs[0]!], outer)) return undefined;
  return isProduct(productOf(editor, square.x, [x]), [x, x], 0.044715) ? x : undefined;
}

/** The node that is x gate / 2, up to two multiplications behind either of them. */
function halvedProduct(editor: GraphEditor, x: string, gate: string): Node | undefined {
  let reached = [gate];
  for (let step = 0; step < 3; step++) {
    const next = reached.flatMap((value) => editor.consumers(value)).filter(({ op }) => op === "mul" || op === "div");
    const root = next.find(({ outputs }) => isProduct(productOf(editor, outputs[0]!, [x, gate]), [x, gate], 0.5));
    if (root) return root;
    reached = next.map(({ outputs }) => outputs[0]!);
  }
  return undefined;
}

function silu(editor: GraphEditor, sigmoid: Node, note: (change: string) => void): void {
  const [x = ""] = sigmoid.inputs;
  const gate = sigmoid.outputs[0]!;
  for (const mul of editor.consumers(gate)) {
    if (mul.op !== "mul" || !mul.inputs.includes(x) || x === gate || editor.info(x).dtype !== "f32") continue;
    editor.replace(mul, { op: "silu", inputs: [x], attributes: {} });
    note(`${mul.name}: x sigmoid(x) around ${sigmoid.name} is silu`);
  }
}
