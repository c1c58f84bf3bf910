/** What the threads of `lowbit compare` are given, and what they give back. */

import type { TensorDType } from "lowbit";
import type { LayerFigures, Refusal, WeightSpread } from "../report/figures.ts";

/** The same for every scheme; arrays over shared memory, so that threads need no copies. */
export interface CompareContext {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly x: {
    readonly dtype: TensorDType;
    readonly shape: readonly number[];
    readonly data: ArrayBufferView;
  };
  /** Class of each sample. */
  readonly y: Int32Array;
  /** Path of the calibration samples. */
  readonly calibrate?: string | undefined;
  readonly activations?: string | undefined;
}

/** Quantize, measure every layer, judge on the data. */
export interface JudgeTask {
  readonly kind: "judge";
  readonly scheme: string;
  /** First outputs of the float network on all samples; absent for the float network itself. */
  readonly reference?: Float32Array;
}

/** Time a packed file beside the float one. */
export interface TimeTask {
  readonly kind: "time";
  readonly file: Uint8Array;
  readonly float: Uint8Array;
}

export type CompareTask = JudgeTask | TimeTask;

/** What a scheme costs, all of it measured here. */
export interface Judged {
  readonly scheme: string;
  /** Of the packed file. */
  readonly bytes: number;
  /** Weights of all layers. */
  readonly weights: number;
  readonly bitsPerWeight: number;
  readonly top1: number;
  /** Share of samples with the float network's class. */
  readonly agreement: number;
  /** Of the first output on all samples, dB. */
  readonly sqnr: number;
  readonly cosine: number;
  readonly refused?: Refusal;
  readonly layers: readonly LayerFigures[];
  /** By layer: where the weights lie; of the largest layers. */
  readonly spreads: readonly WeightSpread[];
}

export interface JudgedFile {
  readonly judged: Judged;
  readonly file: Uint8Array;
  /** First outputs on all samples. */
  readonly outputs: Float32Array;
}

export interface Timed {
  /** Median milliseconds for a sample, in batches. */
  readonly msPerSample: number;
  /** Times as fast as the float network in the same rounds. */
  readonly timesFloat: number;
  readonly tier: string;
}

/** A finished scheme. */
export type Compared = Judged & Partial<Timed>;
