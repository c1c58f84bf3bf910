/** `--tier` and `--threads`: which build of the kernels runs, and on how many threads. */

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

export const THREADS_ARGUMENT = {
  type: "string",
  valueHint: "N",
  default: "1",
  description: "Threads that share out large layers, 1 to 64; any number gives the same bytes",
} as const;

export function threadsOption(text: string): number {
  if (!/^([1-9]|[1-5]\d|6[0-4])$/.test(text)) throw new UsageError(`--threads: expected 1 to 64, got "${text}"`);
  return Number(text);
}
