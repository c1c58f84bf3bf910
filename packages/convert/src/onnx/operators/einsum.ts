/**
 * Einsum-12: sums of products by the labels of axes, as transposes, a matrix product (`dense`, where one side is a constant, so that it is quantized like any other layer) or a product element by
 * element, and sums. Operands are joined from the left; a label is summed over as soon as nothing behind needs it.
 */
import type { Dim } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** A value, and the label of each of its axes, all different. */
interface Labelled {
  readonly value: string;
  readonly labels: readonly string[];
}

const einsum: OperatorImporter = (node) => {
  const equation = node.attributes.string("equation", "");
  const given = node.proto.input.map((_, i) => node.input(i));
  const isDouble = node.info(node.input(0)).dtype === "f64";
  const { operands, output } = labelsOf(
    node,
    equation,
    given.map((value) => node.shape(value).length),
  );
  const steps = new Contraction(node);
  let [left, ...others] = operands.map((labels, i) => steps.withoutRepeats(node.float(i), labels)) as [
    Labelled,
    ...Labelled[],
  ];
  steps.checkSizes([left, ...others]);
  while (others.length > 0) {
    const [right, ...rest] = others as [Labelled, ...Labelled[]];
    const needed = new Set([...output, ...rest.flatMap(({ labels }) => labels)]);
    left = steps.product(left, right, needed);
    others = rest;
  }
  const { value } = steps.arranged(steps.summed(left, new Set(output)), output);
  node.bind(isDouble ? node.main("anyCast", [value], { to: "f64" }) : value);
};

/** Labels of every operand and of the output, `...` as labels of its own: as many as the operand that has most behind its dots. */
function labelsOf(node: NodeContext, equation: string, ranks: readonly number[]) {
  const refuse = (what: string, expected: unknown, got: unknown): never => {
    throw new ModelFileError(`onnx: ${node.title}`, what, expected, got);
  };
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  const isTerm = (term: string) => /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term);
  if (more.length > 0 || ![...terms, right ?? ""].every(isTerm))
    refuse("equation", "terms of letters and ..., with commas between and -> in front of the last", equation);
  if (terms.length !== ranks.length) refuse("terms of the equation", ranks.length, terms.length);
  const dotted = terms.map((term, i) => {
    const dots = ranks[i]! - term.replace("...", "").length;
    if (dots < 0 || (dots > 0 && !term.includes("..."))) refuse(`rank of input ${i}`, `that of "${term}"`, ranks[i]);
    return term.includes("...") ? dots : 0;
  });
  const most = Math.max(...dotted);
  const expanded = (term: string, dots: number): string[] => {
    const [before = "", after] = term.split("...");
    if (after === undefined) return [...before];
    return [...before, ...Array.from({ length: dots }, (_, i) => `.${most - dots + i}`), ...after];
  };
  const operands = terms.map((term, i) => expanded(term, dotted[i]!));
  const all = operands.flat();
  const once = [...new Set(all)].filter((label) => all.indexOf(label) === all.lastIndexOf(label) && /^\w/.test(label));
  const output = right === undefined ? expanded(`...${once.sort().join("")}`, most) : expanded(right, most);
  if (new Set(output).size < output.length || !output.every((label) => all.includes(label)))
    refuse("output of the equation", "labels of the terms, each once", right);
  if (!output.includes(".0") && most > 0) refuse("output of the equation", "the ... of the terms", right);
  return { operands, output };
}

class Contraction {
  readonly #node: NodeContext;
  #count = 0;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** Sizes of one label that are known are equal. */
  checkSizes(operands: readonly Labelled[]): void {
    const sizes = new Map<string, Dim>();
    for (const { value, labels } of operands)
      for (const [axis, label] of labels.entries()) {
        const size = this.#node.shape(value)[axis]!;
        const before = sizes.get(label) ?? size;
        sizes.set(label, size);
        // Axes of 1 are repeated behind dots only, which is not done for a product of matrices.
        if (typeof size === "number" && typeof before === "number" && size !== before)
          this.#node.unsupported(`sizes ${before} and ${size} of label "${label}"`, "equal sizes");
      }
  }

