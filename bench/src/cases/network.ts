/** Whole networks, one image of 224×224: ours in few bits, others in float and 8 bits in the same shape. */
import type { Case, Family } from "../case.ts";
import { graphOf, networkNames } from "../networks/index.ts";
import { imageOf, type NetValue } from "../networks/net.ts";
import type { Network } from "../task.ts";
import { seedOf } from "./product.ts";

const SIZE = 224;
const CLASSES = 1000;

/** A case of a network at another size, which is what tests take. */
export function networkCase(net: string, size = SIZE, width = 1): Case & { readonly task: Network } {
  const id = `network/${net}`;
  return {
    ...{ id, family: "network", shape: net, seed: seedOf(id), checksum: undefined, quick: false },
    task: { op: "network", net, input: [size, size, 3], width },
    work: { amount: macs[net] ?? 0, unit: "MAC" },
  };
}

/** Multiply-adds of the shape at 224×224; written down, since counting them draws every weight. */
const macs: Readonly<Record<string, number>> = {
  "resnet18-binary": 1_814_073_344,
  "quicknet-binary": 1_879_339_776,
  "mobilenet-v1-ternary": 568_740_352,
  "mobilenet-v1-int8": 568_740_352,
  "mobilenet-v2-int8": 300_774_272,
  "mobilenet-v1-uint8": 568_740_352,
  "mobilenet-v2-uint8": 300_774_272,
};

const taskOf = (of: Case): Network => {
  if (of.task.op !== "network") throw new Error(`${of.id}: not a network`);
  return of.task;
};

const imageValue = ({ input: [height, width, channels] }: Network): NetValue => ({
  ...{ height, width, channels, step: 1 / 64, zeroPoint: 0, mean: 0, deviation: 1 },
});

export const network: Family = {
  name: "network",
  title: "Whole networks, one image",
  cases: networkNames.map((name) => networkCase(name)),
  tensors: (of) => ({ x: imageOf(imageValue(taskOf(of)), of.seed) }),
  outputs: () => CLASSES,
  sums() {
    throw new Error("a network has no naive sums; other runtimes bring what theirs is compared with");
  },
  result: (_of, _tensors, sums) => Float32Array.from(sums),
  async kernel({ createModel }, of, tensors) {
    const task = taskOf(of);
    const model = await createModel(graphOf(task, of.seed));
    const image = tensors.x as Int8Array<ArrayBuffer>;
    const isUnsigned = model.inputs[0]!.dtype === "uint8";
    const feed = { image: isUnsigned ? Uint8Array.from(image, (q) => q + 128) : image };
    const y = new Float32Array(CLASSES);
    const outputs = { [model.outputs[0]!.name]: y };
    return {
      run: () => model.runInto(feed, outputs),
      answer: () => ({ kind: "exact", data: y }),
      dispose: () => model.dispose(),
    };
  },
};
