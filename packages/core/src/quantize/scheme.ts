/** Scheme strings: the one place where they are read. */
import { SchemeError } from "./errors.ts";
import { registry } from "./registry.ts";
import type { SchemeFamily } from "./scheme-family.ts";
import type { Quantizer } from "./types.ts";

/**
 * The quantizer that a scheme string names: a head word and arguments between colons, such as `binary`, `int4:g32`,
 * `kmeans:16`, `pq:4x16`. The result's `scheme` is the canonical spelling, which parses to an equal quantizer.
 *
 * @param families those to look in; pass `[...registry, mine]` to give your own quantizers a spelling.
 * @throws SchemeError for an unknown word or argument, listing what exists.
 */
export function parseScheme(scheme: string, families: readonly SchemeFamily[] = registry): Quantizer {
  const [head = "", ...args] = scheme.split(":");
  const family = families.find(({ owns }) => owns(head));
  if (family === undefined) {
    // One of each family is what a message has room for; help texts and docs/methods.md have their grammars.
    throw new SchemeError(scheme, "scheme", `one like ${likest(head, families).join(", ")}`);
  }
  return family.parse(scheme, head, args, (inner) => parseScheme(inner, families));
}

/** Examples of the families that begin as the word does, or of the first ones. */
function likest(head: string, families: readonly SchemeFamily[]): readonly string[] {
  const alike = families.filter(({ examples }) => examples.some((example) => head !== "" && example[0] === head[0]));
  return [...new Set([...alike, ...families])].slice(0, 12).flatMap(({ examples }) => examples.slice(0, 1));
}
