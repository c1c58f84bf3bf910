/** What calibration keeps of the batches it sees: range, mean magnitude and a histogram that widens by doubling. */
import { InputError } from "../../errors.ts";
import { innerLoops } from "../engine.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { FloatTensor } from "../types.ts";
import { checkActivations, wholeOf } from "./codes.ts";
import type { ActivationCalibrator, ActivationObserver, ActivationOptions, ActivationQuantizer } from "./types.ts";

/** Bins on either side of 0; the largest magnitude lies in their upper half. */
const BINS = 2048;

/** What was seen of activations. */
export interface Seen {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly meanAbs: number;
  /** Width of a bin, a power of two. */
  readonly width: number;
  /** Bin i holds [(i - bins / 2) * width, (i + 1 - bins / 2) * width). */
  readonly counts: Uint32Array;
}

/**
 * Gathers {@link Seen}. A bin is a power of two wide; where a batch reaches further, it is doubled, which joins pairs of bins and loses nothing that bins of that width
 * would have told.
 */
class Gatherer {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  sumAbs = 0;
  /** All magnitudes are below 2^exponent. */
  exponent = -148;
  readonly counts = new Uint32Array(2 * BINS);

  async add(op: string, batch: FloatTensor, options: ActivationOptions): Promise<void> {
    const loops = await innerLoops(options.kernels);
    const whole = wholeOf(checkActivations(op, batch, loops, options));
    using held = loops.load(batch.data);
    const { min, max } = held.minMax(whole);
    this.min = Math.min(this.min, min[0]!);
    this.max = Math.max(this.max, max[0]!);
    this.count += batch.data.length;
    this.sumAbs += held.meanAbs(whole)[0]! * batch.data.length;
    const largest = Math.max(-this.min, this.max);
    if (largest > 0) this.#widen(floorLog2(largest) + 1);
    loops.tally(batch.data, BINS / powerOfTwo(this.exponent), this.counts);
  }

  #widen(exponent: number): void {
    if (exponent <= this.exponent) return;
    // Beyond 12 doublings every bin joins one of the two beside 0.
    const joined = powerOfTwo(Math.min(exponent - this.exponent, 12));
    const before = this.counts.slice();
    this.counts.fill(0);
    before.forEach((count, i) => {
      this.counts[Math.floor((i - BINS) / joined) + BINS]! += count;
    });
    this.exponent = exponent;
  }
}

/** A calibrator from its traits and the rule that turns what was seen into a quantizer. */
export function activationCalibrator(
  traits: Pick<ActivationCalibrator, "scheme" | "bits" | "paper">,
  freeze: (seen: Seen) => ActivationQuantizer,
): ActivationCalibrator {
  const op = `calibrate ${traits.scheme}`;
  const watch = (): ActivationObserver => {
    const seen = new Gatherer();
    return {
      observe: (batch, options = {}) => seen.add(op, batch, options),
      freeze() {
        const { count, min, max, sumAbs, exponent, counts } = seen;
        if (count === 0) throw new InputError(op, "batches", "1 or more", 0);
        return freeze({ count, min, max, meanAbs: sumAbs / count, width: powerOfTwo(exponent) / BINS, counts });
      },
    };
  };
  return {
    ...traits,
    watch,
    async calibrate(batches, options) {
      const observer = watch();
      for (const batch of Symbol.iterator in batches ? batches : [batches]) await observer.observe(batch, options);
      return observer.freeze();
    },
  };
}

/** Counts of |x| by bin, from 0 to the largest magnitude. */
export function magnitudes({ min, max, width, counts }: Seen): Uint32Array {
  const half = counts.length / 2;
  const bins = Math.min(half, Math.floor(Math.max(-min, max) / width) + 1);
  return Uint32Array.from({ length: bins }, (_, i) => counts[half + i]! + counts[half - 1 - i]!);
}
