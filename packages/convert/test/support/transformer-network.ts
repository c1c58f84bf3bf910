/** Seeded encoders in primitive operators, as PyTorch's exporters write them (BERT, MiniLM, DistilBERT, GPT's tanh GELU, T5's and Llama's norms). */
import { Tensor } from "lowbit";
import { type Network, NetworkBuilder } from "./networks.ts";
import { DataType } from "./onnx.ts";

const WIDTH = 12;

class EncoderBuilder extends NetworkBuilder {
  /** Whether something is done with queries and keys once their heads are apart. */
  turns = false;

  scalar1(value: number): string {
    return this.data([], [value]);
  }

  dense(x: string, inputs: number, outputs: number): string {
    const product = this.op("MatMul", [x, this.weights([inputs, outputs], 0.5)]);
    return this.op("Add", [this.weights([outputs]), product]);
  }

  mean(x: string): string {
    return this.op("ReduceMean", [x], { axes: [-1], keepdims: 1 });
  }

  /** Squares by Pow or Mul, quotients by Div or a reciprocal, the deviation once or twice. */
  norm(x: string): string {
    const { random } = this;
    const centered = random.below(4) > 0;
    const deviation = () => (centered ? this.op("Sub", [x, this.mean(x)]) : x);
    const first = deviation();
    const square = random.below(2) === 0 ? this.op("Pow", [first, this.scalar1(2)]) : this.op("Mul", [first, first]);
    const root = this.op("Sqrt", [this.op("Add", [this.mean(square), this.scalar1(1e-5)])]);
    const second = random.below(2) === 0 ? deviation() : first;
    const kind = random.below(3);
    const normal =
      kind === 0
        ? this.op("Div", [second, root])
        : this.op("Mul", [
            second,
            kind === 1 ? this.op("Reciprocal", [root]) : this.op("Div", [this.scalar1(1), root]),
          ]);
    const scaled = random.below(4) > 0 ? this.op("Mul", [normal, this.weights([WIDTH])]) : normal;
    return random.below(4) > 0 ? this.op("Add", [scaled, this.weights([WIDTH])]) : scaled;
  }

  gelu(x: string): string {
    const { random } = this;
    const kind = random.below(4);
    if (kind === 3) return this.op("Mul", [x, this.op("Sigmoid", [x])]);
    const half = this.scalar1(0.5);
    let gate: string;
    if (kind === 0) {
      const scaled =
        random.below(2) === 0
          ? this.op("Div", [x, this.scalar1(1.4142135381698608)])
          : this.op("Mul", [x, this.scalar1(Math.SQRT1_2)]);
      gate = this.op("Erf", [scaled]);
    } else {
      const coefficient = this.scalar1(0.044715);
      const sum =
        kind === 1
          ? this.op("Add", [x, this.op("Mul", [this.op("Pow", [x, this.scalar1(3)]), coefficient])])
          : this.op("Mul", [
              this.op("Add", [this.op("Mul", [this.op("Mul", [coefficient, x]), x]), this.scalar1(1)]),
              x,
            ]);
      gate = this.op("Tanh", [this.op("Mul", [this.scalar1(0.7978845608028654), sum])]);
    }
    const shifted = this.op("Add", [gate, this.scalar1(1)]);
    return random.below(2) === 0
      ? this.op("Mul", [this.op("Mul", [x, shifted]), half])
      : this.op("Mul", [this.op("Mul", [half, x]), shifted]);
  }

  size(x: string, axis: number): string {
    return this.op("Unsqueeze", [this.op("Gather", [this.op("Shape", [x]), this.int(axis)], { axis: 0 })], {
      axes: [0],
    });
  }

  /** The sizes of x's batch and length, then these: PyTorch's Shape, Gather, Unsqueeze, Concat. */
  sizes(x: string, last: readonly number[]): string {
    return this.op("Concat", [this.size(x, 0), this.size(x, 1), ...last.map((value) => this.list([value]))], {
      axis: 0,
    });
  }

  int(value: number): string {
    return this.ints(`int${value}_${this.next()}`, [value], []);
  }

  list(values: readonly number[]): string {
    return this.ints(`list_${this.next()}`, values);
  }

  #lists = 0;
  next(): number {
    return this.#lists++;
  }

