import type { Node, NodeOf, QuantizedConstant } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import { negateRow, rowScales } from "../graph/low-bit.ts";
import { isLayer, type Layer, type LayerTrace, operands, traceToLayer } from "./channel-function.ts";
import { type ChannelThreshold, thresholdOf } from "./exact-thresholds.ts";
import { spatialPads } from "./fuse-padding.ts";
import type { Pass } from "./pass.ts";

export const recognizeSigns: Pass = {
  name: "recognize-signs",
  explain:
    "A sign in front of binary weights is packed: to bits where no input can make it 0, else to trits. Behind a layer over integers it becomes one integer comparison per channel, found by evaluating the source's f32 expression.",
  run(editor, note) {
    // In order: whether a layer reads bits or trits decides which sums the next sign can see.
    for (const sign of editor.live()) {
      if (sign.op === "sign" && editor.info(sign.outputs[0]!).dtype === "f32") recognize(editor, sign, note);
    }
  },
};

function recognize(editor: GraphEditor, sign: NodeOf<"sign">, note: (change: string) => void): void {
  const value = sign.outputs[0]!;
  const readers = binaryReaders(editor, value);
  if (readers === undefined || typeof editor.shape(value).at(-1) !== "number") return;
  const trace = traceToLayer(editor, sign.inputs[0]!);
  const thresholds = trace && thresholdsOf(trace);
  const compared = comparedValue(editor, sign);
  const zeroFree = compared !== undefined || (thresholds?.every(({ zero }) => !zero) ?? false);
  const dtype = zeroFree ? "bit" : "trit";
  if (dtype === "trit" && readers.pads.length > 0) {
    note(`${sign.name}: stays float, for it can be 0 and is padded with +1`);
    return;
  }
  if (!(thresholds && zeroFree && toThreshold(editor, sign, trace!, thresholds, note))) {
    editor.replace(sign, { inputs: [compared ?? sign.inputs[0]!], info: { dtype } });
    note(`${sign.name}: packed as ${dtype}s${zeroFree ? "" : ", since its input can be exactly 0"}`);
  }
  for (const pad of readers.pads) padWithOnes(editor, pad, note);
}

/**
 * Of sign(sign(x) + a), 0 < a < 1, which is never 0: x, whose bits are the same (-1 below 0, else +1). Pools and reshapes in between keep their
 * values; undefined where the sign reads anything else.
 */
function comparedValue(editor: GraphEditor, sign: NodeOf<"sign">): string | undefined {
  let add = editor.producer(sign.inputs[0]);
  while (add?.op === "maxPool" || add?.op === "reshape") add = editor.producer(add.inputs[0]);
  if (add?.op !== "add") return undefined;
  const { x, constant } = operands(editor, add);
  const inner = editor.producer(x);
  const offset = editor.plain(constant);
  const moves = offset?.dtype === "f32" && (offset.data as Float32Array).every((value) => value > 0 && value < 1);
  if (inner?.op !== "sign" || editor.info(x).dtype !== "f32" || !moves) return undefined;
  return sign.inputs[0] === add.outputs[0] ? inner.inputs[0] : sign.inputs[0];
}

/** The pads with +1 among the readers of a sign, where all that reads it are layers with binary weights. */
function binaryReaders(editor: GraphEditor, value: string): { pads: NodeOf<"pad">[] } | undefined {
  if (editor.outputs.includes(value)) return undefined;
  const pads: NodeOf<"pad">[] = [];
  const readers = editor.consumers(value);
  const allBinary = readers.every((reader) => {
    if (reader.op !== "pad") return isBinaryLayer(editor, reader, value);
    pads.push(reader);
    return reader.attributes.value === 1 && spatialPads(reader) !== undefined && readsPadded(editor, reader);
  });
  return readers.length > 0 && allBinary ? { pads } : undefined;
}

function isBinaryLayer(editor: GraphEditor, node: Node, x: string): node is Layer {
  if (!isLayer(node) || node.inputs[0] !== x) return false;
  const weight = editor.constants.get(node.inputs[1]!);
  if (weight?.kind !== "quantized" || weight.decoding.kind !== "sign" || rowScales(weight) === undefined) return false;
  return node.op === "dense" || (node.attributes.groups === 1 && node.attributes.padding === "zero");
}

/** Whether the pad is read by unpadded binary convolutions alone. */
function readsPadded(editor: GraphEditor, pad: NodeOf<"pad">): boolean {
  const output = pad.outputs[0]!;
  const readers = editor.consumers(output);
  if (editor.outputs.includes(output) || readers.length === 0) return false;
  return readers.every(
    (reader) =>
      isBinaryLayer(editor, reader, output) &&
      reader.op === "conv2d" &&
      reader.attributes.pads.every((size) => size === 0),
  );
}

