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
export const NETWORK_SKETCHING = paper(
  "Network sketching: exploiting binary structure in deep CNNs",
  "Guo, Yao, Zhao, Chen",
  2017,
  "https://arxiv.org/abs/1706.02021",
);
export const ALTERNATING_MULTIBIT = paper(
  "Alternating multi-bit quantization for recurrent neural networks",
  "Xu, Yao, Lin, Ou, Cao, Wang, Zha",
  2018,
  "https://arxiv.org/abs/1802.00150",
);
export const ABC_NET = paper(
  "Towards accurate binary convolutional neural network",
  "Lin, Zhao, Pan",
  2017,
  "https://arxiv.org/abs/1711.11294",
);
export const LQ_NETS = paper(
  "LQ-Nets: learned quantization for highly accurate and compact deep neural networks",
  "Zhang, Yang, Ye, Hua",
  2018,
  "https://arxiv.org/abs/1807.10029",
);
export const LLOYD_MAX = paper(
  "Quantizing for minimum distortion",
  "Max",
  1960,
  "https://doi.org/10.1109/TIT.1960.1057548",
);
export const TTQ = paper(
  "Trained ternary quantization",
  "Zhu, Han, Mao, Dally",
  2017,
  "https://arxiv.org/abs/1612.01064",
);
export const LAB = paper(
  "Loss-aware binarization of deep networks",
  "Hou, Yao, Kwok",
  2017,
  "https://arxiv.org/abs/1611.01600",
);
export const LAQ = paper(
  "Loss-aware weight quantization of deep networks",
  "Hou, Kwok",
  2018,
  "https://arxiv.org/abs/1802.08635",
);
export const ADMM = paper(
  "Extremely low bit neural network: squeeze the last bit out with ADMM",
  "Leng, Dou, Li, Zhu, Jin",
  2018,
  "https://arxiv.org/abs/1707.09870",
);
export const LC = paper(
  "Model compression as constrained optimization, with application to neural nets. Part II: quantization",
  "Carreira-Perpiñán, Idelbayev",
  2017,
  "https://arxiv.org/abs/1707.04319",
);
export const IEEE_754 = paper(
  "IEEE standard for floating-point arithmetic, binary32",
  "IEEE",
  2019,
  "https://doi.org/10.1109/IEEESTD.2019.8766229",
);
