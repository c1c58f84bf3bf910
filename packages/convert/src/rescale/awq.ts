import { ShapeError } from "lowbit";
import { awqScales, type FloatTensor, parseScheme, type Quantizer, type UniformBits, uniform } from "lowbit/quantize";
import { OptionError } from "../errors.ts";
import type { GraphEditor } from "../graph/editor.ts";
import type { Layer } from "../passes/channel-function.ts";
import { floatsOf, joined, move } from "./move.ts";
import { isDepthwise, type Pair } from "./pair.ts";
import { pairsOf, type Rescaling, span } from "./rescaling.ts";

/** The scales of AWQ (Lin et al. 2023, arXiv 2306.00978, section 3.2): channels that the inputs make salient get finer steps. */
export const awq: Rescaling = {
  name: "awq",
  explain: "multiplies the weights of channels with large inputs, so that rounding hurts them less",
  needsSamples: true,
  async run(editor, { inputsOf, weights: scheme, signal }, note) {
    const quantizer = quantizerOf(scheme);
    const done = new Set<string>();
    for (const { name, pair } of pairsOf(editor, signal, note)) {
      const why = unfit(editor, pair);
      if (why !== undefined) {
        note(`${name}: stays, ${why}`);
        continue;
      }
      const { source, layers, channels } = pair;
      if (done.has(source.name)) continue;
      done.add(source.name);
      try {
        const { factors, weights } = await awqScales(allRows(editor, layers), await inputsOf(name), quantizer, {
          channels,
        });
        await move(editor, pair, weights, factors);
        const readers = layers.map((layer) => layer.name).join(", ");
        note(`${readers}: inputs divided by ${span(factors)}, in ${source.op} ${source.name}`);
      } catch (error) {
        // Groups that do not divide the rows: such a layer stays float as well.
        if (!(error instanceof ShapeError)) throw error;
        note(`${name}: stays, ${error.message}`);
      }
    }
  },
};

/** What the scales are searched for: the weights' own scheme, or (where that looks at inputs itself, as `awq:4` and `gptq:4` do) the grid of as many bits and groups. */
function quantizerOf(scheme: string | undefined): Quantizer<never, false, "weights"> {
  if (scheme === undefined || scheme === "float")
    throw new OptionError(
      "quantizeModel",
      "weights",
      "a scheme for all layers, which AWQ's scales are made for",
      scheme ?? "none",
    );
  const quantizer = parseScheme(scheme);
  if (quantizer.needs === "weights") return quantizer as never;
  return uniform({
    bits: Math.min(8, Math.max(2, Math.round(quantizer.bits))) as UniformBits,
    per: quantizer.per,
    asymmetric: true,
  }) as never;
}

/** Layers that share inputs get one search: their rows must be as long as each other's, and all of a row be multiplied by those inputs. */
function unfit(editor: GraphEditor, { layers }: Pair): string | undefined {
  const shapes = layers.map((layer) => floatsOf(editor, layer.inputs[1]!).shape);
  if (layers.some((layer, i) => isDepthwise(layer, shapes[i]![0]!))) return "a depthwise row has one input channel";
  const lengths = new Set(shapes.map((shape) => shape.slice(1).reduce((product, size) => product * size, 1)));
  return lengths.size > 1 ? "layers that share its inputs have rows of other lengths" : undefined;
}

/** The layers' rows [outputs of all, K]. */
function allRows(editor: GraphEditor, layers: readonly Layer[]): FloatTensor {
  const all = layers.map((layer) => floatsOf(editor, layer.inputs[1]!));
  const rows = all.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const data = joined(all.map((part) => part.data));
  return { shape: [rows, data.length / rows], data };
}
