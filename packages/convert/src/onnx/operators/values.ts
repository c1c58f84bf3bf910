import type { DataOf, PlainConstant } from "lowbit";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

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

/** NonZero: of a constant, or of numbers that follow from sizes. Else how many there are is known to a run only, and a plan is made for sizes that are known. */
function nonZero(node: NodeContext): void {
  const x = node.input(0);
  const elements = node.elements(x) ?? [undefined];
  const sizes = node.shape(x) as number[];
  if (!elements.every((element) => typeof element === "number"))
    node.unsupported("a value computed at run time", "a constant: the size of the output is known to a run only");
  const places = elements.flatMap((element, at) => (element === 0 ? [] : [at]));
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1));
  const indices = sizes.flatMap((size, axis) => places.map((at) => BigInt(Math.floor(at / strides[axis]!) % size)));
  const shape = [sizes.length, places.length];
  node.bind(node.store("places", { kind: "plain", dtype: "int64", shape, data: BigInt64Array.from(indices) }));
}

export const values: Readonly<Record<string, OperatorImporter>> = {
  Constant: constant,
  NonZero: nonZero,
  Identity: (node) => node.bind(node.input(0)),
  Dropout: dropout,
};
