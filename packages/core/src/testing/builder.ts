/** Graphs for tests, written node by node: names and shapes follow by themselves. */
import { constantInfo } from "../graph/constants.ts";
import { constantElements, inferOutputs, inferShape, rulesOf } from "../graph/operators.ts";
import { OPEN } from "../graph/shapes.ts";
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
  OpsAttributes,
  OpsOp,
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

  /** A node of `lowbit/ops`, which must be registered; returns the names of its outputs. */
  ops<K extends OpsOp>(op: K, inputs: readonly string[], attributes: OpsAttributes[K], count = 1): string[] {
    const name = `${op}${this.#nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => `${name}.y${i || ""}`);
    const node = { op, name, inputs, outputs, attributes } as unknown as Node;
    const infos = inputs.map((input) => {
      const constant = this.#constants.get(input);
      return constant ? constantInfo(constant) : this.#values.get(input);
    });
    const rules = inferOutputs(node, infos, constantElements(node, rulesOf(op)!, this.#constants));
    for (const [i, output] of outputs.entries()) {
      const { dtypes, shape } = rules[i]!;
      const closed = shape.map((dim, axis) => (dim === OPEN ? `${output}.${axis}` : dim));
      this.#values.set(output, { dtype: dtypes[0]!, shape: closed });
    }
    this.#nodes.push(node);
    return outputs;
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
