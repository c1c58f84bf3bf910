import {
  type ActivationQuantization,
  type AttributesOf,
  type Clamp,
  type DataOf,
  type Dim,
  type Node,
  type PlainConstant,
  UnsupportedError,
  type ValueInfo,
} from "lowbit";
import type { Rounding } from "../api.ts";
import { ModelFileError } from "../errors.ts";
import { floats, numbersOf } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { foldValues } from "../graph/fold.ts";
import { countedAxis } from "../graph/numbers.ts";
import type { Decoded, Schema } from "./flatbuffer.ts";
import type { SourceModel, SourceOperator, SourceQuantization, SourceTensor } from "./reader.ts";
import { Activation, TensorType, typeName } from "./schema.ts";
import { dtypeOf, readConstant } from "./tensor.ts";

/** Imports one operator: reads it through the context and adds Graph nodes to it. */
export type OperatorImporter = (node: NodeContext) => void;

/** What the operators of one import share. */
export interface ImportState {
  readonly source: SourceModel;
  readonly editor: GraphEditor;
  /** Graph name of every tensor that has one by now. */
  readonly values: Map<number, string>;
  /** Tensors that are shapes of other values: their sizes, known or symbols. */
  readonly shapes: Map<number, readonly Dim[]>;
  /** Values of codes and their floats: a value is dequantized once, however many read it. */
  readonly reals: Map<string, string>;
  readonly rounding: Rounding;
}

/** What a Graph value stands in for: a tensor of floats, or of codes with their scale. */
export interface Target {
  readonly dtype: keyof DataOf;
  readonly quantization?: ActivationQuantization;
  /** Of codes of int16, which no integer kernel reads: their scale. The Graph has the floats that they stand for, rounded to them. */
  readonly grid?: number;
}

/**
 * What an importer sees of one TFLite operator. Quantized tensors are values of int8 codes in the Graph; those of uint8 are
 * recentred (128 less, and so is the zero point) unless they are inputs or outputs of the model, which keep their type. Those of int16 are floats on their grid.
 */
export class NodeContext {
  /** For messages. */
  readonly title: string;
  readonly #state: ImportState;

  constructor(
    readonly operator: SourceOperator,
    state: ImportState,
  ) {
    this.title = `${operator.type} "${operator.title}"`;
    this.#state = state;
  }

  get rounding(): Rounding {
    return this.#state.rounding;
  }

  get inputCount(): number {
    return this.operator.inputs.length;
  }

  /** Whether optional input `index` is there. */
  has(index: number): boolean {
    return (this.operator.inputs[index] ?? -1) !== -1;
  }

  /** The options' table; without one in the file, what every field has by default. */
  options<S extends Schema>(schema: S): Decoded<S> {
    const { options } = this.operator;
    if (options) return options.as(schema);
    return Object.fromEntries(Object.entries(schema).map(([key, field]) => [key, field.absent])) as Decoded<S>;
  }

  tensor(index: number): SourceTensor {
    const { inputs } = this.operator;
    if (!this.has(index))
      throw new ModelFileError(`tflite: ${this.title}`, "inputs", `input ${index}`, `${inputs.length} inputs`);
    return this.#state.source.tensors[inputs[index]!]!;
  }

  output(index = 0): SourceTensor {
    const tensor = this.#state.source.tensors[this.operator.outputs[index] ?? -1];
    if (tensor === undefined)
      throw new ModelFileError(`tflite: ${this.title}`, "outputs", `output ${index}`, this.operator.outputs.length);
    return tensor;
  }

  info(value: string): ValueInfo {
    return this.#state.editor.info(value);
  }

  shape(value: string): readonly Dim[] {
    return this.info(value).shape;
  }

  /** Input `index` as a constant, if it is one: its elements as they are stored. */
  constant(index: number): PlainConstant | undefined {
    if (!this.has(index)) return undefined;
    const { data, type, shape, name } = this.tensor(index);
    if (data) return readConstant(type, shape, data, `tflite: tensor "${name}"`);
    return this.#state.editor.plain(this.#state.values.get(this.operator.inputs[index]!));
  }

  /** Numbers of a small input that must be constant: sizes, axes, pads. */
  numbers(index: number, what: string): number[] {
    const constant = this.constant(index);
    if (constant) return this.#integers(constant, what);
    return this.unsupported(`${what} computed at run time`, `constant ${what}`);
  }

  /** Input `index` as a shape: constant numbers, or what was read off a value whose sizes may be symbols. */
  dims(index: number): readonly Dim[] | undefined {
    const constant = this.constant(index);
    return constant ? this.#integers(constant, "sizes") : this.#state.shapes.get(this.operator.inputs[index] ?? -1);
  }

