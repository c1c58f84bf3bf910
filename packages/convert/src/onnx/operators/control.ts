/**
 * Control flow that is known when a model is imported: the branch of an If that is taken, the turns of a Loop or a Scan one after another. A plan has no branches, and sizes are fixed before it runs.
 */
import { ModelFileError } from "../../errors.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { LoopBody } from "../loop.ts";

/** If: the branch that is taken, where the condition is a constant or follows from sizes that are known; the other one is never looked into. */
function conditional(node: NodeContext): void {
  const [condition, ...others] = node.elements(node.input(0)) ?? [];
  if (others.length > 0)
    throw new ModelFileError(`onnx: ${node.title}`, "elements of the condition", 1, 1 + others.length);
  if (typeof condition !== "number")
    node.unsupported("a condition computed at run time", "a constant, or one that follows from known sizes");
  node.replace(node.attributes.graph(condition === 0 ? "else_branch" : "then_branch"));
}

/** A number that decides how often something is done. */
function known(node: NodeContext, value: string, what: string): number {
  const [number] = node.elements(value) ?? [];
  return typeof number === "number"
    ? number
    : node.unsupported(`${what} computed at run time`, "a constant, or one that follows from known sizes");
}

/** Loop-1, -11, -13: as many turns as the trip count says, or until the condition that a turn gives is false. */
function loop(node: NodeContext): void {
  const [count, condition] = [node.optional(0), node.optional(1)];
  const turns = count === undefined ? Number.POSITIVE_INFINITY : known(node, count, "a trip count");
  const body = new LoopBody(node, node.attributes.graph("body"));
  let carried = node.proto.input.slice(2).map((_, i) => node.input(2 + i));
  body.checkCounts(2 + carried.length, 1 + carried.length);
  const collected: string[][] = [];
  let goesOn = condition === undefined ? 1 : known(node, condition, "a condition");
  for (let turn = 0; turn < turns && goesOn !== 0; turn++) {
    const number = node.store(`turn${turn}`, {
      kind: "plain",
      dtype: "int64",
      shape: [],
      data: BigInt64Array.of(BigInt(turn)),
    });
    const holds = node.store(`holds${turn}`, { kind: "plain", dtype: "bool", shape: [], data: Uint8Array.of(1) });
    const [next = "", ...outputs] = body.turn(turn, [number, holds, ...carried]);
    goesOn = known(node, next, "a condition");
    carried = outputs.slice(0, carried.length);
    collected.push(outputs.slice(carried.length));
  }
  body.bind(carried, collected, []);
}

/** Scan-9 and later: a turn for each element of the scanned inputs along their axes. */
function scan(node: NodeContext): void {
  if (node.opset < 9) node.unsupported("Scan of operator set 8", "of 9 and later");
  const { attributes } = node;
  const scanned = attributes.int("num_scan_inputs", 0);
  const states = node.inputCount - scanned;
  if (scanned < 1 || states < 0)
    throw new ModelFileError(`onnx: ${node.title}`, "num_scan_inputs", `1 to ${node.inputCount}`, scanned);
  const body = new LoopBody(node, attributes.graph("body"));
  body.checkCounts(node.inputCount, states);
  const inputs = Array.from({ length: scanned }, (_, i) => node.input(states + i));
  const axes = inputs.map((value, i) =>
    node.axis(attributes.ints("scan_input_axes")?.[i] ?? 0, node.shape(value).length, "scan_input_axes"),
  );
  const lengths = inputs.map((value, i) => node.shape(value)[axes[i]!]!);
  const [turns] = lengths;
  if (typeof turns !== "number") node.unsupported(`a scanned axis of size "${turns}"`, "a known size");
  if (lengths.some((length) => length !== turns))
    throw new ModelFileError(`onnx: ${node.title}`, "sizes of the scanned axes", turns, lengths);
  const isReverse = (name: string, i: number) => attributes.ints(name)?.[i] === 1;
  let carried = Array.from({ length: states }, (_, i) => node.input(i));
  const collected: string[][] = [];
  for (let turn = 0; turn < turns; turn++) {
    const elements = inputs.map((value, i) => {
      const at = isReverse("scan_input_directions", i) ? turns - 1 - turn : turn;
      const index = node.store(`turn${turn}/${i}`, {
        kind: "plain",
        dtype: "int64",
        shape: [],
        data: BigInt64Array.of(BigInt(at)),
      });
      return node.step(`turn${turn}/element${i}`, "gather", [value, index], { axis: axes[i]! });
    });
    const outputs = body.turn(turn, [...carried, ...elements]);
    carried = outputs.slice(0, states);
    collected.push(outputs.slice(states));
  }
  const outputAxes = attributes.ints("scan_output_axes");
  const ordered = collected.map((row, turn) =>
    row.map((value, i) => (isReverse("scan_output_directions", i) ? collected[turns - 1 - turn]![i]! : value)),
  );
  body.bind(carried, ordered, outputAxes ?? []);
}

export const control: Readonly<Record<string, OperatorImporter>> = { If: conditional, Loop: loop, Scan: scan };
