/**
 * The training engine behind one interface: jax-js on WASM. No other file of this package imports it. Layers and estimators are written in its
 * numpy (`np`), whose arrays are moved: every use of one but the last is written `x.ref`.
 */
import { defaultDevice, init, jit, lax, nn, numpy as np, random, scipySpecial, tree, valueAndGrad } from "@jax-js/jax";

export { nn, np, random, scipySpecial };

/** Arrays by full name, `layer.parameter`. */
type Named = Record<string, np.Array>;

// biome-ignore lint/suspicious/noExplicitAny: a compiled function has the type of its source, whatever that is.
type AnyFunction = (...values: any[]) => any;

/** What training asks of an engine. */
export interface Autograd {
  /** Makes it ready. In Node it runs on one thread, which is also what makes a run repeatable to the bit. */
  start(): Promise<void>;
  /** The same function of arrays (and records of arrays), traced and compiled at its first call for each set of shapes. Takes its arguments. */
  compile<F extends AnyFunction>(f: F): F;
  /** Value of a scalar function, what else it returns, and the gradient by its first argument. Takes the arguments. */
  gradient<A, R extends readonly unknown[]>(
    f: (parameters: Named, ...rest: R) => readonly [np.Array, A],
    parameters: Named,
    ...rest: R
  ): { readonly value: np.Array; readonly aux: A; readonly gradients: Named };
  /** The value, through which no gradient flows. Takes x. */
  stop(x: np.Array): np.Array;
  /** The same arrays for one more use. */
  share<T extends Named>(arrays: T): T;
}

export const autograd: Autograd = {
  async start() {
    await init("wasm");
    defaultDevice("wasm");
  },
  compile: (f) => jit(f) as unknown as typeof f,
  gradient(f, parameters, ...rest) {
    const run = valueAndGrad(f as unknown as (p: Named, ...r: unknown[]) => [np.Array, Named], { hasAux: true });
    const [[value, aux], gradients] = run(parameters, ...(rest as unknown as np.Array[])) as unknown as [
      [np.Array, never],
      Named,
    ];
    return { value, aux, gradients };
  },
  stop: (x) => lax.stopGradient(x),
  share: (arrays) => tree.ref(arrays),
};

/** Makes the engine ready; needed once before any array is made. */
export const startEngine = (): Promise<void> => autograd.start();
