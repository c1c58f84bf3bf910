/** Gradient quantizers and gradients that their tests share. */
import {
  dorefaGradient,
  dynamicTree,
  efSignSgd,
  type GradientQuantizer,
  oneBitSgd,
  qsgd,
  Random,
  signSgd,
  stromThreshold,
  ternGrad,
} from "../../src/quantize.ts";

export const quantizers: readonly GradientQuantizer[] = [
  oneBitSgd(),
  oneBitSgd({ column: 7 }),
  stromThreshold({ threshold: 0.5 }),
  dynamicTree(),
  ternGrad(),
  ternGrad({ clip: 2.5 }),
  qsgd({ levels: 1 }),
  qsgd({ levels: 4, bucket: 16 }),
  qsgd({ levels: 4, coding: "dense" }),
  qsgd({ levels: 255 }),
  dorefaGradient({ bits: 1 }),
  dorefaGradient({ bits: 4 }),
  dorefaGradient({ bits: 8 }),
  signSgd(),
  efSignSgd(),
];
export const named = quantizers.map((quantizer) => [quantizer.scheme, quantizer] as const);

/** Roughly normal numbers, exact in every engine. */
export function bell(count: number, seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.uniform();
    return sum;
  });
}

export const sum = (values: ArrayLike<number>, term: (value: number, i: number) => number): number =>
  Array.from(values).reduce((total, value, i) => total + term(value, i), 0);
export const squares = (x: Float32Array): number => sum(x, (v) => v * v);
