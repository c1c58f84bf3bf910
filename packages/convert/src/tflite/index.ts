/**
 * TensorFlow Lite files as they are, checked: entry `@lowbit/convert/tflite`, for code that looks into `.tflite` files itself.
 *
 * ```ts
 * import { readTflite } from "@lowbit/convert/tflite";
 * const { operators, tensors } = readTflite(bytes);
 * ```
 */
export {
  looksLikeTflite,
  readTflite,
  type SourceModel,
  type SourceOperator,
  type SourceQuantization,
  type SourceTensor,
} from "./reader.ts";
export { typeName } from "./schema.ts";
