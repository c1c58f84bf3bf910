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
export const SEIDE = paper(
  "1-bit stochastic gradient descent and its application to data-parallel distributed training of speech DNNs",
  "Seide, Fu, Droppo, Li, Yu",
  2014,
  "https://doi.org/10.21437/Interspeech.2014-274",
);
export const STROM = paper(
  "Scalable distributed DNN training using commodity GPU cloud computing",
  "Strom",
  2015,
  "https://doi.org/10.21437/Interspeech.2015-354",
);
export const DETTMERS = paper(
  "8-bit approximations for parallelism in deep learning",
  "Dettmers",
  2015,
  "https://arxiv.org/abs/1511.04561",
);
export const TERNGRAD = paper(
  "TernGrad: ternary gradients to reduce communication in distributed deep learning",
  "Wen, Xu, Yan, Wu, Wang, Chen, Li",
  2017,
  "https://arxiv.org/abs/1705.07878",
);
export const QSGD = paper(
  "QSGD: communication-efficient SGD via gradient quantization and encoding",
  "Alistarh, Grubic, Li, Tomioka, Vojnovic",
  2017,
  "https://arxiv.org/abs/1610.02132",
);
export const DOREFA = paper(
  "DoReFa-Net: training low bitwidth convolutional neural networks with low bitwidth gradients",
  "Zhou, Wu, Ni, Zhou, Wen, Zou",
  2016,
  "https://arxiv.org/abs/1606.06160",
);
export const SIGN_SGD = paper(
  "signSGD: compressed optimisation for non-convex problems",
  "Bernstein, Wang, Azizzadenesheli, Anandkumar",
  2018,
  "https://arxiv.org/abs/1802.04434",
);
export const EF_SIGN_SGD = paper(
  "Error feedback fixes signSGD and other gradient compression schemes",
  "Karimireddy, Rebjock, Stich, Jaggi",
  2019,
  "https://arxiv.org/abs/1901.09847",
);
export const ZIPML = paper(
  "ZipML: training linear models with end-to-end low precision, and a little bit of deep learning",
  "Zhang, Li, Kara, Alistarh, Liu, Zhang",
  2017,
  "https://arxiv.org/abs/1611.05402",
);
export const GGML = paper(
  "llama.cpp: block quantization types of GGUF",
  "Gerganov, Kawrakow, Compilade et al.",
  2023,
  "https://github.com/ggml-org/llama.cpp",
);
export const QLORA = paper(
  "QLoRA: efficient finetuning of quantized LLMs",
  "Dettmers, Pagnoni, Holtzman, Zettlemoyer",
  2023,
  "https://arxiv.org/abs/2305.14314",
);
export const OCP_MX = paper(
  "OCP microscaling formats (MX) specification 1.0",
  "Rouhani et al.",
  2023,
  "https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf",
);
export const NVFP4 = paper(
  "Introducing NVFP4 for efficient and accurate low-precision inference",
  "NVIDIA",
  2025,
  "https://developer.nvidia.com/blog/introducing-nvfp4-for-efficient-and-accurate-low-precision-inference/",
);
