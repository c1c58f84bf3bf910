import type { Window2d } from "lowbit";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";
import { windowOf } from "./window.ts";

/** Runs `pool` on channels-last data and binds the result channels first. */
function channelsLast(node: NodeContext, x: string, pool: (nhwc: string) => string): void {
  const nhwc = node.step("nhwc", "transpose", [x], { permutation: TO_NHWC });
  node.bind(node.step("nchw", "transpose", [pool(nhwc)], { permutation: TO_NCHW }));
}

/** Padding never wins a maximum, so ceil_mode is just more padding behind. Codes have maxima as floats do. */
function maxPool(node: NodeContext): void {
  const x = node.input(0);
  const { dtype, shape } = node.info(x);
  if (!["f32", "int8", "uint8"].includes(dtype)) node.unsupported(`input 0 of type ${dtype}`, "f32, int8 or uint8");
  if (shape.length !== 4) node.unsupported(`input 0 of rank ${shape.length}`, "rank 4");
  const window = windowOf(node, node.shape(x));
  channelsLast(node, x, (nhwc) => node.main("maxPool", [nhwc], window));
}

function averagePool(node: NodeContext): void {
  const x = node.float(0, 4);
  const countIncludePad = node.attributes.int("count_include_pad", 0) !== 0;
  const window = windowOf(node, node.shape(x), {
    // What ceil_mode adds is never counted, what `pads` adds is: two kinds of padding that one window cannot hold.
    ceil: () => {
      if (countIncludePad) node.unsupported("ceil_mode with count_include_pad", "one of the two");
    },
  });
  channelsLast(node, x, (nhwc) => node.main("avgPool", [nhwc], { ...window, countIncludePad }));
}

function globalMaxPool(node: NodeContext): void {
  const x = node.float(0, 4);
  const [height, width] = node.shape(x).slice(2);
  if (typeof height !== "number" || typeof width !== "number")
    node.unsupported("a dynamic height or width", "fixed ones");
  const window: Window2d = { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  channelsLast(node, x, (nhwc) => node.main("maxPool", [nhwc], window));
}

export const pooling: Readonly<Record<string, OperatorImporter>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (node) => channelsLast(node, node.float(0, 4), (nhwc) => node.main("globalAvgPool", [nhwc], {})),
  GlobalMaxPool: globalMaxPool,
};
