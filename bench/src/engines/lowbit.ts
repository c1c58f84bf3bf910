/** Our kernels: an engine per tier that this JavaScript engine runs, and the best tier on more threads. */
import { availableTiers, type KernelInstance, loadKernels, type Tier, tiers } from "lowbit/kernels";
import type { Case, Kernels } from "../case.ts";
import { familyOf } from "../cases/index.ts";
import type { Absent, Engine, EngineSource, Host } from "../engine.ts";

/** The scalar tier is a specification, not a contestant: it is timed where a run takes milliseconds. */
const SCALAR_LIMIT = 2 ** 26;

/** The module of a tier from where the host keeps the package's files; one instance for all cases. */
export async function instanceOf(host: Host, tier: Tier, threads = 1): Promise<KernelInstance> {
  const name = threads > 1 ? "lowbit-threads" : "lowbit";
  return loadKernels({ tier, threads, wasm: await host.read(`lowbit/wasm/${name}.${tier}.wasm`) });
}

function engineOf(name: string, tier: Tier, kernels: Kernels): Engine {
  return {
    name,
    supports({ work }: Case) {
      if (tier === "scalar" && work.amount > SCALAR_LIMIT) return `the scalar tier is timed up to ${SCALAR_LIMIT} MAC`;
      return true;
    },
    prepare: async (of, tensors) => familyOf(of).kernel(kernels, of, tensors),
    dispose: () => kernels.instance.dispose(),
  };
}

export const lowbit: EngineSource = {
  name: "lowbit",
  kind: "ours",
  async open(host): Promise<readonly (Engine | Absent)[]> {
    const available = availableTiers();
    const best = available.at(-1) as Tier;
    const single = tiers.map(async (tier): Promise<Engine | Absent> => {
      const name = `lowbit:${tier}`;
      if (!available.includes(tier)) return { name, absent: `this engine does not run the ${tier} tier` };
      return engineOf(name, tier, { instance: await instanceOf(host, tier), threads: 1 });
    });
    const shared = host.threads.map(async (threads): Promise<Engine | Absent> => {
      const name = `lowbit:${best}:${threads}`;
      try {
        return engineOf(name, best, { instance: await instanceOf(host, best, threads), threads });
      } catch (error) {
        // A page that is not isolated, an engine without shared memory: the error says which.
        return { name, absent: (error as Error).message };
      }
    });
    return Promise.all([...single, ...shared]);
  },
};
