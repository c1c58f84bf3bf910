/** What residual and additive codes learn: codebooks of whole vectors, and for distances how norms are stored. */
import { type KernelInstance, SumEncoder } from "lowbit/kernels";
import { trainAdditiveCodebooks } from "lowbit/quantize";
import { effortOf } from "./coders/sums.ts";
import type { Vectors } from "./prepare.ts";
import { type Learned, subtractLists } from "./train.ts";

export interface SumTraining {
  readonly kind: "rq" | "lsq";
  readonly books: number;
  readonly bits: 4 | 8;
  readonly metric: "l2" | "ip";
  /** Of lists, where there are any. */
  readonly centroids: Float32Array | undefined;
  readonly seed: number;
}

/** @param sample f32 [n, D], prepared; of an inverted file, its lists' centroids are taken off it */
export async function trainSums(
  instance: KernelInstance,
  sample: Vectors,
  { kind, books, bits, metric, centroids, seed }: SumTraining,
): Promise<Pick<Learned, "codebooks" | "norms">> {
  const whole = centroids && sample.data.slice();
  if (centroids) subtractLists(instance, sample, centroids);
  const entries = bits === 8 ? 256 : 16;
  const effort = effortOf(kind);
  const { codebooks } = await trainAdditiveCodebooks(sample, { codebooks: books, centroids: entries, ...effort, seed });
  if (metric === "ip") return { codebooks };
  const [n = 0, dimension = 1] = sample.shape;
  const starts = whole?.map((x, i) => x - sample.data[i]!);
  const [x, start] = [instance.upload(sample.data), starts ? instance.upload(starts) : 0];
  const [codes, norms] = [instance.alloc(n * books), instance.alloc(4 * n)];
  try {
    using encoder = new SumEncoder(instance, { count: books, entries, dimension, codebooks, ...effort });
    encoder.encode({ x, n, dimension }, codes);
    encoder.norms(codes, n, { pointer: start, floats: starts?.length ?? 0 }, norms);
    const found = instance.f32(norms, n);
    const least = found.reduce((a, b) => Math.min(a, b));
    const most = found.reduce((a, b) => Math.max(a, b));
    // A step of 0 would have no inverse.
    return { codebooks, norms: Float32Array.of(least, Math.max((most - least) / 255, 1e-30)) };
  } finally {
    if (!instance.ended) {
      instance.free(x, sample.data.byteLength);
      if (starts) instance.free(start, starts.byteLength);
      instance.free(codes, n * books);
      instance.free(norms, 4 * n);
    }
  }
}
