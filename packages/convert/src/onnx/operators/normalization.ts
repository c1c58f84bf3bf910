import { floats } from "../../graph/constants.ts";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";

/** BatchNormalization-7 to -15. X [N, C, ...]; by stored statistics, or in training mode by its own, with the running ones as outputs. */
function batchNormalization(node: NodeContext): void {
  const { attributes } = node;
  if (attributes.int("spatial", 1) !== 1) node.unsupported("spatial 0", "statistics per channel (spatial 1)");
  const x = node.float(0);
  const epsilon = attributes.float("epsilon", Math.fround(1e-5));
  if (attributes.int("training_mode", 0) !== 0) {
    training(node, x, epsilon);
    return;
  }
  const statistics = [1, 2, 3, 4].map((index) => node.float(index, 1));
  const rank = node.shape(x).length;
  const isConstant = statistics.every((name) => node.constantOf(name) !== undefined);
  if (!isConstant || (rank !== 2 && rank !== 4)) {
    node.bind(node.main("channelNorm", [x, ...statistics], { epsilon }));
    return;
  }
  if (rank === 2) {
    node.bind(node.main("batchNorm", [x, ...statistics], { epsilon }));
    return;
  }
  const nhwc = node.step("nhwc", "transpose", [x], { permutation: TO_NHWC });
  const y = node.main("batchNorm", [nhwc, ...statistics], { epsilon });
  node.bind(node.step("nchw", "transpose", [y], { permutation: TO_NCHW }));
}

/** running = given * momentum + own * (1 - momentum) */
function training(node: NodeContext, x: string, epsilon: number): void {
  const momentum = node.attributes.float("momentum", Math.fround(0.9));
  const scalar = (part: string, value: number) => node.store(part, floats([], [value]));
  const own = node.steps("statistics", "channelStatistics", [x], {}, 2);
  node.bind(node.main("channelNorm", [x, node.float(1), node.float(2), ...own], { epsilon }));
  for (const [i, part] of (["mean", "variance"] as const).entries()) {
    const kept = node.step(`${part}/kept`, "mul", [node.float(3 + i), scalar(`${part}/momentum`, momentum)], {});
    const fresh = node.step(`${part}/new`, "mul", [own[i]!, scalar(`${part}/rest`, 1 - momentum)], {});
    node.bind(node.step(part, "add", [kept, fresh], {}), i + 1);
  }
}

function instanceNormalization(node: NodeContext): void {
  const epsilon = node.attributes.float("epsilon", Math.fround(1e-5));
  node.bind(node.main("planeNorm", [node.float(0), node.float(1, 1), node.float(2, 1)], { groups: 0, epsilon }));
}

/** GroupNormalization-21 has scale and bias per channel; -18 had them per group. */
function groupNormalization(node: NodeContext): void {
  const groups = node.attributes.int("num_groups", 0);
  const channels = node.shape(node.input(0))[1];
  const perChannel = (index: number) => {
    const given = node.float(index, 1);
    if (node.opset >= 21) return given;
    if (typeof channels !== "number" || !(groups > 0) || channels % groups !== 0)
      node.unsupported(`${channels} channels in ${groups} groups`, "a known multiple of the groups");
    const part = `input${index}`;
    const column = node.step(`${part}/column`, "reshape", [given], { shape: [groups, 1] });
    const size = node.integers(`${part}/size`, [groups, channels / groups]);
    const matrix = node.step(`${part}/matrix`, "expand", [column, size], {});
    return node.step(part, "reshape", [matrix], { shape: [channels] });
  };
  const epsilon = node.attributes.float("epsilon", Math.fround(1e-5));
  node.bind(node.main("planeNorm", [node.float(0), perChannel(1), perChannel(2)], { groups, epsilon }));
}

const lrn: OperatorImporter = (node) => {
  const { attributes } = node;
  node.bind(
    node.main("localResponse", [node.float(0)], {
      size: attributes.int("size", 0),
      alpha: attributes.float("alpha", Math.fround(0.0001)),
      beta: attributes.float("beta", 0.75),
      bias: attributes.float("bias", 1),
    }),
  );
};

export const normalization: Readonly<Record<string, OperatorImporter>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LRN: lrn,
};
