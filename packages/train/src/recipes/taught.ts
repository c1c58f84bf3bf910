import { Model } from "../model.ts";
import type { Recipe } from "../recipe.ts";
import { distillation } from "../strategies/distillation.ts";
import { floatTraining } from "../strategies/strategy.ts";

/** A low-bit recipe with a float network as its teacher (Apprentice, Mishra, Marr 2018): the recipe `by` is trained first. */
export const taught = (recipe: Recipe, by: Recipe): Recipe => ({
  ...recipe,
  name: `${recipe.name}-taught`,
  description: `${recipe.description}, taught by the float network`,
  teacher: by,
  strategy: (tensors = {}) =>
    distillation({
      teacher: new Model(by.layers()),
      tensors,
      strategy: recipe.strategy?.() ?? floatTraining,
    }),
});
