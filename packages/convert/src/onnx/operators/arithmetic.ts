import type { OperatorImporter } from "../context.ts";

/**
 * Two operands with numpy broadcasting (operator sets from 7 on). Integers are for shapes: they fold or are refused.
 */
function binary(op: "add" | "sub" | "mul" | "div"): OperatorImporter {
  return (node) => {
    const inputs = [node.input(0), node.input(1)];
    const constant = inputs.every((input) => node.constantOf(input) !== undefined);
    node.bind(node.main(op, constant ? inputs : [node.float(0), node.float(1)], {}));
  };
}

export const arithmetic: Readonly<Record<string, OperatorImporter>> = {
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Div: binary("div"),
};
