/**
 * Rows of a table by number: y[..., :] = table[ids[...], :]. An id below 0 counts from the end; one that is not in the table ends the run with OutOfRangeError.
 *
 * Inputs: ids int32 or int64 [...], table [V, D], a constant of f32, f16 or affine codes, which stay codes in memory: a row is decoded when it is asked for.
 * Output: f32 [..., D].
 */
import type { InputRule } from "../graph/operators.ts";
import type { Node, NodeOf } from "../graph/types.ts";
import { EmbeddingTable } from "../kernels/embedding.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import { codedRows } from "../runtime/lower/weights.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, refuse, shapeOf } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export type EmbeddingAttributes = Record<never, never>;

/** A table among a node's inputs. */
export const tableInput: InputRule = { what: "table", dtypes: ["f32", "f16"], constant: true, codes: true };

export const embedding: Operator<"embedding"> = {
  name: "embedding",
  attributes: {},
  inputs: [{ what: "ids", dtypes: ["int32", "int64"] }, tableInput],
  outputs(node, inputs) {
    const table = shapeOf(node, inputs, 1);
    if (table.length !== 2) refuse(node, "axes of the table", 2, table.length);
    return [{ dtypes: ["f32"], shape: [...shapeOf(node, inputs), table[1]!] }];
  },
  lower(node, context) {
    const [ids = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const table = tableOf(node, context);
    if (!table) return undefined;
    const dtype = context.info(ids).dtype as "int32" | "int64";
    return {
      node: node.name,
      op: node.op,
      kernel: "embedding",
      inputs: [ids],
      output,
      bind({ pointer, shape }) {
        const [from, to, count] = [pointer(ids), pointer(output), sizeOf(shape(ids))];
        return () => table.run(from, dtype, count, to);
      },
      [Symbol.dispose]: () => table.dispose(),
    };
  },
};

/** The table that is input 1 of a node; undefined after refusing its codes. */
function tableOf(node: Node, context: LoweringContext): EmbeddingTable | undefined {
  const [, name = ""] = node.inputs;
  const constant = context.constant(name);
  const [rows = 0, columns = 0] = constant.shape;
  if (constant.kind === "plain")
    return new EmbeddingTable(context.instance, { rows, columns, values: context.floats(name)! });
  if (constant.decoding.kind === "affine")
    return new EmbeddingTable(context.instance, codesOf(codedRows(constant, 0, rows)));
  return context.refuse(node, `a table of ${constant.scheme} (${constant.decoding.kind})`);
}

/** All rows of the table that is input 1 of a node, as f32 in WASM memory. */
export function decodedTable(
  node: Node,
  context: LoweringContext,
): ({ readonly pointer: number } & Disposable) | undefined {
  const { instance } = context;
  const table = tableOf(node, context);
  if (!table) return undefined;
  const { shape } = context.constant(node.inputs[1]!);
  const bytes = 4 * sizeOf(shape);
  const ids = Int32Array.from({ length: shape[0]! }, (_, i) => i);
  const staged = instance.upload(ids);
  const pointer = instance.alloc(bytes);
  table.run(staged, "int32", ids.length, pointer);
  instance.free(staged, ids.byteLength);
  table.dispose();
  return {
    pointer,
    [Symbol.dispose]() {
      if (!instance.ended) instance.free(pointer, bytes);
    },
  };
}

function codesOf({ decoding, scale = Float32Array.of(1), ...rows }: ReturnType<typeof codedRows>) {
  if (decoding.kind !== "affine") throw new Error("lowering refuses other decodings");
  // A scale for the whole table serves every row.
  return { ...rows, scale, zeroPoint: decoding.zeroPoint };
}

export function reference(_node: NodeOf<"embedding">, [ids, table]: readonly (Value | undefined)[]): Value[] {
  const [rows = 0, columns = 0] = table!.shape;
  return [
    build("f32", [...ids!.shape, columns], (index) => {
      const id = ids!.data[index.slice(0, -1).reduce((at, i, axis) => at * ids!.shape[axis]! + i, 0)]!;
      return table!.data[((id + rows) % rows) * columns + index.at(-1)!]!;
    }),
  ];
}
