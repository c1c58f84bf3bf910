import type { PlainConstant } from "lowbit";
import { ModelFileError } from "../errors.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  type NodeProto,
} from "./generated/onnx_pb.ts";
import { nodeTitle } from "./reader.ts";
import { readTensor } from "./tensor.ts";

const A = AttributeProto_AttributeType;

/** Typed access to a node's attributes; one of the wrong type is a {@link ModelFileError} naming node and attribute. */
export class NodeAttributes {
  readonly #op: string;
  readonly #byName = new Map<string, AttributeProto>();

  constructor(node: NodeProto) {
    this.#op = `onnx: ${node.opType} "${nodeTitle(node)}"`;
    for (const attribute of node.attribute) {
      if (attribute.refAttrName !== "")
        throw new ModelFileError(this.#op, attribute.name, "a value", "a reference to a function's attribute");
      this.#byName.set(attribute.name, attribute);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, fallback: number): number {
    const attribute = this.#get(name, A.INT);
    return attribute ? this.#safe(name, attribute.i) : fallback;
  }

  float(name: string, fallback: number): number {
    return this.#get(name, A.FLOAT)?.f ?? fallback;
  }

  string(name: string, fallback: string): string {
    const attribute = this.#get(name, A.STRING);
    return attribute ? new TextDecoder().decode(attribute.s) : fallback;
  }

  strings(name: string): string[] | undefined {
    return this.#get(name, A.STRINGS)?.strings.map((value) => new TextDecoder().decode(value));
  }

  ints(name: string): number[] | undefined {
    return this.#get(name, A.INTS)?.ints.map((value) => this.#safe(name, value));
  }

  floats(name: string): number[] | undefined {
    return this.#get(name, A.FLOATS)?.floats;
  }

  tensor(name: string): PlainConstant | undefined {
    const attribute = this.#get(name, A.TENSOR);
    if (attribute === undefined) return undefined;
    if (attribute.t === undefined) throw new ModelFileError(this.#op, name, "a tensor", "none");
    return readTensor(attribute.t, `${this.#op} ${name}`);
  }

  /** @throws ModelFileError where the node does not have it */
  graph(name: string): GraphProto {
    const graph = this.#get(name, A.GRAPH)?.g;
    if (graph === undefined) throw new ModelFileError(this.#op, `attribute ${name}`, "a graph", "none");
    return graph;
  }

  #get(name: string, type: AttributeProto_AttributeType): AttributeProto | undefined {
    const attribute = this.#byName.get(name);
    // IR versions before 2 had no type field; 0 there means "look at the field that is set".
    if (attribute !== undefined && attribute.type !== type && attribute.type !== A.UNDEFINED) {
      throw new ModelFileError(this.#op, `attribute ${name}`, A[type], A[attribute.type] ?? attribute.type);
    }
    return attribute;
  }

  #safe(name: string, value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ModelFileError(this.#op, `attribute ${name}`, "an integer below 2^53", value);
    }
    return Number(value);
  }
}
