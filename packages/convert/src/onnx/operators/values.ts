import type { CastType, DataOf, PlainConstant } from "lowbit";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorProto_DataType as T } from "../generated/onnx_pb.ts";
import { dtypeOf, typeName } from "../tensor.ts";

/** Types whose rounding or wrapping a cast to our wider type would leave out. */
const NARROW: ReadonlySet<number> = new Set(
  [T.DOUBLE, T.INT4, T.UINT4, T.INT16, T.UINT16, T.UINT32, T.UINT64, T.FLOAT4E2M1].concat([
    T.FLOAT8E4M3FN,
    T.FLOAT8E4M3FNUZ,
    T.FLOAT8E5M2,
    T.FLOAT8E5M2FNUZ,
  ]),
);

/**
 * To float16 and bfloat16 nothing happens: a network in half precision runs in f32 here, which is closer to the numbers
 * it was trained with.
 */
function cast(node: NodeContext): void {
  const x = node.input(0);
  const type = node.attributes.int("to", 0);
  const to = dtypeOf(type) as CastType | undefined;
  if (to === undefined || NARROW.has(type))
    node.unsupported(`to ${typeName(type)}`, "FLOAT, FLOAT16, BFLOAT16, INT8, UINT8, INT32, INT64 or BOOL");
  node.bind(node.info(x).dtype === to ? x : node.main("cast", [x], { to }));
}

function constant(node: NodeContext): void {
  const { attributes } = node;
  const integers = (shape: number[], data: number[]): PlainConstant => ({
    kind: "plain",
    dtype: "int64" satisfies keyof DataOf,
    shape,
    data: BigInt64Array.from(data, BigInt),
  });
  const forms: Record<string, () => PlainConstant | undefined> = {
    value: () => attributes.tensor("value"),
    value_float: () => floats([], [attributes.float("value_float", 0)]),
    value_floats: () => {
      const data = attributes.floats("value_floats")!;
      return floats([data.length], data);
    },
    value_int: () => integers([], [attributes.int("value_int", 0)]),
    value_ints: () => {
      const data = attributes.ints("value_ints")!;
      return integers([data.length], data);
    },
  };
  const form = Object.keys(forms).find((name) => attributes.has(name));
  const value = form && forms[form]!();
  if (!value) node.unsupported("no dense number", Object.keys(forms).join(", "));
  node.bind(node.store("value", value));
}

/** At inference the input itself; the mask (output 1) is for training and stays unbound. */
function dropout(node: NodeContext): void {
  if (Number(node.constantInput(2, "training_mode")?.data[0] ?? 0) !== 0)
    node.unsupported("training_mode 1", "training_mode 0");
  node.bind(node.input(0));
}

export const values: Readonly<Record<string, OperatorImporter>> = {
  Cast: cast,
  Constant: constant,
  Identity: (node) => node.bind(node.input(0)),
  Dropout: dropout,
};
