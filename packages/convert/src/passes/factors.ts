import type { Node } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";

/** The number behind a constant of one element. */
export function scalarOf(editor: GraphEditor, name: string | undefined): number | undefined {
  const constant = editor.plain(name);
  return constant?.dtype === "f32" && constant.data.length === 1 ? Number(constant.data[0]) : undefined;
}

/** A value and a scalar constant that a node of two inputs has; `op` may be any of those given. */
export function withScalar(
  editor: GraphEditor,
  node: Node | undefined,
  ...ops: readonly Node["op"][]
): { readonly x: string; readonly scalar: number; readonly first: boolean } | undefined {
  if (!node || !ops.includes(node.op)) return undefined;
  const [a = "", b = ""] = node.inputs;
  const [left, right] = [scalarOf(editor, a), scalarOf(editor, b)];
  if (right !== undefined && !editor.constants.has(a)) return { x: a, scalar: right, first: false };
  return left !== undefined && !editor.constants.has(b) ? { x: b, scalar: left, first: true } : undefined;
}

/** A value as a product: what is multiplied (a square twice, in any order), and the constants among it. */
export interface Product {
  readonly values: readonly string[];
  readonly constant: number;
}

/** Takes a value apart, down to `stops` and to whatever is no multiplication, division by a constant, or power of 2 or 3. */
export function productOf(editor: GraphEditor, value: string, stops: readonly string[], depth = 8): Product {
  const leaf = { values: [value], constant: 1 };
  const constant = scalarOf(editor, value);
  if (constant !== undefined) return { values: [], constant };
  const node = editor.producer(value);
  if (stops.includes(value) || node === undefined || depth === 0) return leaf;
  const inner = (name: string) => productOf(editor, name, stops, depth - 1);
  if (node.op === "mul") {
    const [a, b] = node.inputs.map(inner) as [Product, Product];
    return { values: [...a.values, ...b.values], constant: a.constant * b.constant };
  }
  const divided = withScalar(editor, node, "div", "pow");
  if (!divided || divided.first) return leaf;
  const x = inner(divided.x);
  if (node.op === "div") return { ...x, constant: x.constant / divided.scalar };
  if (divided.scalar !== 2 && divided.scalar !== 3) return leaf;
  const times = Array.from({ length: divided.scalar }, () => x);
  return {
    values: times.flatMap(({ values }) => values),
    constant: times.reduce((product, { constant }) => product * constant, 1),
  };
}

/** Whether a product is that of these values times about `constant`: exporters write √2 with 4 to 9 digits. */
export function isProduct(product: Product, values: readonly string[], constant: number): boolean {
  const isClose = Math.abs(product.constant - constant) <= 1e-4 * Math.abs(constant);
  return isClose && [...product.values].sort().join("\n") === [...values].sort().join("\n");
}
