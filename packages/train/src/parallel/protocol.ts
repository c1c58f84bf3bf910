import type { HostTensors } from "../values.ts";

/** What goes between the coordinator and its workers. */
export type ToWorker =
  | { readonly kind: "step"; readonly step: number; readonly parameters: HostTensors; readonly statistics: HostTensors }
  | { readonly kind: "end" };

/** One worker's share of a step: each parameter's gradient as bytes of the codec. */
export interface FromWorker {
  readonly step: number;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Uint8Array>>;
  readonly statistics: HostTensors;
}
