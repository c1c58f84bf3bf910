/**
 * Files of tensors, without the importers of networks: entry `@lowbit/convert/tensors`, for what shall start at once.
 *
 * ```ts
 * import { openTensorFile } from "@lowbit/convert/tensors";
 * const { format, tensors, close } = await openTensorFile("weights.safetensors");
 * ```
 */
export { openSource, type Source, type SourceSettings } from "../source/source.ts";
export { openTensorFile, type TensorFile, type TensorInfo, tensorFormat } from "./file.ts";
