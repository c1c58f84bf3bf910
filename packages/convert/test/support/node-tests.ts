/** The ONNX project's node tests: one model each with inputs and expected outputs, and what our runtime makes of one. */
import { createModel, type Graph, LowbitError, Tensor, type TensorDType, type Tier } from "lowbit";
import { importModel, runPasses } from "../../src/index.ts";
import {
  fromBinary,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  toBinary,
} from "../../src/onnx/schema.ts";
import { readTensor } from "../../src/onnx/tensor.ts";
import { untar } from "./tar.ts";

export const NODE_TESTS = "onnx-node-tests.tar.gz";

/** Those that are committed, all of which pass; a path in the checkout. */
export const MORE_TESTS = "packages/convert/test/golden/node-tests.tar.gz";

export interface NodeTest {
  /** Without `test_`. */
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** In the order of their names. */
export function readNodeTests(archive: Uint8Array): NodeTest[] {
  const files = untar(archive);
  const tests: NodeTest[] = [];
  for (const [path, model] of files) {
    const name = /test_([^/]+)\/model\.onnx$/.exec(path)?.[1];
    if (name === undefined) continue;
    const folder = path.slice(0, -"model.onnx".length);
    const tensors = (kind: string) => {
      const list: Uint8Array[] = [];
      for (let i = 0; ; i++) {
        const file = files.get(`${folder}test_data_set_0/${kind}_${i}.pb`);
        if (file === undefined) return list;
        list.push(file);
      }
    };
    tests.push({ name, model, inputs: tensors("input"), outputs: tensors("output") });
  }
  return tests.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const tensorProto = (bytes: Uint8Array): TensorProto => fromBinary(TensorProtoSchema, bytes);

export function asTensor(bytes: Uint8Array): Tensor {
  const { dtype, shape, data } = readTensor(tensorProto(bytes), "test");
  return new Tensor(dtype, shape, data);
}

/**
 * The model with everything but its first input as initializers: weights are constants in networks, and inputs in these
 * tests.
 */
export function withConstants({ model, inputs }: NodeTest): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const names = proto.graph!.input.map(({ name }) => name);
  inputs.slice(1).forEach((bytes, index) => {
    const tensor = tensorProto(bytes);
    tensor.name = names[index + 1]!;
    proto.graph!.initializer.push(tensor);
  });
  return toBinary(ModelProtoSchema, proto);
}

/** ONNX operators of the model, functions among them not taken apart. */
export function operatorsOf({ model }: NodeTest): string[] {
  const { graph }: ModelProto = fromBinary(ModelProtoSchema, model);
  return [...new Set(graph!.node.map(({ domain, opType }) => (domain ? `${domain}.${opType}` : opType)))];
}

/** One operation of a plan. */
interface Ran {
  /** Of the Graph. */
  readonly op: string;
  readonly kernel: string;
}

export interface Outcome {
  /** Why it did not pass, in one line; absent where it did. */
  readonly reason?: string;
  /** Whether weights and lists had to be initializers. */
  readonly constants: boolean;
  readonly ran: readonly Ran[];
  readonly graph?: Graph;
}

/**
 * Imports the model, plans it and runs it on kernels: first with every input given when it runs; where an importer or a kernel wants a constant, with
 * all inputs but the first as constants.
 */
export async function runNodeTest(test: NodeTest, tier: Tier): Promise<Outcome> {
  const open = await attempt(test, test.model, false, tier);
  if (open.reason === undefined || open.ran.length > 0 || test.inputs.length < 2) return open;
  return attempt(test, withConstants(test), true, tier);
}

/** The test's inputs by name, as many as the graph has. */
export function feedOf({ model, inputs }: NodeTest, graph: Graph): Record<string, Tensor> {
  const names = fromBinary(ModelProtoSchema, model).graph!.input.map(({ name }) => name);
  return Object.fromEntries(graph.inputs.map((name) => [name, asTensor(inputs[names.indexOf(name)]!)]));
}

async function attempt(test: NodeTest, model: Uint8Array, constants: boolean, tier: Tier): Promise<Outcome> {
  const ran: Ran[] = [];
  let graph: Graph | undefined;
  try {
    graph = runPasses(importModel(model));
    using running = await createModel(graph, { tier });
    const feed = feedOf(test, graph);
    const results = await running.run(feed);
    const { nodes } = await running.profile(feed, { runs: 1 });
    ran.push(...nodes.map(({ op, kernel }) => ({ op, kernel })));
    const outputs = graph.outputs.map((name, i) => difference(asTensor(test.outputs[i]!), results[name]!));
    const reason = outputs.find((difference) => difference !== undefined);
    return { constants, ran, graph, ...(reason !== undefined && { reason }) };
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error;
    return { constants, ran, ...(graph && { graph }), reason: error.message };
  }
}

/** How `got` differs from what is expected: integers exactly, floats by more than ONNX's own runner allows; undefined where it does not. */
export function difference(expected: Tensor, got: Tensor): string | undefined {
  if (expected.dtype !== got.dtype) return `type of the output: expected ${expected.dtype}, got ${got.dtype}`;
  if (expected.shape.join() !== got.shape.join())
    return `shape of the output: expected [${expected.shape}], got [${got.shape}]`;
  const isFloat = floats.has(expected.dtype);
  for (let i = 0; i < expected.size; i++) {
    const [want, have] = [expected.data[i]!, got.data[i]!];
    const near = isFloat && Math.abs(Number(want) - Number(have)) <= 1e-7 + 1e-3 * Math.abs(Number(want));
    if (!Object.is(want, have) && want !== have && !near)
      return `element ${i} of the output: expected ${want}, got ${have}`;
  }
  return undefined;
}

const floats: ReadonlySet<TensorDType> = new Set<TensorDType>(["f32", "f64"]);
