/** Chooses what runs the inner loops: the caller's WASM instance, or one that all calls without one share. */
import { loadKernels } from "../bundled.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import { kernelLoops } from "../kernels/quantize.ts";
import type { InnerLoops } from "./inner.ts";

const loopsOf = new WeakMap<KernelInstance, InnerLoops>();

let shared: Promise<KernelInstance> | undefined;

/** The caller's instance or the shared one. @throws what loading the package's own module may (LoadError) */
export const kernelsOf = async (kernels?: KernelInstance): Promise<KernelInstance> => kernels ?? sharedInstance();

/** @throws as {@link kernelsOf} */
export async function innerLoops(kernels?: KernelInstance): Promise<InnerLoops> {
  const instance = await kernelsOf(kernels);
  const loops = loopsOf.get(instance) ?? kernelLoops(instance);
  loopsOf.set(instance, loops);
  return loops;
}

/** The shared instance: made at the first call, and anew where the last one could not be loaded or has trapped. */
async function sharedInstance(): Promise<KernelInstance> {
  shared ??= loadKernels({ part: "quantize" });
  const current = shared;
  try {
    const instance = await current;
    if (!instance.ended) return instance;
  } catch (error) {
    if (shared === current) shared = undefined;
    throw error;
  }
  if (shared === current) shared = undefined;
  return sharedInstance();
}
