import type { OperatorImporter } from "../context.ts";
import { activation } from "./activation.ts";
import { control } from "./control.ts";
import { convolution } from "./convolution.ts";
import { einsums } from "./einsum.ts";
import { elementwise } from "./elementwise.ts";
import { gathering } from "./gather.ts";
import { gatherQuantized } from "./gather-quantized.ts";
import { integer } from "./integer.ts";
import { linear } from "./linear.ts";
import { movement } from "./movement.ts";
import { normalization } from "./normalization.ts";
import { pooling } from "./pooling.ts";
import { qonnx } from "./qonnx.ts";
import { quantization } from "./quantization.ts";
import { recurrent } from "./recurrent.ts";
import { reductions } from "./reductions.ts";
import { resizing } from "./resize.ts";
import { rowNormalization } from "./row-normalization.ts";
import { shape } from "./shape.ts";
import { values } from "./values.ts";

/** Every operator that is imported, by its ONNX name, behind its domain where that is not the default one: one line per file. */
export const OPERATORS: ReadonlyMap<string, OperatorImporter> = new Map(
  [
    convolution,
    linear,
    elementwise,
    activation,
    reductions,
    pooling,
    normalization,
    rowNormalization,
    movement,
    gathering,
    gatherQuantized,
    shape,
    values,
    quantization,
    integer,
    resizing,
    control,
    recurrent,
    einsums,
    qonnx,
  ].flatMap(Object.entries),
);