  attention(x: string, mask: string | undefined): string {
    const { random } = this;
    const heads = random.pick([2, 3, 4]);
    const depth = WIDTH / heads;
    // Keys and values of fewer heads, repeated for groups of queries.
    const shared = heads === 4 && random.below(2) === 0 ? random.pick([1, 2]) : heads;
    const repeated = (value: string): string => {
      if (shared === heads) return value;
      const apart = this.op("Unsqueeze", [value], { axes: [2] });
      const sizes = this.op(
        "Concat",
        [this.size(value, 0), this.list([shared, heads / shared]), this.size(value, 2), this.list([depth])],
        { axis: 0 },
      );
      const whole = this.op(
        "Concat",
        [this.size(value, 0), this.list([heads]), this.size(value, 2), this.list([depth])],
        { axis: 0 },
      );
      return this.op("Reshape", [this.op("Expand", [apart, sizes]), whole]);
    };
    const split = (perm: readonly number[], target: string, count = heads) =>
      this.op("Transpose", [this.op("Reshape", [this.dense(x, WIDTH, count * depth), target])], { perm: [...perm] });
    const target = random.below(2) === 0 ? this.list([0, 0, heads, depth]) : this.sizes(x, [heads, depth]);
    const own = shared === heads ? target : this.sizes(x, [shared, depth]);
    // What stands between the heads and their products in decoders; here a factor for each place of a head.
    const turned = (value: string): string => (this.turns ? this.op("Mul", [value, this.weights([depth])]) : value);
    let q = turned(split([0, 2, 1, 3], target));
    let k =
      shared === heads && !this.turns && random.below(2) === 0
        ? split([0, 2, 3, 1], target)
        : this.op("Transpose", [repeated(turned(split([0, 2, 1, 3], own, shared)))], { perm: [0, 1, 3, 2] });
    const style = random.below(3);
    if (style === 0) {
      // As scaled_dot_product_attention is exported.
      const root = this.scalar1(depth ** -0.25);
      q = this.op("Mul", [q, root]);
      k = this.op("Mul", [k, root]);
    }
    let scores = this.op("MatMul", [q, k]);
    if (style === 1) scores = this.op("Div", [scores, this.scalar1(Math.sqrt(depth))]);
    if (mask) scores = this.op("Add", [scores, mask]);
    const context = this.op("MatMul", [
      this.op("Softmax", [scores], { axis: -1 }),
      repeated(split([0, 2, 1, 3], own, shared)),
    ]);
    const merged = this.op("Transpose", [context], { perm: [0, 2, 1, 3] });
    const flat = random.below(2) === 0 ? this.list([0, 0, WIDTH]) : this.sizes(merged, [WIDTH]);
    return this.dense(this.op("Reshape", [merged, flat]), WIDTH, WIDTH);
  }
}

/** Two layers over [batch, length, 12] floats, with a mask of 0 and 1 or without. `turns`: queries and keys are changed once their heads are apart, as decoders turn them by their positions. */
export function transformer(seed: number, { turns = false } = {}): Network {
  const net = new EncoderBuilder(seed, 12);
  net.turns = turns;
  const { random } = net;
  const [batch, length] = [random.between(1, 3), random.between(2, 5)];
  let x = net.input("x", ["batch", "length", WIDTH]);
  const masked = random.below(2) === 0;
  const feed: Record<string, Tensor> = {
    x: new Tensor("f32", [batch, length, WIDTH], random.floats(batch * length * WIDTH, 2)),
  };
  let mask: string | undefined;
  if (masked) {
    const given = net.input("mask", ["batch", "length"], DataType.INT64);
    const wide = net.op("Unsqueeze", [given], { axes: [1, 2] });
    const inverse = net.op("Sub", [net.scalar1(1), net.op("Cast", [wide], { to: DataType.FLOAT })]);
    mask = net.op("Mul", [inverse, net.scalar1(-10000)]);
    const seen = BigInt64Array.from({ length: batch * length }, (_, i) =>
      i % length === 0 ? 1n : BigInt(random.below(2)),
    );
    feed.mask = new Tensor("int64", [batch, length], seen);
  }
  for (let layer = 0; layer < 2; layer++) {
    x = net.norm(net.op("Add", [net.attention(x, mask), x]));
    const hidden = net.gelu(net.dense(x, WIDTH, 2 * WIDTH));
    x = net.norm(net.op("Add", [net.dense(hidden, 2 * WIDTH, WIDTH), x]));
  }
  return { file: net.build([x]), feed };
}
