/** Every layer of a quantized model against the float network, on the calibration samples. */
import type { Graph } from "lowbit";
import type { Agreement, Calibration, ErrorFigures, Feed, QuantizeModelOptions } from "./api.ts";
import { breathe } from "./breathe.ts";
import { agreementOf, figuresOf, isolated, layerMap, record } from "./parity.ts";
import type { Layer } from "./passes/channel-function.ts";
import { isTable, layersOf } from "./schemes.ts";

export interface Measured {
  readonly agreement: Agreement;
  /** By layer name: the layer alone, on the float network's inputs. */
  readonly own: ReadonlyMap<string, ErrorFigures>;
  /** By layer name: the same output inside the quantized model. */
  readonly inModel: ReadonlyMap<string, ErrorFigures>;
}

/** The float network, the quantized one before the passes join codes with layers, and after. */
export interface Stages {
  readonly float: Graph;
  readonly staged: Graph;
  readonly result: Graph;
}

/** Floats kept at once: 128 MB. Layers are measured in groups that fit. */
const MOST_FLOATS = 2 ** 25;

export async function measure(
  { float, staged, result }: Stages,
  { feeds }: Calibration,
  { signal, onProgress }: Pick<QuantizeModelOptions, "signal" | "onProgress"> = {},
  mostFloats = MOST_FLOATS,
): Promise<Measured> {
  const groups = layerGroups(float, feeds, mostFloats);
  const layers = groups.flat();
  const total = (2 * groups.length + layers.length) * feeds.length;
  let done = 0;
  const step = async () => {
    await breathe(signal);
    onProgress?.("measure", ++done, total);
  };
  const output = float.outputs[0]!;
  const final = layerMap(result);
  const own = new Map<string, ErrorFigures>();
  const inModel = new Map<string, ErrorFigures>();
  let agreement: Agreement | undefined;
  for (const group of groups) {
    const taps = group.flatMap(({ inputs, outputs }) => [inputs[0]!, outputs[0]!]);
    const before = await record(float, feeds, [...new Set([...taps, output])], step);
    const inside = group.flatMap(({ name }) => final.get(name)?.outputs[0] ?? []);
    const after = await record(result, feeds, [...new Set([...inside, output])], step);
    agreement ??= await agreementOf(before.get(output)!, after.get(output)!);
    for (const layer of group) {
      const reference = before.get(layer.outputs[0]!)!;
      const alone = isolated(staged, layer);
      const inputs = before.get(alone.inputs[0]!)!.map((x): Feed => ({ [alone.inputs[0]!]: x }));
      const outputs = await record(alone, inputs, alone.outputs, step);
      own.set(layer.name, await figuresOf(reference, outputs.get(alone.outputs[0]!)!));
      const quantized = after.get(final.get(layer.name)?.outputs[0] ?? "");
      if (quantized?.[0]?.size === reference[0]!.size) inModel.set(layer.name, await figuresOf(reference, quantized));
    }
  }
  return { agreement: agreement!, own, inModel };
}

/**
 * The layers from f32 to f32, in order, in groups whose inputs and outputs fit into memory; at least one group. Layers
 * on bits or codes in the source already compute exactly what they did, and have nothing to measure.
 */
function layerGroups(float: Graph, feeds: readonly Feed[], mostFloats: number): Layer[][] {
  const isReal = (value: string) => float.values.get(value)?.dtype === "f32";
  const batch = Math.max(...feeds.flatMap((feed) => Object.values(feed).map(({ shape }) => shape[0] ?? 1)));
  const sizeOf = (value: string) =>
    float.values
      .get(value)!
      .shape.reduce<number>((product, size) => product * (typeof size === "number" ? size : batch), 1);
  const groups: Layer[][] = [[]];
  let kept = 0;
  for (const layer of layersOf(float)) {
    const [x, y] = [layer.inputs[0]!, layer.outputs[0]!];
    if (isTable(layer) || !isReal(x) || !isReal(y)) continue;
    // The float input and output, and the quantized output inside the model.
    const floats = (sizeOf(x) + 2 * sizeOf(y)) * feeds.length;
    if (kept > 0 && kept + floats > mostFloats) {
      groups.push([]);
      kept = 0;
    }
    groups.at(-1)!.push(layer);
    kept += floats;
  }
  return groups;
}
