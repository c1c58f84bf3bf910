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
export const IEEE_754 = paper(
  "IEEE standard for floating-point arithmetic, binary32",
  "IEEE",
  2019,
  "https://doi.org/10.1109/IEEESTD.2019.8766229",
);
export const GPTQ = paper(
  "GPTQ: accurate post-training quantization for generative pre-trained transformers",
  "Frantar, Ashkboos, Hoefler, Alistarh",
  2022,
  "https://arxiv.org/abs/2210.17323",
);
export const ADAROUND = paper(
  "Up or down? Adaptive rounding for post-training quantization",
  "Nagel, Amjad, van Baalen, Louizos, Blankevoort",
  2020,
  "https://arxiv.org/abs/2004.10568",
);
export const HQQ = paper(
  "Half-quadratic quantization of large machine learning models",
  "Badri, Shaji",
  2023,
  "https://mobiusml.github.io/hqq_blog/",
);
export const AWQ = paper(
  "AWQ: activation-aware weight quantization for LLM compression and acceleration",
  "Lin, Tang, Tang, Yang, Chen, Wang, Xiao, Dang, Gan, Han",
  2023,
  "https://arxiv.org/abs/2306.00978",
);
export const SMOOTHQUANT = paper(
  "SmoothQuant: accurate and efficient post-training quantization for large language models",
  "Xiao, Lin, Seznec, Wu, Demouth, Han",
  2022,
  "https://arxiv.org/abs/2211.10438",
);
export const DFQ = paper(
  "Data-free quantization through weight equalization and bias correction",
  "Nagel, van Baalen, Blankevoort, Welling",
  2019,
  "https://arxiv.org/abs/1906.04721",
);
export const QUIP_SHARP = paper(
  "QuIP#: even better LLM quantization with Hadamard incoherence and lattice codebooks",
  "Tseng, Chee, Sun, Kuleshov, De Sa",
  2024,
  "https://arxiv.org/abs/2402.04396",
);
