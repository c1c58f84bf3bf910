/** Whether an answer is right. Only then does a time count. */
import { type Case, checksum, type Tensors } from "./case.ts";
import { familyOf } from "./cases/index.ts";
import type { Answer } from "./engine.ts";
import { SplitMix64 } from "./random.ts";

export type Verdict =
  | { readonly right: true; readonly checksum: string }
  /** What differs first. */
  | { readonly right: false; readonly wrong: string; readonly checksum?: string };

/** How many outputs of a `sums` answer are compared. */
const SAMPLES = 512;
const POSITIONS_STREAM = 0xffff_ffff;

/** Seeded positions among `length` outputs, the first and the last among them. */
function positionsOf({ seed }: Case, length: number): number[] {
  if (length <= SAMPLES) return Array.from({ length }, (_, i) => i);
  const random = new SplitMix64(seed, POSITIONS_STREAM);
  const inner = Array.from({ length: SAMPLES - 2 }, () => {
    random.next();
    return random.low % length;
  });
  return [0, length - 1, ...inner];
}

/** Judges `answer`; the naive sums are worked out only where they are needed. */
export function judge(of: Case, tensors: Tensors, answer: Answer): Verdict {
  const digest = checksum(answer.data as Float32Array);
  if (answer.kind === "exact") {
    if (of.checksum === undefined) return { right: false, wrong: "the case has no checksum: run pnpm bench:checksums" };
    if (digest === of.checksum) return { right: true, checksum: digest };
    return { right: false, wrong: `checksum ${digest}, expected ${of.checksum}`, checksum: digest };
  }
  const { data, tolerance, range, expected } = answer;
  const outputs = expected ? data.length : familyOf(of).outputs(of);
  if (data.length !== outputs) return { right: false, wrong: `${data.length} outputs, expected ${outputs}` };
  const positions = positionsOf(of, outputs);
  const sums = expected ? expected(positions) : familyOf(of).sums(of, tensors, positions);
  for (const [i, position] of positions.entries()) {
    const sum = sums[i] as number;
    const wanted = range ? Math.max(range[0], Math.min(range[1], sum)) : sum;
    const got = data[position] as number;
    if (!(Math.abs(got - wanted) <= tolerance))
      return {
        right: false,
        wrong: `output ${position} is ${got}, expected ${wanted} ± ${tolerance}`,
        checksum: digest,
      };
  }
  return { right: true, checksum: digest };
}
