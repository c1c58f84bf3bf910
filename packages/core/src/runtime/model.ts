/** A graph on kernels: checks, binding, running. */
import { disposeSymbol } from "../dispose.ts";
import { DisposedError, GraphError, OutOfRangeError, ShapeError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import { validateGraph } from "../graph/validate.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import type { Tier } from "../kernels/tiers.ts";
import { sizeOf, Tensor } from "../tensor.ts";
import { lowerGraph, type Program } from "./lower/index.ts";
import { bindPlan, type Plan, planLayout } from "./plan.ts";
import { bindEntry, checkNames, entryOf, type Port, portsOf, Window } from "./ports.ts";
import { type KnownElements, type Resolve, resolver } from "./resolver.ts";
import type { Feed, InputInfo, Model, ModelTypes, OutputInfo, Profile, Target, TensorData } from "./types.ts";

/** A plan with its ways in and out. */
interface Bound {
  readonly plan: Plan;
  readonly inputs: readonly { readonly window: Window; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly window: Window; readonly shape: readonly number[] }[];
}

/** Plans kept at once; a program that runs more batch sizes than this binds anew. */
const keptPlans = 8;

export interface GraphModelOptions {
  /** Values to return beside the graph's outputs; operators are not fused over them. */
  readonly taps?: readonly string[] | undefined;
}

/** Runs a validated graph on an instance of its own. */
export class GraphModel<T extends ModelTypes = ModelTypes> implements Model<T> {
  readonly tier: Tier;
  readonly inputs: readonly InputInfo[];
  readonly outputs: readonly OutputInfo[];
  readonly labels: readonly string[];
  readonly #instance: KernelInstance;
  readonly #program: Program;
  readonly #in: readonly Port[];
  readonly #out: readonly Port[];
  readonly #resolve: Resolve | undefined;
  /** Oldest first. */
  readonly #bound: Bound[] = [];
  #arena = { pointer: 0, bytes: 0 };
  #disposed = false;

  /**
   * Takes `instance` over, also where it throws.
   * @throws GraphError, UnsupportedError with every node that has no kernel, OutOfMemoryError
   */
  constructor(graph: Graph, instance: KernelInstance, { taps = [] }: GraphModelOptions = {}) {
    try {
      validateGraph(graph);
      // Valid as a collection of tensors, but nothing to compute.
      if (graph.outputs.length === 0) throw new GraphError("graph", "outputs", "at least one", 0);
      for (const name of taps)
        if (!graph.values.has(name)) throw new OutOfRangeError("createModel", "taps", "values of the graph", name);
      this.#in = portsOf(graph, graph.inputs);
      this.#out = portsOf(graph, [...new Set([...graph.outputs, ...taps])]);
      this.#resolve = resolver.of?.(graph);
      this.#program = lowerGraph(graph, instance, taps);
    } catch (error) {
      instance.dispose();
      throw error;
    }
    this.#instance = instance;
    this.tier = instance.tier;
    this.inputs = this.#in.map((port) => {
      const preprocessing = graph.preprocessing?.[port.name];
      return { ...port, ...(preprocessing && { preprocessing }) };
    });
    this.outputs = this.#out;
    this.labels = graph.labels ?? [];
  }

  async run(feed: Feed<T>): Promise<T["outputs"]> {
    const bound = this.#execute("run", feed);
    const outputs = this.#out.map((port, i) => {
      const { window, shape } = bound.outputs[i]!;
      const tensor = new Tensor(port.dtype, shape);
      window.read(tensor.data);
      return [port.name, tensor];
    });
    return Object.fromEntries(outputs) as T["outputs"];
  }

  runInto(feed: Feed<T>, outputs: Target<T>): void {
    this.#alive("runInto");
    checkNames("runInto", outputs, this.#out);
    const bound = this.#bind("runInto", feed);
    // Everything is checked before anything is written.
    for (let i = 0; i < this.#out.length; i++) {
      const port = this.#out[i]!;
      const entry = entryOf("runInto", outputs, port);
      const { shape } = bound.outputs[i]!;
      const size = entry instanceof Tensor ? entry.size : entry.length;
      if (size !== sizeOf(shape)) throw new ShapeError("runInto", `elements of "${port.name}"`, sizeOf(shape), size);
      if (entry instanceof Tensor && !sameSizes(entry.shape, shape))
        throw new ShapeError("runInto", `shape of "${port.name}"`, shape, entry.shape);
    }
    this.#execute("runInto", feed);
    for (let i = 0; i < this.#out.length; i++) {
      const entry = entryOf("runInto", outputs, this.#out[i]!);
      bound.outputs[i]!.window.read(dataOf(entry));
    }
  }

  async profile(feed?: Feed<T>, { runs = 10 }: { readonly runs?: number } = {}): Promise<Profile> {
    if (!(Number.isInteger(runs) && runs >= 1)) throw new OutOfRangeError("profile", "runs", "1 or more", runs);
    const given = feed ?? this.#zeros();
    const { steps, layout } = this.#execute("profile", given).plan;
    const { operations } = this.#program;
    const times = steps.map(() => [] as number[]);
    const totals: number[] = [];
    for (let run = 0; run < runs; run++) {
      // A run may write over its inputs.
      this.#writeInputs("profile", given);
      const begin = performance.now();
      let since = begin;
      for (const [i, step] of steps.entries()) {
        step();
        const now = performance.now();
        times[i]!.push(now - since);
        since = now;
      }
      totals.push(since - begin);
    }
    const shape = (name: string) => layout.shapes.get(name) ?? this.#program.constantShape(name);
    const nodes = operations.map(({ node, op, kernel, macs }, i) => ({
      node,
      op,
      kernel,
      ms: median(times[i]!),
      macs: macs?.(shape) ?? 0,
    }));
    return { tier: this.tier, ms: median(totals), runs, nodes, arenaBytes: layout.bytes };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // The instance is this model's own: its memory goes as a whole.
    this.#bound.length = 0;
    this.#instance.dispose();
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  #alive(op: string): void {
    if (this.#disposed) throw new DisposedError(op, "the model");
  }

  /** Copies the inputs in and runs every step. */
  #execute(op: string, feed: Feed<T>): Bound {
    const bound = this.#writeInputs(op, feed);
    const { steps } = bound.plan;
    for (let i = 0; i < steps.length; i++) steps[i]!();
    return bound;
  }

  #writeInputs(op: string, feed: Feed<T>): Bound {
    this.#alive(op);
    const bound = this.#bind(op, feed);
    for (let i = 0; i < this.#in.length; i++) {
      const port = this.#in[i]!;
      const entry = entryOf(op, feed, port);
      bound.inputs[i]!.window.write(op, port.name, dataOf(entry));
    }
    return bound;
  }

  /** The plan for the sizes of this feed, which is checked against the inputs. */
  #bind(op: string, feed: Feed<T>): Bound {
    checkNames(op, feed, this.#in);
    for (let at = this.#bound.length - 1; at >= 0; at--) {
      const bound = this.#bound[at]!;
      if (this.#fits(op, feed, bound)) return bound;
    }
    return this.#newBound(op, feed);
  }

  #fits(op: string, feed: Feed<T>, { inputs, plan }: Bound): boolean {
    for (let i = 0; i < this.#in.length; i++) {
      const entry = entryOf(op, feed, this.#in[i]!);
      const { shape } = inputs[i]!;
      if (entry instanceof Tensor ? !sameSizes(entry.shape, shape) : entry.length !== sizeOf(shape)) return false;
      const decided = plan.layout.elements.get(this.#in[i]!.name);
      if (decided && !sameSizes(decided, dataOf(entry))) return false;
    }
    return true;
  }

  #newBound(op: string, feed: Feed<T>): Bound {
    const symbols = new Map<string, number>();
    for (const port of this.#in) bindEntry(op, port, entryOf(op, feed, port), symbols);
    const elements: KnownElements = this.#resolve?.(symbols, (name) => dataOf(feed[name]!)) ?? new Map();
    const layout = planLayout(this.#program, symbols, elements);
    this.#reserve(layout.bytes);
    if (this.#bound.length >= keptPlans) this.#bound.shift()!.plan[Symbol.dispose]();
    const plan = bindPlan(this.#program, layout, this.#arena.pointer);
    const windows = (ports: readonly Port[]) =>
      ports.map(({ name, dtype }) => {
        const shape = layout.shapes.get(name)!;
        return { shape, window: new Window(this.#instance, dtype, plan.pointer(name), sizeOf(shape)) };
      });
    const bound = { plan, inputs: windows(this.#in), outputs: windows(this.#out) };
    this.#bound.push(bound);
    return bound;
  }

  /** Makes the arena at least `bytes` large. Plans hold addresses, so a new arena ends them. */
  #reserve(bytes: number): void {
    if (bytes <= this.#arena.bytes) return;
    for (const { plan } of this.#bound.splice(0)) plan[Symbol.dispose]();
    const { pointer, bytes: old } = this.#arena;
    this.#arena = { pointer: 0, bytes: 0 };
    if (old > 0) this.#instance.free(pointer, old);
    this.#arena = { pointer: this.#instance.alloc(bytes), bytes };
  }

  #zeros(): Feed<T> {
    const feed = this.#in.map(({ name, dtype, shape }) => {
      const sizes = shape.map((dim) => (typeof dim === "number" ? dim : 1));
      return [name, new Tensor(dtype, sizes)];
    });
    return Object.fromEntries(feed) as Feed<T>;
  }
}

const dataOf = (entry: Tensor | TensorData): TensorData => (entry instanceof Tensor ? entry.data : entry);

function sameSizes(a: readonly number[], b: ArrayLike<number | bigint>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== Number(b[i])) return false;
  return true;
}

/** Of a list that is not empty; the lower one of two in the middle. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}
