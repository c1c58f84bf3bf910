/** Every source of engines: a new one is one file and one line. Nothing of another runtime loads before it is opened. */
import type { EngineSource } from "../engine.ts";
import { float } from "./float.ts";
import { litert } from "./litert.ts";
import { lowbit } from "./lowbit.ts";
import { naive } from "./naive.ts";
import { nativeFaiss } from "./native-faiss.ts";
import { nativeLowbit } from "./native-lowbit.ts";
import { nativeOnnxruntime } from "./native-onnxruntime.ts";
import { onnxruntimeWeb } from "./onnxruntime-web.ts";
import { tfjsWasm } from "./tfjs-wasm.ts";

export const sources: readonly EngineSource[] = [
  lowbit,
  float,
  naive,
  litert,
  onnxruntimeWeb,
  tfjsWasm,
  nativeLowbit,
  nativeOnnxruntime,
  nativeFaiss,
];
