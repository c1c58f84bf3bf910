/**
 * `@lowbit/convert`: from a trained network to a packed low-bit one.
 *
 * ```
 * importModel(bytes: Uint8Array, options?: ImportOptions): Graph                       a foreign file as a Graph
 * importHuggingFace(read, options?): Promise<Graph>                                   config.json + safetensors as a Graph
 * runPasses(graph: Graph, options?: PassOptions): Graph                                folding, fusion, recognition
 * calibrate(graph: Graph, feeds: readonly Feed[], options?): Promise<Calibration>      ranges of a float graph
 * rescale(graph: Graph, names, options?): Promise<Graph>                               equalization, SmoothQuant, AWQ's scales
 * quantizeModel(graph: Graph, options: QuantizeModelOptions): Promise<QuantizeModelResult>
 * quantizeTensors(graph: Graph, options): Promise<QuantizeModelResult>                 a safetensors file without a network
 * writeModel(graph: Graph, meta?): Uint8Array   ·   readModel(bytes): { graph, meta }  packed files
 * exportOnnx(graph: Graph, options?): Uint8Array                                       a Graph as ONNX of standard operators
 * exportGguf(graph: Graph): Promise<{ bytes, types }>                                  its constants as GGUF
 * ```
 */
export { ACTIVATIONS, type ActivationScheme, parseActivations } from "./activations.ts";
export { type Allocation, allocationFront, findAllocation } from "./allocation.ts";
export type * from "./api.ts";
export { calibrate } from "./calibrate.ts";
export { readIdx } from "./data/idx.ts";
export { readNpy, writeNpy } from "./data/npy.ts";
export { readNpz, writeNpz } from "./data/npz.ts";
export { FileError, ModelFileError, OptionError, UnsupportedOperatorsError } from "./errors.ts";
export { DEFAULT_GATE } from "./gate.ts";
export type { GgufArray, GgufValue } from "./gguf/header.ts";
export { exportGguf, type GgufExport } from "./gguf/write.ts";
export { GraphEditor } from "./graph/editor.ts";
export {
  HUGGING_FACE_MODELS,
  type HuggingFaceOptions,
  importHuggingFace,
  type Pooling,
  type ReadFile,
} from "./hf/index.ts";
export { formatOf, importFrom, importModel } from "./import.ts";
export { METHODS, methodScheme } from "./methods.ts";
export { exportOnnx, type OnnxExportOptions } from "./onnx/export/index.ts";
export { isPacked, type ModelMeta, readModel, writeModel } from "./packed.ts";
export { PASSES, runPasses } from "./passes/pipeline.ts";
export { quantizeModel } from "./quantize.ts";
export { quantizeTensorFile, quantizeTensors } from "./quantize-tensors.ts";
export { parseRescaling, RESCALINGS, type RescaleOptions, rescale } from "./rescale/index.ts";
export { layersOf, quantizeLayer } from "./schemes.ts";
export {
  type Choice,
  damageMeter,
  type LayerChoices,
  type Measuring,
  measureSensitivity,
  type SensitivityOptions,
} from "./sensitivity.ts";
export { openSource, type Source, type SourceSettings } from "./source/source.ts";
export { openTensorFile, type TensorFile, type TensorInfo, tensorFormat } from "./tensors/file.ts";
