/** Every family of cases, in the order of reports: a new one is one file and one line. */
import type { Case, Family } from "../case.ts";
import { checksums } from "../generated/checksums.ts";
import * as affine from "./affine.ts";
import { binaryConv } from "./binary-conv.ts";
import * as codebook from "./codebook.ts";
import * as f32 from "./f32.ts";
import * as int8Conv from "./int8-conv.ts";
import { multibitGemm, multibitGemv } from "./multibit.ts";
import { nearest } from "./nearest.ts";
import { network } from "./network.ts";
import { hammingScans, pqFastScans, pqScans } from "./scan.ts";
import * as ternary from "./ternary.ts";
import { xnorGemm } from "./xnor-gemm.ts";

const declared: readonly Family[] = [
  binaryConv,
  xnorGemm,
  multibitGemm,
  multibitGemv,
  ternary.ternaryGemvCold,
  ternary.ternaryGemv,
  ternary.ternaryGemm,
  ...Object.values(int8Conv),
  ...Object.values(affine),
  ...Object.values(f32),
  ...Object.values(codebook),
  pqScans,
  pqFastScans,
  hammingScans,
  nearest,
  network,
];

/** With the checksums that `pnpm bench:checksums` wrote. */
export const families: readonly Family[] = declared.map((family) => ({
  ...family,
  cases: family.cases.map((each) => ({ ...each, checksum: checksums[each.id] })),
}));

export const allCases = (): readonly Case[] => families.flatMap((family) => family.cases);

/** @throws Error where no family has that name */
export function familyOf({ family: name }: Pick<Case, "family">): Family {
  const found = families.find((family) => family.name === name);
  if (!found) throw new Error(`no family ${name}; there are ${families.map((family) => family.name).join(", ")}`);
  return found;
}
