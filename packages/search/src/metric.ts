import type { Learned } from "./train.ts";

/**
 * How alike two vectors are. `ip`: inner product, higher is nearer; `cosine`: the same of vectors of length 1; `l2`: squared Euclidean distance, lower is nearer;
 * `hamming`: how many signs differ, lower is nearer.
 */
export type Metric = "ip" | "cosine" | "l2" | "hamming";

export const METRICS: readonly Metric[] = ["ip", "cosine", "l2", "hamming"];

/** What kernels call it: all of them seek the smallest score. */
export const kernelMetric = (metric: Metric): "l2" | "ip" => (metric === "l2" ? "l2" : "ip");

/** By what codes are scanned: cosines by distances from a longer query, where its length was learned (stretch.ts). */
export const codeMetric = (metric: Metric, { stretch }: Learned): "l2" | "ip" =>
  stretch === undefined ? kernelMetric(metric) : "l2";

/** How long queries are made there. */
export const stretchOf = ({ stretch }: Learned): number | undefined => stretch?.[0];

/** Whether a higher score is a nearer vector. */
export const higherIsNearer = (metric: Metric): boolean => metric === "ip" || metric === "cosine";
