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

export const BINARY_CONNECT = paper(
  "BinaryConnect: training deep neural networks with binary weights during propagations",
  "Courbariaux, Bengio, David",
  2015,
  "https://arxiv.org/abs/1511.00363",
);

export const TERNARY_CONNECT = paper(
  "Neural networks with few multiplications",
  "Lin, Courbariaux, Memisevic, Bengio",
  2016,
  "https://arxiv.org/abs/1510.03009",
);

export const GUPTA = paper(
  "Deep learning with limited numerical precision",
  "Gupta, Agrawal, Gopalakrishnan, Narayanan",
  2015,
  "https://arxiv.org/abs/1502.02551",
);

export const POLINO = paper(
  "Model compression via distillation and quantization",
  "Polino, Pascanu, Alistarh",
  2018,
  "https://arxiv.org/abs/1802.05668",
);

export const STOCHASTIC_QUANTIZATION = paper(
  "Learning accurate low-bit deep neural networks with stochastic quantization",
  "Dong, Ni, Li, Chen, Zhu, Su",
  2017,
  "https://arxiv.org/abs/1708.01001",
);

export const SOFT_WEIGHT_SHARING = paper(
  "Soft weight-sharing for neural network compression",
  "Ullrich, Meeds, Welling",
  2017,
  "https://arxiv.org/abs/1702.04008",
);

export const VNQ = paper(
  "Variational network quantization",
  "Achterhold, Köhler, Schmeink, Genewein",
  2018,
  "https://openreview.net/forum?id=ry-TW-WAb",
);

export const BAYESIAN_COMPRESSION = paper(
  "Bayesian compression for deep learning",
  "Louizos, Ullrich, Welling",
  2017,
  "https://arxiv.org/abs/1705.08665",
);

export const SPARSE_VD = paper(
  "Variational dropout sparsifies deep neural networks",
  "Molchanov, Ashukha, Vetrov",
  2017,
  "https://arxiv.org/abs/1701.05369",
);

export const PACT = paper(
  "PACT: parameterized clipping activation for quantized neural networks",
  "Choi, Wang, Venkataramani, Chuang, Srinivasan, Gopalakrishnan",
  2018,
  "https://arxiv.org/abs/1805.06085",
);

export const LSQ = paper(
  "Learned step size quantization",
  "Esser, McKinstry, Bablani, Appuswamy, Modha",
  2020,
  "https://arxiv.org/abs/1902.08153",
);

export const HWGQ = paper(
  "Deep learning with low precision by half-wave Gaussian quantization",
  "Cai, He, Sun, Vasconcelos",
  2017,
  "https://arxiv.org/abs/1702.00953",
);

export const DOREFA = paper(
  "DoReFa-Net: training low bitwidth convolutional neural networks with low bitwidth gradients",
  "Zhou, Wu, Ni, Zhou, Wen, Zou",
  2016,
  "https://arxiv.org/abs/1606.06160",
);

export const BNN = paper(
  "Binarized neural networks: training deep neural networks with weights and activations constrained to +1 or -1",
  "Courbariaux, Hubara, Soudry, El-Yaniv, Bengio",
  2016,
  "https://arxiv.org/abs/1602.02830",
);

export const WRPN = paper(
  "WRPN: wide reduced-precision networks",
  "Mishra, Nurvitadhi, Cook, Marr",
  2018,
  "https://arxiv.org/abs/1709.01134",
);

export const WAGE = paper(
  "Training and inference with integers in deep neural networks",
  "Wu, Li, Chen, Shi",
  2018,
  "https://arxiv.org/abs/1802.04680",
);

export const TENSORRT = paper(
  "8-bit inference with TensorRT",
  "Migacz",
  2017,
  "https://on-demand.gputechconf.com/gtc/2017/presentation/s7310-8-bit-inference-with-tensorrt.pdf",
);

export const WHITE_PAPER = paper(
  "Quantizing deep convolutional networks for efficient inference: a whitepaper",
  "Krishnamoorthi",
  2018,
  "https://arxiv.org/abs/1806.08342",
);

export const LLM_INT8 = paper(
  "LLM.int8(): 8-bit matrix multiplication for transformers at scale",
  "Dettmers, Lewis, Belkada, Zettlemoyer",
  2022,
  "https://arxiv.org/abs/2208.07339",
);

export const IEEE_754 = paper(
  "IEEE standard for floating-point arithmetic, binary32",
  "IEEE",
  2019,
  "https://doi.org/10.1109/IEEESTD.2019.8766229",
);

export const WANG_TSQ = paper(
  "Two-step quantization for low-bit neural networks",
  "Wang, Hu, Zhang, Zhang, Liu, Cheng",
  2018,
  "https://openaccess.thecvf.com/content_cvpr_2018/papers/Wang_Two-Step_Quantization_for_CVPR_2018_paper.pdf",
);

export const EGIAZARIAN = paper(
  "Extreme compression of large language models via additive quantization",
  "Egiazarian, Panferov, Kuznedelev, Frantar, Babenko, Alistarh",
  2024,
  "https://arxiv.org/abs/2401.06118",
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

export const LIN_TALATHI = paper(
  "Fixed point quantization of deep convolutional networks",
  "Lin, Talathi, Annapureddy",
  2016,
  "https://arxiv.org/abs/1511.06393",
);

export const WU_INTEGER = paper(
  "Integer quantization for deep learning inference: principles and empirical evaluation",
  "Wu, Judd, Zhang, Isaev, Micikevicius",
  2020,
  "https://arxiv.org/abs/2004.09602",
);

export const LOGNET = paper(
  "Convolutional neural networks using logarithmic data representation",
  "Miyashita, Lee, Murmann",
  2016,
  "https://arxiv.org/abs/1603.01025",
);

export const APOT = paper(
  "Additive powers-of-two quantization: an efficient non-uniform discretization for neural networks",
  "Li, Dong, Wang",
  2020,
  "https://arxiv.org/abs/1909.13144",
);

export const BALANCED = paper(
  "Balanced quantization: an effective and efficient approach to quantized neural networks",
  "Zhou, Wang, Wen, He, Zou",
  2017,
  "https://arxiv.org/abs/1706.07145",
);

export const WEIGHTED_ENTROPY = paper(
  "Weighted-entropy-based quantization for deep neural networks",
  "Park, Ahn, Yoo",
  2017,
  "https://openaccess.thecvf.com/content_cvpr_2017/papers/Park_Weighted-Entropy-Based_Quantization_for_CVPR_2017_paper.pdf",
);

export const BINARY_RELAX = paper(
  "BinaryRelax: a relaxation approach for training deep neural networks with quantized weights",
  "Yin, Zhang, Lyu, Osher, Qi, Xin",
  2018,
  "https://arxiv.org/abs/1801.06313",
);

export const BITNET = paper(
  "The era of 1-bit LLMs: all large language models are in 1.58 bits",
  "Ma et al.",
  2024,
  "https://arxiv.org/abs/2402.17764",
);

export const LC = paper(
  "Model compression as constrained optimization, with application to neural nets. Part II: quantization",
  "Carreira-Perpiñán, Idelbayev",
  2017,
  "https://arxiv.org/abs/1707.04319",
);

export const HAN = paper(
  "Learning both weights and connections for efficient neural networks",
  "Han, Pool, Tran, Dally",
  2015,
  "https://arxiv.org/abs/1506.02626",
);
