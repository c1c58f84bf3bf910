/** `--tier`: which build of the kernels runs. */

import type { Tier } from "lowbit";
import { UsageError } from "./errors.ts";

const TIERS: readonly Tier[] = ["scalar", "simd128", "relaxed"];

export const TIER_ARGUMENT = {
  type: "string",
  valueHint: TIERS.join("|"),
  description: "Build of the kernels (the fastest that runs here); all give the same bytes",
} as const;

export function tierOption(text: string | undefined): Tier | undefined {
  if (text === undefined) return undefined;
  const tier = TIERS.find((t) => t === text);
  if (tier === undefined) throw new UsageError(`--tier: expected one of ${TIERS.join(", ")}, got "${text}"`);
  return tier;
}
