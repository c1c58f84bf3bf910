/** One line of a training log: what an epoch came to. */
export interface EpochEntry {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss over the epoch's steps, six decimals: cross-entropy in nats plus the strategy's penalty, which may be below 0. */
  readonly loss: number;
  /** Share of the validation images classified rightly, 0..1. */
  readonly validation: number;
  /** Mean cross-entropy of the validation answers in nats, six decimals; absent in logs from before it was kept. */
  readonly validationLoss?: number;
  /** Learning rate of the epoch's last step. */
  readonly rate: number;
  /** Wall-clock time; the one field that differs from run to run. */
  readonly seconds: number;
}

/** A log entry for people: `epoch  3/10  loss 0.0712  validation 98.65 %  61 s`. */
export function formatEntry(entry: EpochEntry, epochs: number): string {
  const epoch = String(entry.epoch).padStart(String(epochs).length);
  const validation = (100 * entry.validation).toFixed(2);
  return `epoch ${epoch}/${epochs}  loss ${entry.loss.toFixed(4)}  validation ${validation} %  ${Math.round(entry.seconds)} s`;
}
