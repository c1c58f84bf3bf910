import { admmTernary, binary, lcTernary } from "lowbit/quantize";
import { sgd } from "../optimizers/sgd.ts";
import type { Recipe } from "../recipe.ts";
import { admm } from "../strategies/admm.ts";
import { bayesianCompression } from "../strategies/bayesian-compression.ts";
import { improvedBayesianCompression } from "../strategies/improved-bayesian.ts";
import { inq } from "../strategies/inq.ts";
import { lc } from "../strategies/lc.ts";
import { lsqTraining, ttqTraining } from "../strategies/learned-levels.ts";
import { softWeightSharingTraining } from "../strategies/soft-weight-sharing.ts";
import { sparseDropoutTraining } from "../strategies/sparse-dropout.ts";
import { floatTraining, type Strategy } from "../strategies/strategy.ts";
import { vnq } from "../strategies/vnq.ts";
import { mnistLenet5 } from "./mnist-lenet-5.ts";
import { mnistLenet300100 } from "./mnist-lenet-300-100.ts";

/** Images that train: what a divergence is divided by. */
const SAMPLES = 48_000;

const unpruned = ({ pruning: _, ...recipe }: Recipe): Recipe => ({
  ...recipe,
  name: `${recipe.name}-float`,
  epochs: 8,
});

/** The dense networks that the strategies below start from. */
export const lenet5Float: Recipe = {
  ...unpruned(mnistLenet5),
  description: "LeNet-5 (Caffe's) on MNIST, float and dense",
};
export const lenet300100Float: Recipe = {
  ...unpruned(mnistLenet300100),
  description: "LeNet-300-100 on MNIST, float and dense",
};

const compress = (
  start: Recipe,
  scheme: string,
  what: string,
  strategy: () => Strategy,
  more: Partial<Recipe> = {},
): Recipe => ({
  ...start,
  name: start.name.replace(/-float$/, `-${scheme}`),
  description: `${start.description.split(",")[0]}, ${what}`,
  start,
  strategy,
  epochs: 8,
  peakRate: 0.0005,
  ...more,
});

/** Constraints that tighten need a rule without normalized steps: Adam's do not shrink as the pull grows. */
const constrained = { optimizer: sgd({ momentum: 0.9, nesterov: true }), peakRate: 0.02, epochs: 12 };
/** 35 times in a run: the pull outgrows the falling rate, so that weights have arrived in the last quarter. By 1.15 they were still on their way at the end (2.4 % of errors instead of 0.8). */
const tightening = { every: 250, growth: 1.25 };

/** Posteriors from a trained network: at the weights' rate ln σ² would come from -8 to -7. */
const posterior = { samples: SAMPLES, varianceRate: 20 };

/** A trained LeNet, compressed by each strategy that starts from one. */
export const lenetCompression: readonly Recipe[] = [
  { ...lenet5Float, strategy: () => floatTraining },
  { ...lenet300100Float, strategy: () => floatTraining },
  compress(
    lenet5Float,
    "admm-binary",
    "binary weights by ADMM",
    () => admm({ quantizer: binary(), rho: 1e-3, ...tightening }),
    constrained,
  ),
  compress(
    lenet5Float,
    "admm-ternary",
    "ternary weights by ADMM",
    () => admm({ quantizer: admmTernary(), rho: 1e-3, ...tightening }),
    constrained,
  ),
  compress(
    lenet5Float,
    "lc-binary",
    "binary weights by LC",
    () => lc({ quantizer: binary(), mu: 1e-3, ...tightening }),
    constrained,
  ),
  compress(
    lenet5Float,
    "lc-ternary",
    "ternary weights by LC",
    () => lc({ quantizer: lcTernary(), mu: 1e-3, ...tightening }),
    constrained,
  ),
  compress(lenet5Float, "inq", "powers of two of 5 bits by INQ", () => inq({ bits: 5 })),
  compress(lenet5Float, "ttq", "trained ternary weights", () => ttqTraining()),
  compress(lenet5Float, "lsq2", "2-bit weights with learned steps", () => lsqTraining({ bits: 2 })),
  // Settling, for of what eight epochs of the prior leave between its spikes, rounding took 1.4 points (LeNet-300-100, validation: 99.0 % as trained, 97.6 exported; 98.8 where it settled).
  compress(
    lenet5Float,
    "vnq",
    "ternary weights by variational network quantization, the last epochs at what is exported",
    () => vnq({ ...posterior, varianceRate: 10, level: 6, settle: 0.4 }),
    { peakRate: 0.001 },
  ),
  // In eight epochs the divergence has to count four times: by itself it left a quarter of LeNet-300-100's weights, so a fourteenth.
  compress(
    lenet5Float,
    "sparse-dropout",
    "sparse variational dropout, the last epochs with what is left",
    () => sparseDropoutTraining({ samples: SAMPLES / 4, varianceRate: 10, settle: 0.3 }),
    { peakRate: 0.002 },
  ),
  compress(lenet5Float, "bayesian", "Bayesian compression", () => bayesianCompression(posterior), {
    epochs: 10,
  }),
  compress(
    lenet300100Float,
    "soft-sharing",
    "soft weight-sharing, pruned on the way",
    () => softWeightSharingTraining({ samples: SAMPLES, zero: 0.98, strength: 0.01 }),
    {
      epochs: 10,
      peakRate: 0.001,
      // The prior alone, strong enough to cost 0.3 points, left 15 % of the first layer's weights.
      pruning: { fractions: { "dense1.weight": 0.94, "dense2.weight": 0.9, "dense3.weight": 0.6 }, epochs: [1, 4] },
    },
  ),
  compress(
    lenet300100Float,
    "improved-bayesian",
    "sparse dropout and shared weights in one prior",
    () => improvedBayesianCompression({ ...posterior, zero: 0.98 }),
    { epochs: 14 },
  ),
];
