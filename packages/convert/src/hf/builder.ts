/** Graphs of transformers, written as their papers draw them; weights come from a checkpoint by their names there. */
import type { Clamp, Constant, Graph } from "lowbit";
import { floats } from "../graph/constants.ts";
import { GraphEditor } from "../graph/editor.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** A row of token ids, or of 0 and 1, for each text of a batch. */
const TOKENS = { dtype: "int32", shape: ["batch", "sequence"] } as const;

export class TransformerBuilder {
  readonly #editor: GraphEditor;
  readonly checkpoint: Checkpoint;

  constructor(name: string, checkpoint: Checkpoint) {
    this.#editor = new GraphEditor({ name });
    this.checkpoint = checkpoint;
  }

  /** An input int32 [batch, sequence]. */
  tokens(name: string): string {
    this.#editor.addInput(name, TOKENS);
    return name;
  }

  constant(name: string, constant: Constant): string {
    return this.#editor.constant(name, constant);
  }

  /** Rows of the table `name`.weight [rows, columns]. */
  embedding(name: string, ids: string, rows: number, columns: number): string {
    const table = this.constant(`${name}.weight`, this.checkpoint.floats(`${name}.weight`, [rows, columns]));
    return this.#editor.add("embedding", name, [ids, table], {});
  }

  addPositions(name: string, x: string, table: Constant, offset: number): string {
    return this.#editor.add("addPositions", name, [x, this.constant(`${name}.weight`, table)], { offset });
  }

  /** x `name`.weightᵀ + `name`.bias, where the checkpoint has one. */
  dense(name: string, x: string, n: number, k: number, clamp?: Clamp): string {
    return this.denseOf(name, x, this.checkpoint.floats(`${name}.weight`, [n, k]), clamp);
  }

  denseOf(name: string, x: string, weight: Constant, clamp?: Clamp, activations?: "int8"): string {
    const { checkpoint } = this;
    const inputs = [x, this.constant(`${name}.weight`, weight)];
    const bias = `${name}.bias`;
    if (checkpoint.has(bias)) inputs.push(this.constant(bias, checkpoint.floats(bias, [weight.shape[0]!])));
    return this.#editor.add("dense", name, inputs, { ...(clamp && { clamp }), ...(activations && { activations }) });
  }

  layerNorm(name: string, x: string, size: number, epsilon: number): string {
    const { checkpoint } = this;
    // Checkpoints from before 2020 say gamma and beta.
    const [weight, bias] = checkpoint.has(`${name}.gamma`) ? ["gamma", "beta"] : ["weight", "bias"];
    const vectors = [weight, bias].map((part) =>
      this.constant(`${name}.${part}`, checkpoint.floats(`${name}.${part}`, [size])),
    );
    return this.#editor.add("layerNorm", name, [x, ...vectors], { epsilon });
  }

  rmsNorm(name: string, x: string, size: number, epsilon: number): string {
    const scale = this.constant(`${name}.weight`, this.checkpoint.floats(`${name}.weight`, [size]));
    return this.#editor.add("rmsNorm", name, [x, scale], { epsilon });
  }

  attention(
    name: string,
    [q, k, v]: readonly [string, string, string],
    mask: string | undefined,
    options: { heads: number; kvHeads?: number; depth: number; causal?: boolean },
  ): string {
    const { heads, kvHeads = heads, depth, causal = false } = options;
    const attributes = { heads, kvHeads, scale: 1 / Math.sqrt(depth), causal };
    return this.#editor.add("attention", name, [q, k, v, ...(mask ? [mask] : [])], attributes);
  }

  rotary(name: string, x: string, heads: number, theta: number): string {
    return this.#editor.add("rotary", name, [x], { heads, theta });
  }

  add(name: string, a: string, b: string): string {
    return this.#editor.add("add", name, [a, b], {});
  }

  mul(name: string, a: string, b: string): string {
    return this.#editor.add("mul", name, [a, b], {});
  }

  gelu(name: string, x: string, approximate: "none" | "tanh"): string {
    return this.#editor.add("gelu", name, [x], { approximate });
  }

  silu(name: string, x: string): string {
    return this.#editor.add("silu", name, [x], {});
  }

  relu(name: string, x: string): string {
    return this.#editor.add("clip", name, [x], { min: 0, max: Number.POSITIVE_INFINITY });
  }

  maskedMean(name: string, x: string, mask: string): string {
    return this.#editor.add("maskedMean", name, [x, mask], {});
  }

  /** x / |x| of each row: an RMS normalization whose scale takes the root of the size back. */
  unitLength(name: string, x: string, size: number): string {
    const scale = this.constant(`${name}/scale`, floats([size], new Float32Array(size).fill(1 / Math.sqrt(size))));
    // What torch's normalize adds to |x| itself: too small to change any bit of a sentence's.
    return this.#editor.add("rmsNorm", name, [x, scale], { epsilon: 1e-24 });
  }

  finish(output: string, name: string): Graph {
    this.#editor.outputs = [output];
    this.#editor.rename(output, name);
    return this.#editor.freeze();
  }
}
