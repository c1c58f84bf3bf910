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
export const HAN = paper(
  "Learning both weights and connections for efficient neural networks",
  "Han, Pool, Tran, Dally",
  2015,
  "https://arxiv.org/abs/1506.02626",
);
export const IEEE_754 = paper(
  "IEEE standard for floating-point arithmetic, binary32",
  "IEEE",
  2019,
  "https://doi.org/10.1109/IEEESTD.2019.8766229",
);
