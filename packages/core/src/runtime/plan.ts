/** A program bound to one batch size: concrete shapes, one arena for all values, and the steps of a run. */
import { boundShape } from "../graph/shapes.ts";
import { layOut, type Span } from "./arena.ts";
import { bytesOfValue } from "./layout.ts";
import type { Program } from "./lower/index.ts";
import type { Binding, Operation, Step, ZeroCount } from "./lower/operation.ts";
import type { KnownElements } from "./resolver.ts";

/** Memory of one or several values that share it. */
interface Storage {
  bytes: number;
  /** The values. */
  readonly names: string[];
  /** Index of the operation that writes it first; -1 for inputs. */
  first: number;
  /** Index of the last operation that reads it; Infinity for outputs. */
  last: number;
}

/** Offsets of everything in the arena; independent of where the arena lies. */
export interface Layout {
  readonly bytes: number;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly elements: KnownElements;
  /** By value. */
  readonly offsets: ReadonlyMap<string, number>;
  /** By operation, for those that want scratch. */
  readonly scratch: ReadonlyMap<Operation, number>;
}

export interface Plan extends Disposable {
  readonly layout: Layout;
  /** One per operation, in order. */
  readonly steps: readonly Step[];
  pointer(name: string): number;
}

/** @param symbols the size of every symbolic dimension */
export function planLayout(program: Program, symbols: ReadonlyMap<string, number>, elements: KnownElements): Layout {
  const { inputs: ports, values, operations, outputs } = program;
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of values) shapes.set(name, boundShape(shape, symbols));
  const shapeOf = (name: string) => shapes.get(name) ?? program.constantShape(name);

  const storages = new Map<string, Storage>();
  const create = (name: string, first: number): Storage => {
    const bytes = bytesOfValue(values.get(name)!.dtype, shapes.get(name)!);
    const storage = { bytes, names: [name], first, last: first };
    storages.set(name, storage);
    return storage;
  };
  for (const name of ports) create(name, -1);
  for (const [i, { inputs, output, others = [], storage }] of operations.entries()) {
    for (const name of inputs) storages.get(name)!.last = Math.max(storages.get(name)!.last, i);
    if (storage === "alias") move([output], storages.get(inputs[0]!)!, storages);
    else for (const name of [output, ...others]) create(name, i);
  }
  for (const name of outputs) storages.get(name)!.last = Number.POSITIVE_INFINITY;
  joinInPlace(operations, storages);

  const distinct = [...new Set(storages.values())];
  const scratched = [...operations.entries()].filter(([, operation]) => operation.scratchBytes);
  const spans: Span[] = [
    ...distinct,
    ...scratched.map(([i, operation]) => ({ bytes: operation.scratchBytes!(shapeOf), first: i, last: i })),
  ];
  const { offsets, bytes } = layOut(spans);
  const at = new Map(distinct.map((storage, i) => [storage, offsets[i]!]));
  return {
    bytes,
    shapes,
    elements,
    offsets: new Map([...storages].map(([name, storage]) => [name, at.get(storage)!])),
    scratch: new Map(scratched.map(([, operation], i) => [operation, offsets[distinct.length + i]!])),
  };
}

/** Lets an operation write over its input where nobody reads that afterwards. */
function joinInPlace(operations: readonly Operation[], storages: Map<string, Storage>): void {
  for (const [i, { inputs, output, storage }] of operations.entries()) {
    if (storage !== "inPlace") continue;
    const from = storages.get(inputs[0]!)!;
    const to = storages.get(output)!;
    if (from.last !== i || from.bytes !== to.bytes) continue;
    from.last = to.last;
    // The output, and what is an alias of it.
    move(to.names, from, storages);
  }
}

function move(names: readonly string[], to: Storage, storages: Map<string, Storage>): void {
  for (const name of names) {
    storages.set(name, to);
    to.names.push(name);
  }
}

/** @param base address of `layout.bytes` bytes */
export function bindPlan(program: Program, layout: Layout, base: number): Plan {
  const { instance, operations } = program;
  const owned: Disposable[] = [];
  const shape = (name: string): readonly number[] => layout.shapes.get(name) ?? program.constantShape(name);
  const pointer = (name: string): number => {
    const offset = layout.offsets.get(name);
    return offset === undefined ? program.constantPointer(name) : base + offset;
  };
  const zeros = countsByValue(operations);
  const dispose = () => {
    for (const object of owned) object[Symbol.dispose]();
  };
  try {
    const steps = operations.map((operation): Step => {
      const binding: Binding = {
        instance,
        shape,
        pointer,
        elements: (name) => layout.elements.get(name!),
        scratch: base + (layout.scratch.get(operation) ?? 0),
        zeros: (name) => zeros.get(name)!,
        own(object) {
          owned.push(object);
          return object;
        },
      };
      // Nothing to compute: kernels need not know of empty outputs.
      const isEmpty = [operation.output, ...(operation.others ?? [])].every((name) => shape(name).includes(0));
      return isEmpty ? nothing : operation.bind(binding);
    });
    return { layout, steps, pointer, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

const nothing = (): void => {};

/** One count per value; an alias shares its source's. */
function countsByValue(operations: readonly Operation[]): Map<string, ZeroCount> {
  const counts = new Map<string, ZeroCount>();
  for (const { inputs, output, storage } of operations) {
    const shared = storage === "alias" ? counts.get(inputs[0]!) : undefined;
    counts.set(output, shared ?? { count: 0 });
  }
  return counts;
}
