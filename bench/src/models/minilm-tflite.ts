/**
 * all-MiniLM-L6-v2 as TFLite's converter and its dynamic range quantization would write it, in the form that LiteRT is fastest at: dense layers with int8 weights, a scale
 * per output channel, over float rows that the runtime quantizes; everything else float. One text of a fixed length without padding, so no mask.
 */
import { operators, TfliteModel } from "./tflite.ts";

/** Constant by its name in the safetensors file: rows of the last axis, one after another. */
export type Weights = (name: string) => Float32Array;

const [HIDDEN, INNER, HEADS, LAYERS] = [384, 1536, 12, 6];
const EPSILON = 1e-12;

/** Each row of a matrix by its own scale, -127..127. */
function quantized(rows: Float32Array, columns: number): { data: Int8Array; scale: Float32Array } {
  const scale = new Float32Array(rows.length / columns);
  const data = new Int8Array(rows.length);
  for (let row = 0; row < scale.length; row++) {
    const values = rows.subarray(row * columns, (row + 1) * columns);
    const step = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1;
    scale[row] = step;
    data.set(
      values.map((value) => Math.round(value / step)),
      row * columns,
    );
  }
  return { data, scale };
}

/**
 * From ids int32 [length] to the embedding f32 [1, 384], of length 1.
 * @param isInt8 false: float weights
 */
export function minilmTflite(weights: Weights, length: number, isInt8 = true): Uint8Array<ArrayBuffer> {
  const model = new TfliteModel();
  const f32 = (...shape: number[]) => model.tensor({ type: "f32", shape });
  const constant = (data: Float32Array, ...shape: number[]) => model.tensor({ type: "f32", shape, data });
  const ints = (...values: number[]) =>
    model.tensor({ type: "int32", shape: [values.length], data: Int32Array.from(values) });
  const op = (operator: Parameters<TfliteModel["operator"]>[0], inputs: number[], ...shape: number[]): number => {
    const y = f32(...shape);
    model.operator(operator, inputs, [y]);
    return y;
  };

  const rows = [length, HIDDEN];
  const headSize = HIDDEN / HEADS;
  const [split, joined] = [ints(length, HEADS, headSize), ints(...rows)];
  const [swapped, last, first] = [ints(1, 0, 2), ints(1), ints(0)];
  const epsilon = constant(Float32Array.of(EPSILON), 1);

  const dense = (name: string, x: number, inputs: number, outputs: number, factor = 1): number => {
    const [w, b] = ["weight", "bias"].map((part) => weights(`${name}.${part}`).map((value) => value * factor)) as [
      Float32Array,
      Float32Array,
    ];
    const { data, scale } = quantized(w, inputs);
    const shape = [outputs, inputs];
    const matrix = isInt8
      ? model.tensor({ type: "int8", shape, data, quantization: { scale, axis: 0 } })
      : constant(w, ...shape);
    return op(operators.fullyConnected(isInt8), [x, matrix, constant(b, outputs)], length, outputs);
  };
  const norm = (name: string, x: number): number => {
    const [scale, bias] = ["weight", "bias"].map((part) => constant(weights(`${name}.${part}`), HIDDEN)) as [
      number,
      number,
    ];
    const mean = op(operators.mean(), [x, last], length, 1);
    const variance = op(operators.mean(), [op(operators.squaredDifference(), [x, mean], ...rows), last], length, 1);
    const factor = op(operators.rsqrt(), [op(operators.add(), [variance, epsilon], length, 1)], length, 1);
    const unit = op(operators.mul(), [op(operators.sub(), [x, mean], ...rows), factor], ...rows);
    return op(operators.add(), [op(operators.mul(), [unit, scale], ...rows), bias], ...rows);
  };
  const heads = (x: number): number => {
    const apart = op(operators.reshape(), [x, split], length, HEADS, headSize);
    return op(operators.transpose(), [apart, swapped], HEADS, length, headSize);
  };
  const attention = (name: string, x: number): number => {
    // The scale of the scores is in the weights, which costs nothing.
    const q = heads(dense(`${name}.query`, x, HIDDEN, HIDDEN, headSize ** -0.5));
    const k = heads(dense(`${name}.key`, x, HIDDEN, HIDDEN));
    const v = heads(dense(`${name}.value`, x, HIDDEN, HIDDEN));
    const scores = op(operators.batchMatMul({ transposed: true }), [q, k], HEADS, length, length);
    const chances = op(operators.softmax(), [scores], HEADS, length, length);
    const y = op(operators.batchMatMul({ transposed: false }), [chances, v], HEADS, length, headSize);
    return op(operators.reshape(), [op(operators.transpose(), [y, swapped], length, HEADS, headSize), joined], ...rows);
  };

  const ids = model.tensor({ type: "int32", shape: [length] });
  const words = weights("embeddings.word_embeddings.weight");
  const type = weights("embeddings.token_type_embeddings.weight");
  const positions = weights("embeddings.position_embeddings.weight")
    .subarray(0, length * HIDDEN)
    .map((value, i) => value + (type[i % HIDDEN] as number));
  const gathered = op(operators.gather(), [constant(words, words.length / HIDDEN, HIDDEN), ids], ...rows);
  let x = norm("embeddings.LayerNorm", op(operators.add(), [gathered, constant(positions, ...rows)], ...rows));
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    const mixed = dense(`${at}.attention.output.dense`, attention(`${at}.attention.self`, x), HIDDEN, HIDDEN);
    x = norm(`${at}.attention.output.LayerNorm`, op(operators.add(), [mixed, x], ...rows));
    const inner = op(operators.gelu(), [dense(`${at}.intermediate.dense`, x, HIDDEN, INNER)], length, INNER);
    const outer = dense(`${at}.output.dense`, inner, INNER, HIDDEN);
    x = norm(`${at}.output.LayerNorm`, op(operators.add(), [outer, x], ...rows));
  }
  const pooled = op(operators.mean(), [x, first], 1, HIDDEN);
  const squares = op(operators.sum(), [op(operators.mul(), [pooled, pooled], 1, HIDDEN), last], 1, 1);
  const y = op(operators.mul(), [pooled, op(operators.rsqrt(), [squares], 1, 1)], 1, HIDDEN);
  return model.encode([ids], [y]);
}
