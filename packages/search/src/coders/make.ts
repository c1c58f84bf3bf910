/** From a spec and what was learned to the coder: one line for each. */
import { FormatError } from "lowbit";
import type { IndexSpec } from "../spec.ts";
import type { Learned } from "../train.ts";
import { BinaryCoder } from "./binary.ts";
import type { Coder, CoderSetting } from "./coder.ts";
import { FlatCoder } from "./flat.ts";
import { PqCoder } from "./pq.ts";
import { RabitqCoder } from "./rabitq.ts";
import { SumCoder } from "./sums.ts";

export function makeCoder({ codes, lists }: IndexSpec, setting: CoderSetting, learned: Learned): Coder {
  switch (codes.kind) {
    case "flat":
      return new FlatCoder(setting, false);
    case "sq8":
      return new FlatCoder(setting, true);
    case "binary":
      return new BinaryCoder(setting);
    case "pq": {
      const { codebooks } = learned;
      if (!codebooks) throw new FormatError("tensor-missing", "tensor codebooks", "F32", undefined);
      return new PqCoder({ ...setting, ...codes, residual: lists !== undefined, codebooks });
    }
    case "rq":
    case "lsq": {
      const { codebooks, norms } = learned;
      if (!codebooks) throw new FormatError("tensor-missing", "tensor codebooks", "F32", undefined);
      if (setting.metric === "l2" && !norms) throw new FormatError("tensor-missing", "tensor norms", "F32", undefined);
      const [least = 0, step = 1] = norms ?? [];
      const scale = norms && { least, step };
      return new SumCoder({ ...setting, ...codes, residual: lists !== undefined, codebooks, norms: scale });
    }
    case "rabitq": {
      if (!lists && !learned.mean) throw new FormatError("tensor-missing", "tensor mean", "F32", undefined);
      return new RabitqCoder({ ...setting, bits: codes.bits, mean: lists ? undefined : learned.mean });
    }
  }
}

export const makeRescorer = ({ rescore }: IndexSpec, setting: CoderSetting): FlatCoder | undefined =>
  rescore && new FlatCoder(setting, rescore === "sq8");
