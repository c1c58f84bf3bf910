/**
 * `@lowbit/convert`: from a trained network to a packed low-bit one.
 *
 * ```
 * importModel(bytes: Uint8Array, options?: ImportOptions): Graph                       a foreign file as a Graph
 * runPasses(graph: Graph, options?: PassOptions): Graph                                folding, fusion, recognition
 * calibrate(graph: Graph, feeds: readonly Feed[], options?): Promise<Calibration>      ranges of a float graph
 * quantizeModel(graph: Graph, options: QuantizeModelOptions): Promise<QuantizeModelResult>
 * writeModel(graph: Graph, meta?): Uint8Array   ·   readModel(bytes): { graph, meta }  packed files
 * exportOnnx(graph: Graph): Uint8Array                                                 a float Graph as ONNX
 * ```
 */
export type * from "./api.ts";
