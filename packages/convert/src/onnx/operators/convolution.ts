import { ModelFileError } from "../../errors.ts";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";
import { windowOf } from "./window.ts";

/** Conv-1 to Conv-22, two spatial axes. X [N, C, H, W], W [O, C / group, kh, kw], B? [O]. */
function conv(node: NodeContext): void {
  const x = node.float(0, 4);
  const weight = node.float(1, 4);
  const bias = node.optional(2);
  if (!node.constantOf(weight) || (bias && !node.constantOf(bias)))
    node.unsupported("weights computed at run time", "constant weights");
  const [outputs, perGroup, ...kernel] = node.shape(weight) as number[];
  const groups = node.attributes.int("group", 1);
  const channels = node.shape(x)[1];
  if (groups < 1 || channels !== perGroup! * groups || outputs! % groups !== 0) {
    throw new ModelFileError(
      `onnx: ${node.title}`,
      "group",
      `a divisor of ${outputs} with ${perGroup} channels each of ${channels}`,
      groups,
    );
  }
  const window = windowOf(node, node.shape(x), { kernel });
  if (window.kernel[0] !== kernel[0] || window.kernel[1] !== kernel[1]) {
    throw new ModelFileError(`onnx: ${node.title}`, "kernel_shape", kernel, window.kernel);
  }
  const inputs = [
    node.step("nhwc", "transpose", [x], { permutation: TO_NHWC }),
    node.step("weight", "transpose", [weight], { permutation: TO_NHWC }),
    ...(bias === undefined ? [] : [bias]),
  ];
  const y = node.main("conv2d", inputs, { ...window, groups, padding: "zero" });
  node.bind(node.step("nchw", "transpose", [y], { permutation: TO_NCHW }));
}

export const convolution: Readonly<Record<string, OperatorImporter>> = { Conv: conv };
