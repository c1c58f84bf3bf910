import type { HostTensor } from "../values.ts";
import { CLASSES, type Digits, SIDE } from "./digits.ts";
import { imagesDataset } from "./images.ts";

/** One batch as the network takes it: samples along axis 0, and one-hot labels along the last axis. */
export interface Batch {
  readonly x: HostTensor;
  readonly labels: HostTensor;
}

export interface EpochOptions {
  readonly batch: number;
  readonly seed: number;
  readonly epoch: number;
  /** How far an augmentation may go; what it means is the dataset's. */
  readonly shift: number;
}

/** What a network is trained and judged on. */
export interface Dataset {
  readonly count: number;
  /** The batches of one epoch in an order of the seed and the epoch, augmented; samples that fill no batch are left out of it. */
  epoch(options: EpochOptions): Iterable<Batch>;
  /** Samples `from` .. `to` - 1 as they are. */
  range(from: number, to: number): HostTensor;
  /** Class of each answer: one for a sample, or one for each position of each sample. */
  readonly labels: Uint8Array;
}

/** MNIST's images: x [n, 28, 28, 1] of pixels 0..255, moved by up to `shift` pixels. */
export const digitsDataset = (digits: Digits): Dataset =>
  imagesDataset({ ...digits, height: SIDE, width: SIDE, channels: 1, classes: CLASSES });

/** Digits as a dataset; a dataset as it is. */
export const datasetOf = (data: Dataset | Digits): Dataset => ("epoch" in data ? data : digitsDataset(data));
