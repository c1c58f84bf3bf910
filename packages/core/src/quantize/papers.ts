/** The papers that the built-in formulas come from. */
import type { Paper } from "./types.ts";

const paper = (title: string, authors: string, year: number, url: string): Paper => ({ title, authors, year, url });

export const XNOR_NET = paper(
  "XNOR-Net: ImageNet classification using binary convolutional neural networks",
  "Rastegari, Ordonez, Redmon, Farhadi",
  2016,
  "https://arxiv.org/abs/1603.05279",
);
export const TWN = paper(
  "Ternary weight networks",
  "Li, Liu, Wang, Zhang, Yan",
  2016,
  "https://arxiv.org/abs/1605.04711",
);
export const JACOB = paper(
  "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
  "Jacob, Kligys, Chen, Zhu, Tang, Howard, Adam, Kalenichenko",
  2018,
  "https://arxiv.org/abs/1712.05877",
);
export const INQ = paper(
  "Incremental network quantization: towards lossless CNNs with low-precision weights",
  "Zhou, Yao, Guo, Xu, Chen",
  2017,
  "https://arxiv.org/abs/1702.03044",
);
export const GONG = paper(
  "Compressing deep convolutional networks using vector quantization",
  "Gong, Liu, Yang, Bourdev",
  2014,
  "https://arxiv.org/abs/1412.6115",
);
export const CHOI = paper(
  "Towards the limit of network quantization",
  "Choi, El-Khamy, Lee",
  2017,
  "https://arxiv.org/abs/1612.01543",
);
export const CHEN = paper(
  "Compressing neural networks with the hashing trick",
  "Chen, Wilson, Tyree, Weinberger, Chen",
  2015,
  "https://arxiv.org/abs/1504.04788",
);
export const CHEN_RQ = paper(
  "Approximate nearest neighbor search by residual vector quantization",
  "Chen, Guan, Wang",
  2010,
  "https://doi.org/10.3390/s101211259",
);
export const BABENKO = paper(
  "Additive quantization for extreme vector compression",
  "Babenko, Lempitsky",
  2014,
  "https://doi.org/10.1109/CVPR.2014.124",
);
export const JEGOU = paper(
  "Product quantization for nearest neighbor search",
  "Jégou, Douze, Schmid",
  2011,
  "https://doi.org/10.1109/TPAMI.2010.57",
);
export const GE = paper(
  "Optimized product quantization",
  "Ge, He, Ke, Sun",
  2014,
  "https://doi.org/10.1109/TPAMI.2013.240",
);
export const IEEE_754 = paper(
  "IEEE standard for floating-point arithmetic, binary32",
  "IEEE",
  2019,
  "https://doi.org/10.1109/IEEESTD.2019.8766229",
);
