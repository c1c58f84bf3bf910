import { floats } from "../../graph/constants.ts";
import type { OperatorImporter } from "../context.ts";
import { ArithmeticOptions } from "../schema.ts";
import { fixedAdd } from "./fixed-point.ts";

/** Two operands with numpy broadcasting and a fused activation; quantized ones are added as floats and quantized again. */
function binary(op: "add" | "sub" | "mul" | "div"): OperatorImporter {
  return (node) => {
    const y = node.main(op, [node.real(0), node.real(1)], {});
    node.bindReal(y, node.options(ArithmeticOptions).activation);
  };
}

export const arithmetic: Readonly<Record<string, OperatorImporter>> = {
  ADD: (node) => {
    const sum = fixedAdd(node, node.options(ArithmeticOptions).activation);
    if (sum === undefined) binary("add")(node);
    else node.bind(sum);
  },
  SUB: binary("sub"),
  MUL: binary("mul"),
  DIV: binary("div"),
  SQUARE: (node) => {
    const x = node.real(0);
    node.bindReal(node.main("mul", [x, x], {}));
  },
  SQUARED_DIFFERENCE: (node) => {
    const difference = node.step("difference", "sub", [node.real(0), node.real(1)], {});
    node.bindReal(node.main("mul", [difference, difference], {}));
  },
  NEG: (node) => node.bindReal(node.main("mul", [node.real(0), node.store("minus", floats([], [-1]))], {})),
  ADD_N: (node) => {
    let sum = node.real(0);
    for (let i = 1; i < node.inputCount; i++) sum = node.step(`sum_${i}`, "add", [sum, node.real(i)], {});
    node.bindReal(sum);
  },
};
