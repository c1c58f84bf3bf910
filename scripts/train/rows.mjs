// The rows of the training tables in docs/results.md: which recipe stands for which method, what was published for it, and what this project asks of it.
//
// Where `models/` has a network of the recipe, its record counts too. `asked` is one of { atMost: error in % }, { points: more error than the row's `base` }, { published: more error than published }, with { zeros: % of the weights } or { smaller: times fewer bytes } where that is asked too. Losses (`unit: "nats"`) likewise. `sizes` prints those two.

/** Hou, Yao, Kwok 2017, table 1, with 2048 neurons a layer and no regularizer. */
const LAB = "Hou et al. 2017";
const five = [1, 2, 3, 4, 5];
const three = [1, 2, 3];

const mlp = (scheme, method, bits, published, asked) => ({
  recipe: `mnist-mlp-${scheme}`,
  method,
  bits,
  published,
  source: LAB,
  asked,
  base: "mnist-mlp-float",
  seeds: five,
});
const near = { published: 0.35 };

const lenet = (scheme, method, bits, asked, published, source) => ({
  recipe: `mnist-lenet-5-${scheme}`,
  method,
  bits,
  published,
  source,
  asked,
  base: "mnist-lenet-5-float",
  seeds: three,
});

/** A network beside its float twin. */
const twin = (network) => (scheme, method, bits, points) => ({
  recipe: `${network}-${scheme}`,
  method,
  bits,
  asked: points && { points },
  base: `${network}-float`,
  seeds: three,
});
const fashion = twin("fashion-mnist-cnn");
const cifar = twin("cifar10-vgg");

const text = (network, scheme, method, bits, points, published) => ({
  ...twin(`shakespeare-${network}`)(scheme, method, bits, points),
  unit: "nats",
  published,
  source: published && LAB,
});

