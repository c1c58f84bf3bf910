/** Names of tensors in what a strategy saves. */
import type { HostTensor } from "../values.ts";

/** Tensors under longer names, for checkpoints. */
export const prefixed = (prefix: string, tensors: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}${name}`, tensor]));

/** The way back: those that have the prefix, without it. */
export const withoutPrefix = (
  prefix: string,
  tensors: Readonly<Record<string, HostTensor>>,
): Record<string, HostTensor> =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
