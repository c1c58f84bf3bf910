export { type AttributeRule, type AttributeRules, isDim, maxSize } from "./attributes.ts";
export { constantBytes, type MatrixSize, matrixSize } from "./constants.ts";
export { decodeWeights } from "./decode.ts";
export {
  type Elements,
  type InputRule,
  inferOutputs,
  inferShape,
  isCustomNode,
  isOpsOp,
  type OutputRule,
} from "./operators.ts";
export { bindShape, boundShape, OPEN, type Shape, type ShapeRule } from "./shapes.ts";
export type * from "./types.ts";
export { validateGraph } from "./validate.ts";