  /** The diagonal of axes that have the same label. */
  withoutRepeats(value: string, labels: readonly string[]): Labelled {
    const node = this.#node;
    const label = labels.find((one, i) => labels.indexOf(one) !== i);
    if (label === undefined) return { value, labels };
    const pair = labels.flatMap((one, i) => (one === label ? [i] : [])).slice(0, 2);
    const others = labels.map((_, i) => i).filter((i) => !pair.includes(i));
    const shape = node.shape(value);
    const [size, other] = pair.map((axis) => shape[axis]);
    if (typeof size !== "number" || size !== other)
      return node.unsupported(`a diagonal of sizes ${size} and ${other}`, "equal sizes that are known");
    // Every (size + 1)-th of the elements of the last two axes, seen as one.
    const last = node.step(this.#part("diagonal"), "transpose", [value], { permutation: [...others, ...pair] });
    const outer = others.map((axis) => shape[axis]!);
    const flat = node.step(this.#part("flat"), "reshape", [last], { shape: [...outer, size * size] });
    const lists = [0, size * size, others.length, size + 1].map((one, i) =>
      node.integers(this.#part(`slice${i}`), [one]),
    );
    const diagonal = node.step(this.#part("slice"), "slice", [flat, ...lists], {});
    return this.withoutRepeats(diagonal, [...others.map((axis) => labels[axis]!), label]);
  }

  /** Without the axes whose labels nothing needs. */
  summed({ value, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
    const axes = labels.flatMap((label, i) => (needed.has(label) ? [] : [i]));
    if (axes.length === 0) return { value, labels };
    const list = this.#node.integers(this.#part("axes"), axes);
    const attributes = { reduction: "sum", keepAxes: false, keepWithoutAxes: false } as const;
    const sum = this.#node.step(this.#part("sum"), "reduce", [value, list], attributes);
    return { value: sum, labels: labels.filter((label) => needed.has(label)) };
  }

  /** Its axes in the order of `labels`, which are all that it has. */
  arranged({ value, labels }: Labelled, order: readonly string[]): Labelled {
    const permutation = order.map((label) => labels.indexOf(label));
    if (permutation.every((axis, i) => axis === i)) return { value, labels };
    return { value: this.#node.step(this.#part("order"), "transpose", [value], { permutation }), labels: order };
  }

  /** The product of two operands, summed over what is not needed behind it. */
  product(a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
    const left = this.summed(a, new Set([...needed, ...b.labels]));
    const right = this.summed(b, new Set([...needed, ...left.labels]));
    const shared = left.labels.filter((label) => right.labels.includes(label));
    const batch = shared.filter((label) => needed.has(label));
    const inner = shared.filter((label) => !needed.has(label));
    const only = (one: Labelled) => one.labels.filter((label) => !shared.includes(label));
    const parts = { batch, inner, rows: only(left), columns: only(right) };
    if (inner.length === 0) return this.#elementwise(left, right, parts);
    if (batch.length === 0 && this.#node.constantOf(right.value)) return this.#dense(left, right, parts);
    if (batch.length === 0 && this.#node.constantOf(left.value))
      return this.#dense(right, left, { ...parts, rows: parts.columns, columns: parts.rows });
    return this.#matmul(left, right, parts);
  }

  #elementwise(a: Labelled, b: Labelled, { batch, rows, columns }: Parts): Labelled {
    const left = this.arranged(a, [...batch, ...rows]);
    const right = this.arranged(b, [...batch, ...columns]);
    const ones = (count: number): Dim[] => new Array<Dim>(count).fill(1);
    const wide = this.#reshaped(left.value, [...this.#sizes(left), ...ones(columns.length)]);
    const sizes = this.#sizes(right);
    const tall = this.#reshaped(right.value, [
      ...sizes.slice(0, batch.length),
      ...ones(rows.length),
      ...sizes.slice(batch.length),
    ]);
    const value = this.#node.step(this.#part("product"), "mul", [wide, tall], {});
    return { value, labels: [...batch, ...rows, ...columns] };
  }

  /** x [rows..., inner] by constant weights [columns, inner]. */
  #dense(x: Labelled, weights: Labelled, { inner, rows, columns }: Parts): Labelled {
    const left = this.arranged(x, [...rows, ...inner]);
    const right = this.arranged(weights, [...columns, ...inner]);
    const [sizes, others] = [this.#sizes(left), this.#sizes(right)];
    const depth = this.#total(others.slice(columns.length));
    const flat = this.#reshaped(left.value, [...sizes.slice(0, rows.length), depth]);
    const matrix = this.#reshaped(right.value, [this.#total(others.slice(0, columns.length)), depth]);
    const y = this.#node.step(this.#part("product"), "dense", [flat, this.#node.weight(matrix)], {});
    const shape = [...sizes.slice(0, rows.length), ...others.slice(0, columns.length)];
    return { value: this.#reshaped(y, shape), labels: [...rows, ...columns] };
  }

  #matmul(a: Labelled, b: Labelled, { batch, inner, rows, columns }: Parts): Labelled {
    const left = this.arranged(a, [...batch, ...rows, ...inner]);
    const right = this.arranged(b, [...batch, ...inner, ...columns]);
    const [sizes, others] = [this.#sizes(left), this.#sizes(right)];
    const outer = sizes.slice(0, batch.length);
    const depth = this.#total(others.slice(batch.length, batch.length + inner.length));
    const height = sizes.slice(batch.length, batch.length + rows.length);
    const width = others.slice(batch.length + inner.length);
    const x = this.#reshaped(left.value, [...outer, this.#total(height), depth]);
    const w = this.#reshaped(right.value, [...outer, depth, this.#total(width)]);
    const y = this.#node.step(this.#part("product"), "matmul", [x, w], {});
    return { value: this.#reshaped(y, [...outer, ...height, ...width]), labels: [...batch, ...rows, ...columns] };
  }

  #sizes({ value }: Labelled): readonly Dim[] {
    return this.#node.shape(value);
  }

  /** Axes seen as one; -1 where a size is not known: a reshape finds one such. */
  #total(sizes: readonly Dim[]): Dim {
    if (sizes.length === 1) return sizes[0]!;
    return sizes.every((size) => typeof size === "number") ? sizes.reduce<number>((a, b) => a * (b as number), 1) : -1;
  }

  #reshaped(value: string, shape: readonly Dim[]): string {
    const node = this.#node;
    if (shape.join() === node.shape(value).join()) return value;
    if (shape.filter((size) => size === -1).length > 1)
      node.unsupported("several axes of open sizes that become one", "one group of them");
    return node.step(this.#part("shape"), "reshape", [value], { shape });
  }

  #part(what: string): string {
    return `${what}${this.#count++}`;
  }
}

/** Labels of two operands: of both and the output, of both and summed over, of one of them. */
interface Parts {
  readonly batch: readonly string[];
  readonly inner: readonly string[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

export const einsums: Readonly<Record<string, OperatorImporter>> = { Einsum: einsum };
