import type { Recipe } from "../recipe.ts";
import { mnistCnnBinary } from "./mnist-cnn-binary.ts";
import { mnistCnnFloat } from "./mnist-cnn-float.ts";
import { mnistCnnTernary } from "./mnist-cnn-ternary.ts";
import { mnistLenet5 } from "./mnist-lenet-5.ts";
import { mnistLenet300100 } from "./mnist-lenet-300-100.ts";

/** Every recipe, in the order in which people read of them. */
export const recipes: readonly Recipe[] = [
  mnistCnnFloat,
  mnistCnnBinary,
  mnistCnnTernary,
  mnistLenet300100,
  mnistLenet5,
];
