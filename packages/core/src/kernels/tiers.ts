/**
 * Tiers: builds of the same kernels for engines with more or fewer instructions. All of them give the same bytes.
 *
 * An engine accepts or refuses a module as a whole, so each tier is a module of its own, and a probe of the instructions that the kernels
 * rely on says whether the engine takes it. The probe is then run over pseudo-random and extreme operands: an engine that accepts the opcodes and computes
 * something else (V8 11.3's baseline compiler does, for the relaxed dot of 32 bits) does not get the tier, and the next one serves. That sees the code
 * that an engine runs first; what its optimising compiler makes of the kernels, `scripts/fuzz-wasm.mjs` tests in long runs.
 */
import { TierError } from "../errors.ts";
import { tierProbes } from "../generated/tier-probes.ts";

/** `scalar` runs everywhere and is the specification; `relaxed` adds relaxed SIMD to `simd128`. */
export type Tier = "scalar" | "simd128" | "relaxed";

/**
 * Which kernels a module holds; each is a link of its own of the same code (`scripts/wasm-parts.mjs`).
 * - `bits`, `int8`, `bytes`, `floats`: what binary networks, networks on int8, those with ternary weights or scales per group, and networks on floats call (runtime/part.ts knows which graphs run on which);
 * - `transformer`: what encoders and decoders of text call;
 * - `all`: every kernel of usual networks and quantizers; `ops`: those of `lowbit/ops` beside them; `threads`: `ops` over a shared memory;
 * - `search`: the scans of quantized vectors, which no other module has.
 */
export type Part =
  | "int8"
  | "bits"
  | "bytes"
  | "floats"
  | "transformer"
  | "all"
  | "ops"
  | "threads"
  | "search"
  | "quantize";

/** Lowest first. */
export const tiers: readonly Tier[] = ["scalar", "simd128", "relaxed"];

/** What an engine must answer to get a tier. */
export interface Probe {
  /** Base64 of a module with one export, `probe: (check: number) => i32`. */
  readonly module: string;
  /** Instructions and the hash of their results over fixed operands. */
  readonly checks: readonly (readonly [instructions: string, hash: number])[];
}

/** Whether this engine runs a tier, and if not, why. */
export interface TierReport {
  readonly tier: Tier;
  readonly available: boolean;
  /** Present where it is not available, e.g. `i8x16.popcnt answers wrongly`. */
  readonly reason?: string;
}

/** Why the engine does not get the tier of `probe`; undefined where it does. */
export function refusal({ module, checks }: Probe): string | undefined {
  const bytes = Uint8Array.from(atob(module), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return "this engine does not know its instructions";
  try {
    // A module of a few hundred bytes may be compiled synchronously on any thread.
    const { probe } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const wrong = checks.find(([, hash], check) => (probe as (check: number) => number)(check) !== hash);
    return wrong && `${wrong[0]} answers wrongly`;
  } catch (cause) {
    return `its self-test could not be run: ${(cause as Error).message}`;
  }
}

/** Reports by probe; a tier above a refused one is refused, for it holds that one's code too. */
export function examine(probes: Readonly<Record<Exclude<Tier, "scalar">, Probe>>): readonly TierReport[] {
  const reports: TierReport[] = [{ tier: "scalar", available: true }];
  for (const tier of ["simd128", "relaxed"] as const) {
    const below = reports.at(-1)!;
    const reason = below.available ? refusal(probes[tier]) : `${below.tier} is not available`;
    reports.push(reason === undefined ? { tier, available: true } : { tier, available: false, reason });
  }
  return reports;
}

let reports: readonly TierReport[] | undefined;
let available: readonly Tier[] | undefined;

/** Every tier, lowest first, with the reason where this engine does not get it; probed once. */
export function tierReport(): readonly TierReport[] {
  reports ??= examine(tierProbes);
  return reports;
}

/** The tiers that this engine runs, lowest first. */
export function availableTiers(): readonly Tier[] {
  available ??= tierReport().flatMap(({ tier, available }) => (available ? [tier] : []));
  return available;
}

/**
 * The tier to run: `wanted`, or the highest available one.
 * @throws TierError where `wanted` does not run in this engine
 */
export function chooseTier(wanted?: Tier): Tier {
  const list = availableTiers();
  if (wanted === undefined) return list[list.length - 1]!;
  if (!list.includes(wanted))
    throw new TierError(wanted, list, tierReport().find(({ tier }) => tier === wanted)?.reason);
  return wanted;
}