/** Tables, in their order. A row's error is on the test set that its recipe names; of MNIST on MNIST's own 10,000 test images. */
export const tables = [
  {
    title: "MNIST, MLP 784-512-512-512-10",
    note: "Images are moved by up to one pixel in training. The published figures are with 2048 neurons a layer and no such moves.",
    rows: [
      mlp("float", "float", "32/32", 1.19),
      mlp("binaryconnect", "BinaryConnect", "1/32", 1.28, near),
      mlp("bwn", "BWN", "1/32", 1.2, near),
      mlp("lab", "LAB", "1/32", 1.17, near),
      mlp("bnn", "BNN", "1/1", 1.47, near),
      mlp("xnor", "XNOR-Net", "1/1", 1.45, near),
      mlp("lab-signs", "LAB", "1/1", 1.38, near),
      mlp("bnn-taught", "BNN, taught by the float network", "1/1"),
      {
        ...mlp("bnn-wide-taught", "BNN of 1,024 neurons a layer, so taught", "1/1", undefined, { atMost: 1.2 }),
        seeds: [1],
      },
      mlp("ternary", "TWN", "2/32", undefined, { points: 0.15 }),
    ],
  },
  {
    title: "MNIST, small CNNs",
    note: "The first convolution of the last, 288 weights, is float.",
    rows: [
      { recipe: "mnist-cnn-float", method: "float", bits: "32/32", seeds: three },
      {
        recipe: "mnist-cnn-ternary",
        method: "TWN",
        bits: "2/8",
        asked: { points: 0.15 },
        base: "mnist-cnn-float",
        seeds: three,
      },
      {
        recipe: "mnist-cnn-binary",
        method: "BinaryNet",
        bits: "1/1",
        published: 0.96,
        source: "Courbariaux et al. 2016 (MLP)",
        asked: { atMost: 0.8 },
        seeds: three,
      },
      {
        recipe: "mnist-cnn-xnor-taught",
        method: "BWN with signs, a shortcut and a hidden layer, taught by the float network",
        bits: "1/1",
        asked: { atMost: 0.8 },
        seeds: three,
      },
    ],
  },
  {
    title: "MNIST, LeNet-5, trained again from float",
    sizes: true,
    rows: [
      { recipe: "mnist-lenet-5-float", method: "float", bits: "32/32", seeds: three },
      lenet("admm-binary", "ADMM", "1/32", { points: 0.3 }),
      lenet("admm-ternary", "ADMM", "2/32", { points: 0.3 }),
      lenet("lc-binary", "LC", "1/32", { points: 0.3 }),
      lenet("lc-ternary", "LC", "2/32", { points: 0.3 }),
      lenet("inq", "INQ, powers of two", "5/32", { points: 0.1 }),
      lenet("ttq", "TTQ", "2/32", { points: 0.2 }),
      lenet("lsq2", "LSQ", "2/32", { points: 0.2 }),
      lenet("vnq", "VNQ that settles", "2/32", { atMost: 1, zeros: 70 }, 0.83, "Achterhold et al. 2018"),
      lenet(
        "sparse-dropout",
        "sparse variational dropout that settles, its divergence four times",
        "8/32",
        { points: 0.3, zeros: 99 },
        0.75,
        "Molchanov et al. 2017",
      ),
      lenet("bayesian", "Bayesian compression", "by weight/32", undefined, 1, "Louizos et al. 2017"),
    ],
  },
  {
    title: "MNIST, LeNet-300-100",
    sizes: true,
    rows: [
      {
        recipe: "mnist-lenet-300-100-float",
        method: "float",
        bits: "32/32",
        published: 1.89,
        source: "Ullrich et al. 2017",
        seeds: three,
      },
      {
        recipe: "mnist-lenet-300-100-soft-sharing",
        method: "soft weight-sharing, pruned on the way",
        bits: "4/32",
        published: 1.94,
        source: "Ullrich et al. 2017",
        asked: { points: 0.2, smaller: 60 },
        base: "mnist-lenet-300-100-float",
        seeds: three,
      },
      {
        recipe: "mnist-lenet-300-100-improved-bayesian",
        method: "improved Bayesian compression",
        bits: "4/32",
        base: "mnist-lenet-300-100-float",
        seeds: three,
      },
    ],
  },
  {
    title: "Fashion-MNIST, CNN 32-64-64",
    note: "Of the low-bit networks the first convolution, 288 of 87,000 weights, is float; that with signs has a shortcut around the third. The float network has ten epochs, the low-bit ones twelve.",
    rows: [
      fashion("float", "float", "32/32"),
      fashion("ternary", "TWN", "2/32", 1),
      fashion("binary", "BWN", "1/32", 1.5),
      fashion("xnor", "BWN with signs", "1/1", 3),
    ],
  },
  {
    title: "CIFAR-10 as JPEG files, VGG 32-32-64-64-128-128",
    note: "Of the low-bit networks the first convolution, 864 of 290,000 weights, is float; that with signs has shortcuts around the second of two convolutions. The float network has four epochs, the low-bit ones six. The files are lossy, and 10,000 of the 50,000 training images are the test: figures compare with each other alone.",
    rows: [
      cifar("float", "float", "32/32"),
      cifar("ternary", "TWN", "2/32", 1.5),
      cifar("binary", "BWN", "1/32", 3),
      cifar("xnor", "BWN with signs", "1/1", 10),
    ],
  },
  {
    title: "tinyshakespeare, character LSTM of 256 cells (test loss, nats a character)",
    note: "Published: War and Peace, 512 cells; the distance from float is what compares.",
    rows: [
      text("lstm", "float", "float", "32/32", undefined, 1.268),
      text("lstm", "binaryconnect", "BinaryConnect", "1/32", undefined, 2.942),
      text("lstm", "bnn", "BNN", "1/1"),
      text("lstm", "bwn", "BWN", "1/32", 0.1, 1.313),
      text("lstm", "lab", "LAB", "1/32", 0.1, 1.291),
    ],
  },
  {
    title: "tinyshakespeare, transformer of 4 layers (test loss, nats a character)",
    rows: [
      text("transformer", "float", "float", "32/32"),
      text("transformer", "ternary", "BitNet b1.58's weights", "1.58/32", 0.15),
      text("transformer", "bitnet", "BitNet b1.58", "1.58/8", 0.15),
    ],
  },
];

export const rows = tables.flatMap((table) => table.rows);
