import type { Recipe } from "../recipe.ts";
import { cifar10Vgg } from "./cifar10.ts";
import { fashionMnist } from "./fashion-mnist.ts";
import { lenetCompression } from "./lenet-compression.ts";
import { mnistCnnBinary } from "./mnist-cnn-binary.ts";
import { mnistCnnFloat } from "./mnist-cnn-float.ts";
import { mnistCnnTaught } from "./mnist-cnn-taught.ts";
import { mnistCnnTernary } from "./mnist-cnn-ternary.ts";
import { mnistLenet5 } from "./mnist-lenet-5.ts";
import { mnistLenet300100 } from "./mnist-lenet-300-100.ts";
import { mnistMlp } from "./mnist-mlp.ts";
import { shakespeareLstm, shakespeareTransformer } from "./shakespeare.ts";

/** Every recipe, in the order in which people read of them. */
export const recipes: readonly Recipe[] = [
  mnistCnnFloat,
  mnistCnnBinary,
  mnistCnnTernary,
  mnistCnnTaught,
  mnistLenet300100,
  mnistLenet5,
  ...mnistMlp,
  ...lenetCompression,
  ...fashionMnist,
  ...cifar10Vgg,
  ...shakespeareLstm,
  ...shakespeareTransformer,
];
