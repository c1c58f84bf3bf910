/** Where graphs whose sizes depend on values get them from: `lowbit/ops` puts it here when its operators are registered. */
import type { Graph } from "../graph/types.ts";
import type { TensorData } from "./types.ts";

/** The numbers in the values that decide sizes, by name. */
export type KnownElements = ReadonlyMap<string, readonly number[]>;

/**
 * Binds the symbols that no input has and finds the numbers that decide sizes, before a plan is made.
 * @param given data of a graph input
 * @throws GraphError, ShapeError
 */
export type Resolve = (symbols: Map<string, number>, given: (input: string) => TensorData) => KnownElements;

export const resolver: { of?: (graph: Graph) => Resolve } = {};
