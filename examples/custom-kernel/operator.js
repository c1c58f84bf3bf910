// Makes acme.hard_swish known to lowbit. Whoever loads a model that has it imports this file first (a worker, too).
import { registerOp } from "lowbit";

const finite = { test: (value) => Number.isFinite(value), wants: "a finite number" };

export const hardSwish = registerOp({
  name: "acme.hard_swish",
  attributes: { alpha: finite, beta: finite },
  inputs: [{ dtypes: ["f32"] }],
  // The output has the type and the shape of the input: what is not said here is so.
  lower({ inputs: [x], outputs: [y], attributes: { alpha, beta } }, { instance }) {
    // Read now, so that a model on a module without it is refused when it loads.
    const { acme_hard_swish } = instance.exportsAs();
    return {
      storage: "inPlace",
      bind({ pointer, shape }) {
        const [from, to] = [pointer(x), pointer(y)];
        const count = shape(x).reduce((product, size) => product * size, 1);
        return () => instance.check(acme_hard_swish(from, to, count, alpha, beta));
      },
    };
  },
});

/** The module of each tier: what `wasm` of `loadModel` takes. */
export const wasm = (tier) => new URL(`wasm/acme.${tier}.wasm`, import.meta.url);
