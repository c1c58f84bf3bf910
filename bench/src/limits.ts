/**
 * What this engine's code can do at best on this machine, measured in the same run as the kernels: loops of one instruction over a buffer in the
 * first cache, and plain reads of memory (scripts/limits.mjs writes them). A kernel is then a fraction of the limit that binds it.
 */
import { availableTiers, type Tier } from "lowbit/kernels";
import type { Case } from "./case.ts";
import { relaxedLoops, simd128Loops } from "./generated/limits-wasm.ts";
import { signPlanes } from "./values.ts";

/** Billions a second: instructions, each with its load and its accumulation; of `read…` bytes. */
export interface Limits {
  /** i64.popcnt, 64 bits each. */
  readonly popcnt64?: number;
  /** i8x16.popcnt, 128 bits each. */
  readonly popcnt8?: number;
  readonly swizzle?: number;
  readonly relaxedSwizzle?: number;
  /** i32x4.dot_i16x8_s, 8 multiply-adds each. */
  readonly dot16?: number;
  /** i32x4.relaxed_dot_i8x16_i7x16_add_s, 16 multiply-adds each. */
  readonly relaxedDot?: number;
  /** i16x8.relaxed_dot_i8x16_i7x16_s, 16 multiply-adds each, whose sums of 16 bits few values are small enough for. */
  readonly relaxedDot16?: number;
  /** f32x4.mul and f32x4.add, 4 multiply-adds each pair. */
  readonly f32?: number;
  /** From the first cache, and from four places of memory in turn, which gives more than one. */
  readonly readCache?: number;
  readonly readMemory?: number;
}

type Loop = (pointer: number, bytes: number, repetitions: number) => number;

/** Whole passes of loops of 8 and of 12 vectors. */
const FIRST_CACHE = 7680;
const BEYOND_CACHES = 96 * 2 ** 20;

/** Engines compile a hot function better in the background: many short calls, and time to do it. */
async function warmUp(loop: Loop): Promise<void> {
  for (let i = 0; i < 2000; i++) loop(0, FIRST_CACHE, 1);
  await new Promise((resolve) => setTimeout(resolve, 40));
}

/** Best of a few tries of a few milliseconds: a limit is what nothing can exceed. */
function rate(loop: Loop, bytes: number, perPass: number, now: () => number): number {
  const timed = (repetitions: number) => {
    const started = now();
    loop(0, bytes, repetitions);
    return now() - started;
  };
  for (let repetitions = 1; ; repetitions *= 2) {
    const isLast = repetitions >= 2 ** 24;
    if (timed(repetitions) < 3 && !isLast) continue;
    const best = Math.min(...Array.from({ length: 7 }, () => timed(repetitions)));
    // The first try may have been interrupted, and the others last for less than a page's clock shows.
    if (best >= 1.5 || isLast) return (perPass * repetitions) / best / 1e6;
  }
}

const instantiate = async (base64: string, memory: WebAssembly.Memory): Promise<Record<string, Loop>> => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes, { bench: { memory } });
  return instance.exports as Record<string, Loop>;
};

/** Measures when it is asked, and keeps the best of all: a neighbour of the machine may have been in the way once, not every time. */
export class LimitMeter {
  readonly #loops: Readonly<Record<string, Loop>>;
  readonly #best: Record<string, number> = {};

  private constructor(loops: Readonly<Record<string, Loop>>) {
    this.#loops = loops;
  }

  /** Takes about half a second. An engine without vectors has no limits to show. */
  static async open(): Promise<LimitMeter> {
    if (!availableTiers().includes("simd128")) return new LimitMeter({});
    const memory = new WebAssembly.Memory({ initial: BEYOND_CACHES / 65536 });
    // Pages that were never written are all one page of zeros to the machine.
    new Uint8Array(memory.buffer).fill(0x5a);
    const loops = {
      ...(await instantiate(simd128Loops, memory)),
      ...(availableTiers().includes("relaxed") && (await instantiate(relaxedLoops, memory))),
    };
    for (const loop of Object.values(loops)) await warmUp(loop);
    return new LimitMeter(loops);
  }

  /**
   * GB/s of one reading of memory, a few milliseconds: unlike an instruction's, memory's speed is another from minute to minute where others share it, so that the share of a case is of
   * what was read between its rounds. Undefined where there are no limits.
   */
  readMemory(now: () => number = () => performance.now()): number | undefined {
    const loop = this.#loops.readPlaces;
    if (!loop) return undefined;
    const started = now();
    loop(0, BEYOND_CACHES, 1);
    return BEYOND_CACHES / (now() - started) / 1e6;
  }

  /** Takes about a quarter of a second. */
  measure(now: () => number = () => performance.now()): Limits {
    const best = this.#best;
    const note = (name: string, rate: number) => {
      best[name] = Math.max(best[name] ?? 0, rate);
    };
    for (const [name, loop] of Object.entries(this.#loops))
      if (name === "read") note("readCache", rate(loop, FIRST_CACHE, FIRST_CACHE, now));
      else if (name === "readPlaces") note("readMemory", rate(loop, BEYOND_CACHES, BEYOND_CACHES, now));
      else note(name, rate(loop, FIRST_CACHE, FIRST_CACHE / (name === "popcnt64" ? 8 : 16), now));
    return { ...best };
  }
}

/** What binds a case on a tier. */
export interface Bound {
  /** Billions of the case's work a second. */
  readonly rate: number;
  /** The limit's name. */
  readonly by: keyof Limits;
}

/** The instructions that a tier may do the work of a case with, and how much of it each does. */
function instructions({ task }: Case, tier: Tier): [keyof Limits, number][] {
  const relaxed = tier === "relaxed";
  // Eight-bit codes are bound by loads of table entries, networks by a bit of everything.
  if (task.op === "network" || (task.op === "scan" && task.codes === "pq8")) return [];
  if (task.op === "scan")
    return task.codes === "hamming" ? [["popcnt64", 64]] : [[relaxed ? "relaxedSwizzle" : "swizzle", 16]];
  if (task.op === "assign" || task.x === "f32") return [["f32", 4]];
  // Every plane of x meets every plane of w.
  const products = (signPlanes[task.x] ?? 0) * (signPlanes[task.w] ?? 0);
  if (products > 0)
    return [
      ["popcnt64", 64 / products],
      ["popcnt8", 128 / products],
      // A table lookup counts four bits of sixteen columns, two rows to a byte.
      [relaxed ? "relaxedSwizzle" : "swizzle", 128 / products],
    ];
  const bytes: [keyof Limits, number][] = [["dot16", 8]];
  if (relaxed) bytes.push(["relaxedDot", 16]);
  if (relaxed && task.w !== "weight8") bytes.push(["relaxedDot16", 16]);
  return bytes;
}

/**
 * The lower of two limits: the best instruction's rate, and how fast memory can bring what the case must read.
 * Undefined for work that no single instruction limits.
 */
export function boundOf(of: Case, tier: Tier, limits: Limits, threads = 1): Bound | undefined {
  if (tier === "scalar") return undefined;
  const computing = instructions(of, tier)
    .map(([by, each]): Bound => ({ by, rate: (limits[by] ?? 0) * each * threads }))
    .reduce<Bound | undefined>((best, next) => (best && best.rate >= next.rate ? best : next), undefined);
  const reading =
    of.coldBytes && limits.readMemory
      ? ({ by: "readMemory", rate: (limits.readMemory / of.coldBytes) * of.work.amount } as const)
      : undefined;
  if (!computing || computing.rate === 0) return reading;
  return reading && reading.rate < computing.rate ? reading : computing;
}
