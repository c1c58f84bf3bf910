/** What the entries `lowbit` and `lowbit/slim` have in common. */
export * from "./errors.ts";
export { type Pack, packs } from "./file/pack.ts";
export { formatVersion, isPacked, type Packed, type Provenance } from "./file/packed.ts";
export { readPacked } from "./file/read.ts";
export {
  looksLikeSafetensors,
  type RawTensor,
  readSafetensors,
  readSafetensorsHeader,
  type Safetensors,
  type SafetensorsDType,
  type SafetensorsHead,
  type SafetensorsHeader,
  safetensorsHead,
  safetensorsHeaderEnd,
  type TensorPlace,
  writeSafetensors,
} from "./file/safetensors.ts";
export { PackedStream, type WriteOptions, writePacked } from "./file/write.ts";
export * from "./graph/index.ts";
export { type ImageLike, imageToTensor, type Ranked, topK } from "./image.ts";
export { KernelInstance } from "./kernels/instance.ts";
export type { WasmProvider, WasmSource } from "./kernels/load.ts";
export { availableTiers, type Part, type Tier, type TierReport, tierReport, tiers } from "./kernels/tiers.ts";
export type { CreateOptions, LoadOptions, RuntimeOptions } from "./runtime/load.ts";
export type { Binding, Step } from "./runtime/lower/operation.ts";
export {
  type CustomLowering,
  type CustomOperation,
  type CustomOperator,
  type RegisteredOp,
  registerOp,
} from "./runtime/register.ts";
export type * from "./runtime/types.ts";
export { type ByteSource, readSource, type SourceOptions } from "./source.ts";
export { arrayOf, bytesOf, fromHalf, sizeOf, Tensor, type TensorDType, toHalf } from "./tensor.ts";
