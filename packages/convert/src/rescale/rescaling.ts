import type { Calibration } from "lowbit/quantize";
import type { GraphEditor } from "../graph/editor.ts";
import { isLayer, type Layer } from "../passes/channel-function.ts";
import { type Pair, pairOf } from "./pair.ts";

/** What a rescaling may look at beside the graph. */
export interface RescaleContext {
  /** Rows of a layer's inputs on the calibration samples, in the graph as it was before any factor moved. */
  inputsOf(layer: string): Promise<Calibration>;
  /** The scheme that weights will have, where one was given. */
  readonly weights: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A rewrite that moves factors per channel between layers, so that they quantize better; what the network computes stays, to the rounding of f32. */
export interface Rescaling {
  /** As the command line spells it. */
  readonly name: string;
  /** What it does and why, in one sentence. */
  readonly explain: string;
  readonly needsSamples: boolean;
  /** Rewrites the graph; calls `note` for every layer whose inputs were rescaled, and for every one that stays, with the reason. */
  run(editor: GraphEditor, context: RescaleContext, note: (change: string) => void): Promise<void>;
}

/** The layers of a graph, each with what makes its inputs; `stays` hears of those into which nothing can move. */
export function* pairsOf(
  editor: GraphEditor,
  signal: AbortSignal | undefined,
  stays: (why: string) => void,
): Generator<{ readonly name: string; readonly pair: Pair }> {
  for (const { name } of editor.ordered().filter(isLayer)) {
    signal?.throwIfAborted();
    // By name: nodes are replaced while factors move.
    const pair = pairOf(editor, [...editor.nodes].find((node) => node.name === name) as Layer);
    if ("why" in pair) stays(`${name}: stays, ${pair.why}`);
    else yield { name, pair };
  }
}

/** The least and the largest of factors, for notes. */
export function span(factors: Float64Array): string {
  const [low, high] = factors.reduce(([a, b], s) => [Math.min(a, s), Math.max(b, s)], [factors[0]!, factors[0]!]);
  return `${low.toPrecision(3)} to ${high.toPrecision(3)}`;
}
