/** Graphs for tests, written node by node: names and shapes follow by themselves. */
import { inferShape } from "../graph/operators.ts";
import type {
  ActivationQuantization,
  Attributes,
  Constant,
  DataOf,
  Dim,
  DType,
  Graph,
  Node,
  Op,
  QuantizedConstant,
  ValueInfo,
  Window2d,
} from "../graph/types.ts";

export class GraphBuilder {
  readonly #inputs: string[] = [];
  readonly #nodes: Node[] = [];
  readonly #values = new Map<string, ValueInfo>();
  readonly #constants = new Map<string, Constant>();

  input(name: string, dtype: DType, shape: readonly Dim[], quantization?: ActivationQuantization): string {
    this.#inputs.push(name);
    this.#values.set(name, { dtype, shape, ...(quantization && { quantization }) });
    return name;
  }

  /** A plain constant; returns its name. */
  plain<D extends keyof DataOf>(dtype: D, shape: readonly number[], data: DataOf[D]): string {
    return this.#add({ kind: "plain", dtype, shape, data });
  }

  quantized(constant: QuantizedConstant): string {
    return this.#add(constant);
  }

  #add(constant: Constant): string {
    const name = `constant${this.#constants.size}`;
    this.#constants.set(name, constant);
    return name;
  }

  /** A node; returns the name of its output, whose shape is inferred. */
  node<K extends Op>(
    op: K,
    inputs: readonly string[],
    attributes: Attributes[K],
    dtype: DType,
    quantization?: ActivationQuantization,
  ): string {
    const name = `${op}${this.#nodes.length}`;
    const output = `${name}.y`;
    const node = { op, name, inputs, outputs: [output], attributes } as unknown as Node;
    const shapes = inputs.map((input) => (input === "" ? undefined : this.shape(input)));
    this.#values.set(output, { dtype, shape: inferShape(node, shapes), ...(quantization && { quantization }) });
    this.#nodes.push(node);
    return output;
  }

  shape(name: string): readonly Dim[] {
    return this.#values.get(name)?.shape ?? this.#constants.get(name)!.shape;
  }

  dtype(value: string): DType {
    return this.#values.get(value)!.dtype;
  }

  quantization(value: string): ActivationQuantization | undefined {
    return this.#values.get(value)?.quantization;
  }

  /** Size of the last axis, which must be known. */
  channels(name: string): number {
    return this.shape(name).at(-1) as number;
  }

  build(...outputs: readonly string[]): Graph {
    return {
      name: "test",
      inputs: this.#inputs,
      outputs,
      nodes: this.#nodes,
      values: this.#values,
      constants: this.#constants,
    };
  }
}

/** A square window; padding on all sides. */
export const square = (kernel: number, { stride = 1, pad = 0, dilation = 1 } = {}): Window2d => ({
  kernel: [kernel, kernel],
  strides: [stride, stride],
  dilations: [dilation, dilation],
  pads: [pad, pad, pad, pad],
});
