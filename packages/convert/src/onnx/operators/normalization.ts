import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";

/** BatchNormalization-7 to -15 with stored statistics. X [N, C, ...], rank 2 or 4. */
function batchNormalization(node: NodeContext): void {
  const { attributes } = node;
  if (attributes.int("training_mode", 0) !== 0)
    node.unsupported("training_mode 1", "stored statistics (training_mode 0)");
  if (attributes.int("spatial", 1) !== 1) node.unsupported("spatial 0", "statistics per channel (spatial 1)");
  const x = node.float(0);
  const statistics = [1, 2, 3, 4].map((index) => node.float(index, 1));
  const epsilon = attributes.float("epsilon", Math.fround(1e-5));
  const rank = node.shape(x).length;
  if (rank === 2) {
    node.bind(node.main("batchNorm", [x, ...statistics], { epsilon }));
    return;
  }
  if (rank !== 4) node.unsupported(`input 0 of rank ${rank}`, "rank 2 or 4");
  const nhwc = node.step("nhwc", "transpose", [x], { permutation: TO_NHWC });
  const y = node.main("batchNorm", [nhwc, ...statistics], { epsilon });
  node.bind(node.step("nchw", "transpose", [y], { permutation: TO_NCHW }));
}

export const normalization: Readonly<Record<string, OperatorImporter>> = { BatchNormalization: batchNormalization };
