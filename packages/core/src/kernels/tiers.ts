/**
 * Tiers: builds of the same kernels for engines with more or fewer instructions. All of them give the same bytes.
 *
 * An engine accepts or refuses a module as a whole, so each tier is a module of its own, and a probe of a few
 * instructions says whether the engine takes it. The probe is then run: an engine that accepts the opcodes and computes
 * something else (there were such) does not get the tier.
 */
import { TierError } from "../errors.ts";

/** `scalar` runs everywhere and is the specification; `relaxed` adds relaxed SIMD to `simd128`. */
export type Tier = "scalar" | "simd128" | "relaxed";

/**
 * How much of the kernels a module holds: `all`, `threads` (all, over a shared memory), or the `core` that convolutional and dense networks on floats, int8 and bits run on, two thirds of the bytes
 * (`scripts/wasm-parts.mjs` lists it, runtime/part.ts knows which graphs it serves); `search` holds the scans of quantized vectors, which no other module has. All are cut from one build.
 */
export type Part = "core" | "all" | "threads" | "search";

/** Lowest first. */
export const tiers: readonly Tier[] = ["scalar", "simd128", "relaxed"];

interface Probe {
  /** A module with one export, `probe: () => i32`, base64. */
  readonly module: string;
  readonly result: number;
}

const probes: Record<Exclude<Tier, "scalar">, Probe> = {
  /**
   * ```wat
   * (i32x4.extract_lane 3 (i32x4.dot_i16x8_s
   *   (i16x8.extend_low_i8x16_u (i8x16.popcnt (v128.const i32x4 0x01030107 0x0f1f3f7f -1 0x00010003)))
   *   (v128.const i16x8 1 2 3 4 5 6 7 8)))
   * ```
   * Bytes 6 and 7 are 0x1f and 0x0f: 5 * 7 + 4 * 8.
   */
  simd128: {
    module:
      "AGFzbQEAAAABBQFgAAF/AwIBAAcJAQVwcm9iZQAACjMBMQD9DAcBAwF/Px8P/////wMAAQD9Yv2JAf0MAQACAAMABAAFAAYABwAIAP26Af0bAws=",
    result: 67,
  },
  /**
   * ```wat
   * (local.set $d (i32x4.relaxed_dot_i8x16_i7x16_add_s
   *   (v128.const i8x16 -128 -128 -128 -128 127 127 127 127 -128 127 -1 1 5 -6 7 -8)
   *   (i8x16.relaxed_swizzle
   *     (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 127)
   *     (v128.const i8x16 15 15 15 15 15 15 15 15 0 1 2 3 3 7 11 15))
   *   (v128.const i32x4 1 2 3 4)))
   * ```
   * Lanes -65023, 64518, 131, -962: the largest sums that the kernels' rule (second operand 0..127) admits. The result is
   * lane0 ^ rotl(lane1, 7) ^ rotl(lane2, 14) ^ rotl(lane3, 21).
   */
  relaxed: {
    module:
      "AGFzbQEAAAABBQFgAAF/AwIBAAcJAQVwcm9iZQAACnYBdAEBe/0MgICAgH9/f3+Af/8BBfoH+P0MAAECAwQFBgcICQoLDA0Of/0MDw8PDw8PDw8AAQIDAwcLD/2AAv0MAQAAAAIAAAADAAAABAAAAP2TAiEAIAD9GwAgAP0bAUEHd3MgAP0bAkEOdyAA/RsDQRV3c3ML",
    result: 2021539582,
  },
};

function passes({ module, result }: Probe): boolean {
  const bytes = Uint8Array.from(atob(module), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return false;
  try {
    // A module of a hundred bytes may be compiled synchronously on any thread.
    const { probe } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    return (probe as () => number)() === result;
  } catch {
    return false;
  }
}

let available: readonly Tier[] | undefined;

/** The tiers that this engine runs, lowest first; probed once. */
export function availableTiers(): readonly Tier[] {
  if (!available) {
    const found: Tier[] = ["scalar"];
    if (passes(probes.simd128)) found.push("simd128");
    // A relaxed build holds simd128 code too.
    if (found.length === 2 && passes(probes.relaxed)) found.push("relaxed");
    available = found;
  }
  return available;
}

/**
 * The tier to run: `wanted`, or the highest available one.
 * @throws TierError where `wanted` does not run in this engine
 */
export function chooseTier(wanted?: Tier): Tier {
  const list = availableTiers();
  if (wanted === undefined) return list[list.length - 1]!;
  if (!list.includes(wanted)) throw new TierError(wanted, list);
  return wanted;
}
