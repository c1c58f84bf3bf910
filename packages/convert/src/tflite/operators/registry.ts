import type { OperatorImporter } from "../context.ts";
import { activation } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { convolution } from "./convolution.ts";
import { functions } from "./functions.ts";
import { larq } from "./larq.ts";
import { linear } from "./linear.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { shape } from "./shape.ts";
import { slicing } from "./slicing.ts";

/** Every operator that is imported, by its name in TFLite: one line per file. */
export const OPERATORS: ReadonlyMap<string, OperatorImporter> = new Map(
  [convolution, linear, arithmetic, activation, functions, pooling, shape, slicing, quantization, larq].flatMap(
    Object.entries,
  ),
);
