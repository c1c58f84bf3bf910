import type { Node } from "lowbit";
import { perChannel } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { operands } from "./channel-function.ts";

/** y = scale[c] * x + bias[c], where c is the index of the last axis. In doubles: the caller rounds once. */
export interface AffineForm {
  readonly x: string;
  readonly scale: Float64Array;
  readonly bias: Float64Array;
}

/** A node as a scale and a bias per channel; undefined where it is none, or changes the shape of x. */
export function affineForm(editor: GraphEditor, node: Node): AffineForm | undefined {
  const { x, constant, first } = operands(editor, node);
  if (x === undefined || editor.constants.has(x)) return undefined;
  const shape = editor.shape(x);
  const channels = shape.at(-1);
  if (typeof channels !== "number") return undefined;
  const vector = (name: string | undefined) =>
    perChannel(name ? editor.constants.get(name) : undefined, channels, shape.length);
  const form = (scale: (c: number) => number, bias: (c: number) => number): AffineForm => ({
    x,
    scale: Float64Array.from({ length: channels }, (_, c) => scale(c)),
    bias: Float64Array.from({ length: channels }, (_, c) => bias(c)),
  });
  switch (node.op) {
    case "batchNorm": {
      const [gamma, beta, mean, variance] = node.inputs.slice(1).map(vector);
      if (!gamma || !beta || !mean || !variance) return undefined;
      const scale = (c: number) => gamma[c]! / Math.sqrt(variance[c]! + node.attributes.epsilon);
      return form(scale, (c) => beta[c]! - mean[c]! * scale(c));
    }
    case "affine": {
      const [scale, bias] = [vector(node.inputs[1]), vector(node.inputs[2])];
      if (!scale || !bias || node.attributes.clamp) return undefined;
      return form(
        (c) => scale[c]!,
        (c) => bias[c]!,
      );
    }
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const value = vector(constant);
      if (!value || (node.op === "div" && first)) return undefined;
      if (node.op === "add")
        return form(
          () => 1,
          (c) => value[c]!,
        );
      if (node.op === "sub")
        return first
          ? form(
              () => -1,
              (c) => value[c]!,
            )
          : form(
              () => 1,
              (c) => -value[c]!,
            );
      return node.op === "mul"
        ? form(
            (c) => value[c]!,
            () => 0,
          )
        : form(
            (c) => 1 / value[c]!,
            () => 0,
          );
    }
    default:
      return undefined;
  }
}

/**
 * Whether a sign reads the value through pools, reshapes and per-channel arithmetic. There a rounding more could turn
 * an exact 0 into a sign, so that passes which multiply constants together leave the source's own expression alone.
 */
export function feedsSign(editor: GraphEditor, value: string): boolean {
  return editor.consumers(value).some((node) => {
    if (node.op === "sign") return true;
    const passes = ["maxPool", "reshape", "clip"].includes(node.op) || affineForm(editor, node) !== undefined;
    return passes && feedsSign(editor, node.outputs[0]!);
  });
}
