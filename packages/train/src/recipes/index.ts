import type { Recipe } from "../recipe.ts";
import { mnistCnnBinary } from "./mnist-cnn-binary.ts";
import { mnistCnnFloat } from "./mnist-cnn-float.ts";
import { mnistCnnTernary } from "./mnist-cnn-ternary.ts";

/** Every recipe, in the order in which people read of them. */
export const recipes: readonly Recipe[] = [mnistCnnFloat, mnistCnnBinary, mnistCnnTernary];