  #integers(constant: PlainConstant, what: string): number[] {
    const numbers = numbersOf(constant);
    if (!numbers.every(Number.isSafeInteger)) this.damaged(what, "integers", numbers.slice(0, 8));
    return numbers;
  }

  bindShape(dims: readonly Dim[]): void {
    const output = this.operator.outputs[0]!;
    this.#state.shapes.set(output, dims);
    // Known sizes are a constant that anything may read.
    if (dims.every((size) => typeof size === "number"))
      this.bind(
        this.store("shape", { kind: "plain", dtype: "int32", shape: this.output().shape, data: Int32Array.from(dims) }),
      );
  }

  /** Graph name of input `index`, of whatever type it is. */
  value(index: number): string {
    const tensor = this.operator.inputs[index] ?? -1;
    const known = this.#state.values.get(tensor);
    if (known !== undefined) return known;
    const constant = this.constant(index);
    if (constant === undefined) this.unsupported(`input ${index} computed from a dynamic shape`, "a fixed shape");
    const name = this.#state.editor.constant(this.tensor(index).name || `constant_${tensor}`, constant);
    this.#state.values.set(tensor, name);
    return name;
  }

  /** Input `index` as floats, dequantized where it is quantized; of the rank given if one is. */
  real(index: number, rank?: number): string {
    const { type, quantization, name } = this.tensor(index);
    const constant = this.constant(index);
    let value: string;
    if (constant) value = this.#state.editor.constant(name || "constant", this.#realConstant(constant, quantization));
    else {
      value = this.value(index);
      const { dtype } = this.info(value);
      if (this.info(value).quantization) value = this.dequantized(value);
      else if (dtype !== "f32")
        this.unsupported(`input ${index} of type ${typeName(type)}`, "floats or quantized values");
    }
    const actual = this.shape(value).length;
    if (rank !== undefined && actual !== rank) this.unsupported(`input ${index} of rank ${actual}`, `rank ${rank}`);
    return value;
  }

  #realConstant(constant: PlainConstant, quantization: SourceQuantization | undefined): PlainConstant {
    if (constant.dtype === "f32") return constant;
    if (quantization === undefined)
      this.unsupported(`a constant of ${constant.dtype}`, "floats, or codes with a scale");
    const { scale, zeroPoint, axis } = quantization;
    const inner = constant.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: constant.data.length }, (_, i) => {
      const c = scale.length === 1 ? 0 : Math.floor(i / inner) % scale.length;
      return (Number(constant.data[i]) - zeroPoint[c]!) * scale[c]!;
    });
    return floats(constant.shape, data);
  }

  /** The floats of a value of codes. */
  dequantized(codes: string): string {
    const known = this.#state.reals.get(codes);
    if (known !== undefined) return known;
    const value = this.#state.editor.add("dequantize", `${codes}/dequantize`, [codes], {});
    this.#state.reals.set(codes, value);
    return value;
  }

  /** What the Graph value of output `index` is to be. */
  target(index = 0): Target {
    const tensor = this.output(index);
    return targetOf(tensor, this.#state.source.outputs.includes(this.operator.outputs[index]!), (got) =>
      this.unsupported(got, "float, int8 or uint8 tensors with one scale"),
    );
  }

  /** `x` as codes of the target's type and scale: itself, or through its floats. */
  codes(x: string, target: Target, part = "codes"): string {
    const { dtype, quantization } = this.info(x);
    if (dtype === target.dtype && sameQuantization(quantization, target.quantization)) return x;
    const real = quantization ? this.dequantized(x) : x;
    return this.step(part, "quantize", [real], {}, target);
  }

  /**
   * An operator that moves elements and computes nothing: on the codes where input and output stand for the same
   * numbers, else on floats that are quantized again.
   */
  move(index: number, step: (x: string) => string): void {
    const target = this.target();
    const x = this.constant(index) ? undefined : this.info(this.value(index));
    if (x?.quantization && target.quantization && sameReals(x, target))
      this.bind(step(this.codes(this.value(index), target, "recentre")));
    else if (x?.quantization || target.quantization) this.bindReal(step(this.real(index)));
    else this.bind(step(this.value(index)));
  }

  /** Throws for something legal in TFLite that this importer does not do. */
  unsupported(got: string, expected: string): never {
    throw new UnsupportedError("importModel", [`${this.title}: ${got}`], expected);
  }

  damaged(what: string, expected: unknown, got: unknown): never {
    throw new ModelFileError(`tflite: ${this.title}`, what, expected, got);
  }

  /** An axis that may count from the end, as 0..rank-1. */
  axis(axis: number, rank: number): number {
    return countedAxis(axis, rank) ?? this.damaged("axis", `${-rank} to ${rank - 1}`, axis);
  }

  /** Stores a constant; `part` says what of the operator it is. */
  store(part: string, constant: Parameters<GraphEditor["constant"]>[1]): string {
    return this.#state.editor.constant(`${this.operator.title}/${part}`, constant);
  }

  /** Adds a Graph node (or its folded result) that is a step of this operator; `part` goes into its name. */
  step<K extends Node["op"]>(
    part: string,
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    return this.#add(`${this.operator.title}/${part}`, op, inputs, attributes, info);
  }

  /** The step that carries the operator's own name. */
  main<K extends Node["op"]>(
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    return this.#add(this.operator.title, op, inputs, attributes, info);
  }

  /** Binds output `index` to a Graph value. */
  bind(value: string, index = 0): void {
    const output = this.operator.outputs[index];
    if (output !== undefined) this.#state.values.set(output, value);
  }

  /** Binds output 0 to floats, behind a fused activation, quantized where the tensor is. */
  bindReal(value: string, activation: number = Activation.NONE): void {
    const target = this.target();
    const end = this.activated(value, activation);
    if (target.quantization) this.bind(this.step("quantize", "quantize", [end], {}, target));
    else if (target.grid !== undefined) this.bind(onGrid(this.#state.editor, this.operator.title, end, target.grid));
    else if (target.dtype === "f32") this.bind(end);
    else this.unsupported(`output of type ${typeName(this.output().type)}`, "floats or quantized values");
  }

  /** Scale of input `index`, where it is a value of int16 codes. */
  grid(index: number): number | undefined {
    const { type, quantization } = this.tensor(index);
    return type === TensorType.INT16 ? quantization?.scale[0] : undefined;
  }

  /** The clamp that a fused activation is; undefined for none, and for those that are no clamp. */
  clampOf(activation: number): Clamp | undefined {
    switch (activation) {
      case Activation.RELU:
        return [0, Number.POSITIVE_INFINITY];
      case Activation.RELU_N1_TO_1:
        return [-1, 1];
      case Activation.RELU6:
        return [0, 6];
      default:
        return undefined;
    }
  }

  /** The value behind a fused activation. */
  activated(value: string, activation: number): string {
    const clamp = this.clampOf(activation);
    if (clamp) return this.step("activation", "clip", [value], { min: clamp[0], max: clamp[1] });
    if (activation === Activation.NONE) return value;
    if (activation === Activation.TANH) return this.step("activation", "tanh", [value], {});
    return this.unsupported(`fused activation ${activation}`, "none, RELU, RELU_N1_TO_1, RELU6 or TANH");
  }

  #add<K extends Node["op"]>(
    name: string,
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    const { editor } = this.#state;
    const folded = foldValues(editor, op, inputs, attributes);
    if (folded) return editor.constant(name, folded);
    return editor.add(op, name, inputs, attributes, info ? { info } : {});
  }
}

