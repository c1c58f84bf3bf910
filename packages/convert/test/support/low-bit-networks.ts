/** Seeded networks as training tools of low-bit networks write them: QONNX's operators, straight-through leftovers. */
import { Tensor } from "lowbit";
import type { GraphProto } from "../../src/onnx/schema.ts";
import { type Network, NetworkBuilder } from "./networks.ts";

export const QONNX = "qonnx.custom_op.general";

/** Gives nodes named `<domain>.<operator>` their domain: an `edit` of a build. */
export function withDomains(graph: GraphProto): void {
  for (const node of graph.node) {
    const dot = node.opType.lastIndexOf(".");
    if (dot < 0) continue;
    node.domain = node.opType.slice(0, dot);
    node.opType = node.opType.slice(dot + 1);
  }
}

/** Rows of ±scale over ±scale from end to end; scales are powers of two, so that float sums stay exact. */
export function bipolarNetwork(seed: number): Network {
  const net = new NetworkBuilder(seed, 11);
  const { random } = net;
  const scale = () => net.data([], [random.pick([0.25, 0.5, 1, 2])]);
  const bipolar = (x: string) => net.op(`${QONNX}.BipolarQuant`, [x, scale()]);
  const [inputs, hidden, batch] = [random.between(3, 70), 4 * random.between(2, 9), random.between(1, 3)];
  let x = bipolar(net.input("x", ["N", inputs]));
  const first = bipolar(net.weights([hidden, inputs]));
  x = net.op("MatMul", [x, net.op("Transpose", [first], { perm: [1, 0] })]);
  x = net.batchNorm(x, hidden, "any", 3);
  if (random.below(2) === 0) {
    // c of quarters within 1: (sign - c) + c is exactly the sign.
    const c = net.op("Div", [net.op("Floor", [net.op("Tanh", [x])]), net.data([1], [4])]);
    x = net.op("Add", [net.op("Sub", [net.op("Sign", [x]), c]), c]);
  } else x = bipolar(x);
  let width = hidden;
  if (random.below(2) === 0) {
    const image = net.op("Reshape", [x, net.ints(`shape${seed}`, [-1, hidden / 4, 2, 2])]);
    x = net.op("Reshape", [
      net.op("MaxPool", [bipolar(image)], { kernel_shape: [2, 1] }),
      net.ints(`row${seed}`, [0, -1]),
    ]);
    width = hidden / 2;
  }
  x = net.op("Gemm", [x, bipolar(net.weights([8, width]))], { transB: 1 });
  const feed = { x: new Tensor("f32", [batch, inputs], random.floats(batch * inputs)) };
  // Zeros are +1.
  (feed.x.data as Float32Array).fill(0, 0, 2);
  return { file: net.build([x], withDomains), feed };
}