function padWithOnes(editor: GraphEditor, pad: NodeOf<"pad">, note: (change: string) => void): void {
  const current = editor.producer(pad.outputs[0]!) as NodeOf<"pad">;
  for (const conv of editor.consumers(pad.outputs[0]!) as NodeOf<"conv2d">[]) {
    const { dtype } = editor.info(conv.outputs[0]!);
    const attributes = { ...conv.attributes, pads: spatialPads(current)!, padding: "one" as const };
    editor.replace(conv, { inputs: [current.inputs[0]!, ...conv.inputs.slice(1)], attributes, info: { dtype } });
    note(`${pad.name}: joined with ${conv.name} as padding with +1`);
  }
  editor.remove(current);
}

function thresholdsOf(trace: LayerTrace): ChannelThreshold[] | undefined {
  const thresholds: ChannelThreshold[] = [];
  for (let channel = 0; channel < trace.channels; channel++) {
    const threshold = thresholdOf(trace, channel);
    if (threshold === undefined) return undefined;
    thresholds.push(threshold);
  }
  return thresholds;
}

/**
 * Whether a reshape leaves packed rows readable: each pixel's channels start a word, which a row of several pixels
 * shows to dense layers alone.
 */
function keepsRuns(editor: GraphEditor, reshape: Node, sign: NodeOf<"sign">, channels: number): boolean {
  const row = editor.shape(reshape.outputs[0]!).at(-1);
  if (row === channels) return true;
  const readers = editor.consumers(sign.outputs[0]!);
  return typeof row === "number" && row % channels === 0 && readers.every(({ op }) => op === "dense");
}

/**
 * layer -> f32 steps, pools, reshapes -> sign becomes layer (int32) -> threshold -> the same pools and reshapes, on
 * bits. A comparison commutes with a maximum where it points upward; false where it points downward behind a pool, or
 * where bits would have to be repacked.
 */
function toThreshold(
  editor: GraphEditor,
  sign: NodeOf<"sign">,
  trace: LayerTrace,
  thresholds: readonly ChannelThreshold[],
  note: (change: string) => void,
): boolean {
  const { layer, path, channels } = trace;
  const moves = path.filter((node) => node.op === "maxPool" || node.op === "reshape");
  const downward = thresholds.filter(({ negate }) => negate).length;
  if (downward > 0 && moves.some((node) => node.op === "maxPool")) return false;
  if (!moves.every((node) => node.op === "maxPool" || keepsRuns(editor, node, sign, channels))) return false;
  const weight = editor.constants.get(layer.inputs[1]!) as QuantizedConstant;
  let weightName = layer.inputs[1]!;
  if (downward > 0) {
    const codes = weight.codes.slice();
    for (const [row, { negate }] of thresholds.entries()) if (negate && !negateRow(weight, codes, row)) return false;
    weightName = editor.constant(weightName, { ...weight, codes });
  }
  const shapes = new Map(moves.map((node) => [node, editor.shape(node.outputs[0]!)]));
  for (const node of [...path, sign]) editor.remove(node);
  const { clamp: _, ...attributes } = layer.attributes;
  const info = { dtype: "int32" } as const;
  editor.replace(layer, {
    inputs: [layer.inputs[0]!, weightName],
    attributes: attributes as Layer["attributes"],
    info,
  });
  const data = Int32Array.from(thresholds, ({ threshold }) => threshold);
  const constant = editor.constant(`${sign.name}/threshold`, {
    kind: "plain",
    dtype: "int32",
    shape: [channels],
    data,
  });
  const last = moves.length;
  const outputOf = (index: number, name: string) =>
    index === last ? sign.outputs[0]! : editor.freshValue(`${name}/bits`);
  let current = editor.add(
    "threshold",
    sign.name,
    [layer.outputs[0]!, constant],
    {},
    { output: outputOf(0, sign.name) },
  );
  moves.forEach((node, index) => {
    const moved = node.op === "reshape" ? { shape: shapes.get(node)! } : node.attributes;
    current = editor.add(node.op, node.name, [current], moved as never, { output: outputOf(index + 1, node.name) });
  });
  const folded = path.filter(({ op }) => op !== "maxPool" && op !== "reshape").map(({ name }) => name);
  const negated = downward > 0 ? `, weights of ${downward} channels negated` : "";
  note(
    `${sign.name}: ${folded.length > 0 ? `${folded.join(", ")} and the sign are` : "the sign is"} an integer threshold on ${layer.name}${negated}`,
  );
  return true;
}
