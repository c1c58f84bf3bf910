/** Every network of the suite: our low-bit form, and the 8-bit and float form of the same shape that other runtimes get. */
import type { Graph } from "lowbit/slim";
import type { Network } from "../task.ts";
import { integerGraph } from "./integer-graph.ts";
import { mobilenetV1, mobilenetV2 } from "./mobilenet.ts";
import type { Net, NetOptions } from "./net.ts";
import { binaryQuicknet, quicknet } from "./quicknet.ts";
import { binaryResnet18, resnet18 } from "./resnet18.ts";

export interface NetworkDefinition {
  readonly title: string;
  readonly perTensor?: true;
  /** What other runtimes run, with weights of its own. */
  net(options: NetOptions): Net;
  /** What ours runs. */
  graph(options: NetOptions): Graph;
}

const integer = (title: string, net: (options: NetOptions) => Net, perTensor?: true): NetworkDefinition => ({
  ...{ title, net, ...(perTensor && { perTensor }) },
  graph: (options) => integerGraph(net(options), options.seed),
});

const definitions: Readonly<Record<string, NetworkDefinition>> = {
  "resnet18-binary": { title: "ResNet-18, binary", net: resnet18, graph: binaryResnet18 },
  "quicknet-binary": { title: "QuickNet, binary", net: quicknet, graph: binaryQuicknet },
  "mobilenet-v1-ternary": {
    title: "MobileNet v1, ternary pointwise convolutions",
    net: mobilenetV1,
    graph: (options) => integerGraph(mobilenetV1({ ...options, ternary: true }), options.seed),
  },
  "mobilenet-v1-int8": integer("MobileNet v1, int8", mobilenetV1),
  "mobilenet-v2-int8": integer("MobileNet v2, int8", mobilenetV2),
  "mobilenet-v1-uint8": integer("MobileNet v1, uint8, one scale a tensor", mobilenetV1, true),
  "mobilenet-v2-uint8": integer("MobileNet v2, uint8, one scale a tensor", mobilenetV2, true),
};

export const networkNames: readonly string[] = Object.keys(definitions);

/** @throws Error for a name that no network has */
export function networkOf(name: string): NetworkDefinition {
  const found = definitions[name];
  if (!found) throw new Error(`no network ${name}; there are ${networkNames.join(", ")}`);
  return found;
}

const options = ({ net, input: [size], width }: Network, seed: number): NetOptions => {
  const { perTensor } = networkOf(net);
  return { name: net, size, width, seed, ...(perTensor && { perTensor }) };
};

/** Drawing the weights takes a while, and every engine of a case wants them. */
let last: { readonly key: string; readonly net: Net } | undefined;

/** What other runtimes run. */
export function netOf(task: Network, seed: number): Net {
  const key = JSON.stringify([task, seed]);
  if (last?.key !== key) last = { key, net: networkOf(task.net).net(options(task, seed)) };
  return last.net;
}

/** What ours runs. */
export const graphOf = (task: Network, seed: number): Graph => networkOf(task.net).graph(options(task, seed));
