/** `--activations`, as several commands have it. */
import { UsageError } from "./errors.ts";

/** @throws UsageError where it is none, or ranges are asked for without samples */
export async function checkActivations(text: string | undefined, calibrate: string | undefined): Promise<void> {
  if (text === undefined) return;
  const { ACTIVATIONS, parseActivations } = await import("@lowbit/convert");
  let kind: string;
  try {
    ({ kind } = parseActivations(text));
  } catch (error) {
    throw new UsageError(`--activations: expected ${ACTIVATIONS}, got "${text}"`, { cause: error });
  }
  if (kind === "int8" && calibrate === undefined)
    throw new UsageError(`--activations ${text} needs --calibrate: the ranges of activations come from real samples`);
}
