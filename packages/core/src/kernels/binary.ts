/**
 * How this engine counts differing bits fastest. On x64 no instruction counts bits per byte and a table lookup wins; on Arm there is one and popcounts do; engines and
 * their versions differ. So the two are run once, for a few milliseconds, when the first large binary product is made. Sums are the same either way.
 */
import type { BinaryCounting, KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import { writeOutput } from "./output.ts";
import type { Tier } from "./tiers.ts";

/** Products of fewer weights are made for lookups without asking: they are over before a probe would pay. */
const probedWeights = 1 << 18;

/** One answer per tier: modules of a tier hold the same code. */
const probed = new Map<Tier, BinaryCounting>();

/** What a product of `weights` weights in `instance` counts by: as its options say, or as the probe found. */
export function binaryCounting(instance: KernelInstance, weights: number): BinaryCounting {
  if (instance.binary) return instance.binary;
  if (instance.tier === "scalar" || weights < probedWeights) return "lookup";
  let counting = probed.get(instance.tier);
  if (!counting) {
    counting = probeBinaryCounting(instance);
    probed.set(instance.tier, counting);
  }
  return counting;
}

/** The shape of the probe: all of it in the nearest caches, long enough for the inner loops to matter. */
const shape = { n: 64, channels: 1152, rows: 16 };
/** Milliseconds a turn: engines round their clocks to 0.1 or 1 ms. */
const turn = 1.5;
/** The first turn of each also lets the engine compile the loops. */
const turns = 2;

/** The product of the probe; XnorGemm itself asks this file how to count. */
class Candidate extends KernelObject {
  constructor(instance: KernelInstance, codes: Uint8Array, counting: BinaryCounting) {
    const { n, channels } = shape;
    const parameters = new Parameters(instance).i32(n, 1, channels, 0, counting === "popcount" ? 1 : 0).array(codes);
    super(instance, writeOutput(parameters, { kind: "int32" }).call(instance.exports.xnor_gemm_new));
  }

  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.xnor_gemm_run(this.handle, x, y, rows));
  }
}

/** Runs both ways by turns for some six milliseconds. */
export function probeBinaryCounting(instance: KernelInstance): BinaryCounting {
  const { n, channels, rows } = shape;
  const words = channels / 32;
  // Any bits will do: neither way looks at them.
  const codes = Uint8Array.from({ length: (n * channels) / 8 }, (_, i) => (i * 151) >> 3);
  const ways = {
    lookup: new Candidate(instance, codes, "lookup"),
    popcount: new Candidate(instance, codes, "popcount"),
  };
  const x = instance.alloc(rows * words * 4);
  const y = instance.alloc(rows * n * 4);
  try {
    instance.u32(x, rows * words).fill(0x9e3779b9);
    const rate = (gemm: Candidate): number => {
      const start = performance.now();
      let runs = 0;
      let elapsed = 0;
      while (elapsed < turn) {
        gemm.run(x, rows, y);
        runs++;
        elapsed = performance.now() - start;
      }
      return runs / elapsed;
    };
    let last = { lookup: 0, popcount: 0 };
    for (let i = 0; i < turns; i++) last = { lookup: rate(ways.lookup), popcount: rate(ways.popcount) };
    return last.popcount > last.lookup ? "popcount" : "lookup";
  } finally {
    ways.lookup.dispose();
    ways.popcount.dispose();
    instance.free(x, rows * words * 4);
    instance.free(y, rows * n * 4);
  }
}
