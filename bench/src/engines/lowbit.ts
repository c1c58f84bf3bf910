/** Our kernels: an engine per tier that this JavaScript engine runs, and the best tier on more threads. */
import { availableTiers, type KernelInstance, loadKernels, type Tier, tiers } from "lowbit/kernels";
import { createModel } from "lowbit/slim";
import type { Case, Kernels } from "../case.ts";
import { familyOf } from "../cases/index.ts";
import type { Absent, Engine, EngineSource, Host } from "../engine.ts";
import { isSearch, type Task } from "../task.ts";
import { signPlanes } from "../values.ts";

/** The scalar tier is a specification, not a contestant: it is timed where a run takes milliseconds. */
const SCALAR_LIMIT = 2 ** 26;

/** Every export of a tier, on so many threads; from where the host keeps the package's files. */
const moduleOf = (host: Host, tier: Tier, threads: number) =>
  host.read(`lowbit/wasm/${threads > 1 ? "lowbit-threads" : "lowbit"}.${tier}.wasm`);

/** One instance for all cases but networks, each of which makes its own. */
export async function kernelsOf(host: Host, tier: Tier, threads = 1): Promise<Kernels> {
  const wasm = await WebAssembly.compile(await moduleOf(host, tier, threads));
  let search: Promise<KernelInstance> | undefined;
  return {
    instance: await loadKernels({ tier, threads, wasm }),
    threads,
    createModel: (graph) => createModel(graph, { tier, threads, wasm }),
    search() {
      search ??= host.read(`lowbit/wasm/lowbit-search.${tier}.wasm`).then((wasm) => loadKernels({ tier, wasm }));
      return search;
    },
  };
}

/** As {@link kernelsOf}, where no network is run. */
export const instanceOf = async (host: Host, tier: Tier): Promise<KernelInstance> =>
  loadKernels({ tier, wasm: await moduleOf(host, tier, 1) });

/** Searches, and products of several planes of signs. */
const onOneThread = (task: Task): boolean => isSearch(task) || (task.op === "gemm" && (signPlanes[task.w] ?? 1) > 1);

function engineOf(name: string, tier: Tier, kernels: Kernels): Engine {
  return {
    name,
    supports({ task, work }: Case) {
      if (kernels.threads > 1 && onOneThread(task)) return "runs on one thread";
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
      return engineOf(name, tier, await kernelsOf(host, tier));
    });
    const shared = host.threads.map(async (threads): Promise<Engine | Absent> => {
      const name = `lowbit:${best}:${threads}`;
      try {
        return engineOf(name, best, await kernelsOf(host, best, threads));
      } catch (error) {
        // A page that is not isolated, an engine without shared memory: the error says which.
        return { name, absent: (error as Error).message };
      }
    });
    return Promise.all([...single, ...shared]);
  },
};
