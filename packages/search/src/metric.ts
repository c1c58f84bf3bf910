import type { IndexSpec } from "./spec.ts";

/**
 * How alike two vectors are. `ip`: inner product, higher is nearer; `cosine`: the same of vectors of length 1; `l2`: squared Euclidean distance, lower is nearer;
 * `hamming`: how many signs differ, lower is nearer.
 */
export type Metric = "ip" | "cosine" | "l2" | "hamming";

export const METRICS: readonly Metric[] = ["ip", "cosine", "l2", "hamming"];

/** What kernels call it: all of them seek the smallest score. */
export const kernelMetric = (metric: Metric): "l2" | "ip" => (metric === "l2" ? "l2" : "ip");

/**
 * By what codes are scanned. Cosines of product-quantized vectors by the distance, which has |y|² of what codes stand for in it: y is shorter than the vector, the more the worse it is coded, and an inner product takes that
 * for being farther. Not in lists, whose tables would be others for each, and not where codes were chosen for inner products.
 */
export const codeMetric = (metric: Metric, { codes, lists }: IndexSpec): "l2" | "ip" =>
  metric === "cosine" && codes.kind === "pq" && codes.threshold === undefined && !lists ? "l2" : kernelMetric(metric);

/** Whether a higher score is a nearer vector. */
export const higherIsNearer = (metric: Metric): boolean => metric === "ip" || metric === "cosine";
