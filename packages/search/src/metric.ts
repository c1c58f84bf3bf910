/**
 * How alike two vectors are. `ip`: inner product, higher is nearer; `cosine`: the same of vectors of length 1; `l2`: squared Euclidean distance, lower is nearer;
 * `hamming`: how many signs differ, lower is nearer.
 */
export type Metric = "ip" | "cosine" | "l2" | "hamming";

export const METRICS: readonly Metric[] = ["ip", "cosine", "l2", "hamming"];

/** What kernels call it: all of them seek the smallest score. */
export const kernelMetric = (metric: Metric): "l2" | "ip" => (metric === "l2" ? "l2" : "ip");

/** Whether a higher score is a nearer vector. */
export const higherIsNearer = (metric: Metric): boolean => metric === "ip" || metric === "cosine";
