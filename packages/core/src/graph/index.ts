export { isDim, maxSize } from "./attributes.ts";
export { constantBytes, type MatrixSize, matrixSize } from "./constants.ts";
export { decodeWeights } from "./decode.ts";
export { bindShape, boundShape, inferShape, type Shape } from "./shapes.ts";
export type * from "./types.ts";
export { validateGraph } from "./validate.ts";
