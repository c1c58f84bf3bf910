import type { HostTensors } from "../values.ts";

/** What asks a worker for its share of the next step: the parameters by full name. */
export interface ToWorker {
  readonly parameters: HostTensors;
}

/** One worker's share of a step: each parameter's gradient as bytes of the codec. */
export interface FromWorker {
  /** Mean cross-entropy of the worker's batch. */
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Uint8Array>>;
  /** Statistics of the batch, by the names of the running ones. */
  readonly statistics: HostTensors;
}
