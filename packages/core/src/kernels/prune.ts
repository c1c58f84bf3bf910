/** Taking out the weights that pruning keeps, and putting them back; see crates/kernels/src/quantize/prune.rs. */
import type { InnerLoops } from "../quantize/inner.ts";
import type { KernelInstance } from "./instance.ts";
import { staged } from "./stage.ts";

export function pruneLoops(instance: KernelInstance): Pick<InnerLoops, "compress" | "expand" | "expandCodes"> {
  const { exports } = instance;
  return {
    compress: (x, mask) =>
      staged(instance, (stage) => {
        const count = mask.reduce((sum, kept) => sum + kept, 0);
        const kept = stage.reserve(4 * count);
        instance.check(exports.quantize_compress(stage.upload(x), stage.upload(mask), x.length, kept, count));
        return instance.f32(kept, count).slice();
      }),
    expand: (kept, mask) =>
      staged(instance, (stage) => {
        const x = stage.reserve(4 * mask.length);
        const staged = stage.upload(kept);
        instance.check(exports.quantize_expand(staged, kept.length, stage.upload(mask), mask.length, x));
        return instance.f32(x, mask.length).slice();
      }),
    expandCodes: (kept, mask, fill) =>
      staged(instance, (stage) => {
        const codes = stage.reserve(mask.length);
        const staged = stage.upload(kept);
        const { quantize_expand_codes } = exports;
        instance.check(quantize_expand_codes(staged, kept.length, stage.upload(mask), mask.length, fill, codes));
        return instance.u8(codes, mask.length).slice();
      }),
  };
}
