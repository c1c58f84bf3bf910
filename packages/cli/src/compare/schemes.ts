/** `--schemes`: a list, or `all`. */

import { parseScheme, registry } from "lowbit/quantize";
import { UsageError } from "../shared/errors.ts";

/**
 * Canonical spellings, each once, in the order given. `all` stands for every example of the registry that can be done with what is there: those that
 * look at data need samples.
 * @throws SchemeError, UsageError where there are none
 */
export function schemesOf(text: string, samples: boolean): string[] {
  const schemes = text
    .split(",")
    .map((scheme) => scheme.trim())
    .filter((scheme) => scheme !== "")
    .flatMap((scheme) => (scheme === "all" ? everyExample(samples) : [parseScheme(scheme).scheme]));
  if (schemes.length === 0) throw new UsageError(`--schemes: expected S,S... or all, got "${text}"`);
  return [...new Set(schemes)];
}

const everyExample = (samples: boolean): string[] =>
  registry
    .flatMap(({ examples }) => examples)
    .map((example) => parseScheme(example))
    .filter(({ needs }) => samples || needs === "weights")
    .map(({ scheme }) => scheme);