/** What a tensor is in the Graph. @param outside whether it is an input or output of the model, which keeps its type */
export function targetOf(
  { type, quantization }: SourceTensor,
  outside: boolean,
  refuse: (got: string) => never,
): Target {
  const dtype = dtypeOf(type);
  if (type === TensorType.INT16 && quantization?.scale.length === 1 && quantization.zeroPoint[0] === 0)
    return { dtype: "f32", grid: quantization.scale[0]! };
  if (dtype === undefined || type === TensorType.INT16 || type === TensorType.UINT16 || type === TensorType.INT4)
    return refuse(`a value of type ${typeName(type)}`);
  if (quantization === undefined || (dtype !== "int8" && dtype !== "uint8")) return { dtype };
  const [scale, zeroPoint] = [quantization.scale[0]!, quantization.zeroPoint[0]!];
  if (quantization.scale.length > 1) return refuse(`activations with ${quantization.scale.length} scales`);
  if (dtype === "uint8" && !outside) return { dtype: "int8", quantization: { scale, zeroPoint: zeroPoint - 128 } };
  return { dtype, quantization: { scale, zeroPoint } };
}

/** Floats rounded to int16 codes times a scale. */
export function onGrid(editor: GraphEditor, name: string, value: string, scale: number): string {
  const codes = gridCodes(editor, name, value, scale);
  return gridFloats(editor, name, codes, scale);
}

const gridScale = (editor: GraphEditor, name: string, scale: number): string =>
  editor.constant(`${name}/scale`, floats([], [scale]));

/** The codes of floats: roundTiesToEven(x / scale), cut off at the ends of int16. */
export function gridCodes(editor: GraphEditor, name: string, value: string, scale: number, output?: string): string {
  const attributes = { axis: 0, block: 0, to: "int16", range: [-32768, 32767] } as const;
  const inputs = [value, gridScale(editor, name, scale)];
  return editor.add("quantizeLinear", `${name}/int16`, inputs, attributes, output === undefined ? {} : { output });
}

/** The floats of codes. */
export const gridFloats = (editor: GraphEditor, name: string, codes: string, scale: number): string =>
  editor.add("dequantizeLinear", `${name}/floats`, [codes, gridScale(editor, name, scale)], { axis: 0, block: 0 });

function sameQuantization(a: ActivationQuantization | undefined, b: ActivationQuantization | undefined): boolean {
  return a?.scale === b?.scale && a?.zeroPoint === b?.zeroPoint;
}

type Codes = Pick<ValueInfo, "dtype" | "quantization">;

/** Whether codes of both types stand for the same numbers: they do if they differ by the recentring alone. */
function sameReals(a: Codes, b: Codes): boolean {
  const centre = ({ dtype, quantization }: Codes) => quantization!.zeroPoint - (dtype === "uint8" ? 128 : 0);
  return a.quantization?.scale === b.quantization?.scale && centre(a) === centre(b);
}
