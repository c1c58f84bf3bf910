import { type Graph, validateGraph } from "lowbit";
import type { PassOptions } from "../api.ts";
import { GraphEditor } from "../graph/editor.ts";
import { eliminateTransposes } from "./eliminate-transposes.ts";
import { foldAffine } from "./fold-affine.ts";
import { foldConstants } from "./fold-constants.ts";
import { fuseAffine } from "./fuse-affine.ts";
import { fuseClamp } from "./fuse-clamp.ts";
import { fusePadding } from "./fuse-padding.ts";
import { fuseQuantize } from "./fuse-quantize.ts";
import { hoistOverMaxPool } from "./hoist-over-max-pool.ts";
import { hoistQuantize } from "./hoist-quantize.ts";
import { integerInputs } from "./integer-inputs.ts";
import type { Pass } from "./pass.ts";
import { recognizeAttention } from "./recognize-attention.ts";
import { recognizeGelu } from "./recognize-gelu.ts";
import { recognizeLayerNorm } from "./recognize-layer-norm.ts";
import { recognizeSigns } from "./recognize-signs.ts";
import { recognizeWeights } from "./recognize-weights.ts";
import { removeNoOps } from "./remove-no-ops.ts";
import { sinkDequantize } from "./sink-dequantize.ts";
import { sinkScales } from "./sink-scales.ts";
import { sinkSigns } from "./sink-signs.ts";
import { straightThrough } from "./straight-through.ts";

/** Every pass, in the order in which they run. */
export const PASSES: readonly Pass[] = [
  foldConstants,
  removeNoOps,
  straightThrough,
  // In the exporter's own order of axes and steps.
  recognizeAttention,
  recognizeLayerNorm,
  recognizeGelu,
  eliminateTransposes,
  removeNoOps,
  fusePadding,
  recognizeWeights,
  sinkDequantize,
  integerInputs,
  sinkScales,
  sinkSigns,
  // What moved out from between two reshapes lets them join.
  removeNoOps,
  // Before anything is multiplied together: thresholds come from the source's own expression.
  recognizeSigns,
  hoistOverMaxPool,
  foldAffine,
  fuseAffine,
  fuseClamp,
  hoistQuantize,
  hoistOverMaxPool,
  fuseQuantize,
];

/** What joins int8 codes with the layers before and behind them, once a quantizer has put them there. */
export const INTEGER_PASSES: readonly Pass[] = [
  sinkDequantize,
  integerInputs,
  hoistQuantize,
  hoistOverMaxPool,
  fuseQuantize,
];

/**
 * Runs the passes on a Graph. What it computes stays: exactly where the passes only move or rename, to the rounding of
 * f32 where they multiply constants together. Nodes that no output needs are gone afterwards.
 */
export function runPasses(graph: Graph, options: PassOptions = {}, passes: readonly Pass[] = PASSES): Graph {
  const editor = GraphEditor.from(graph);
  for (const pass of passes) {
    const changes: string[] = [];
    pass.run(editor, (change) => changes.push(change));
    // Dead nodes would count as readers in the next pass.
    editor.prune();
    if (changes.length > 0) options.explain?.({ pass: pass.name, changes });
  }
  const result = editor.freeze();
  validateGraph(result);
  return result;
}
