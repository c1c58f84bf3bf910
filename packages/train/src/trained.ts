import { autograd, type np } from "./autograd.ts";
import type { Model } from "./model.ts";
import { weightsIn } from "./strategies/view.ts";
import type { Fitted } from "./train.ts";
import { type HostTensors, toArrays } from "./values.ts";

const only = (tensors: HostTensors, isStatistic: boolean) =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => /\.(mean|variance)$/.test(name) === isStatistic));

/** The training graph in evaluation, with the weights that a strategy made: a function of x, for `logitsOf`. */
export async function trainedLogits(
  model: Model,
  { tensors, weights }: Pick<Fitted, "tensors" | "weights">,
): Promise<(x: np.Array) => np.Array> {
  const statistics = toArrays(only(tensors, true));
  const parameters = { ...toArrays(only(tensors, false)), ...(await weightsIn(model.slots, weights)) };
  const run = model.compileLogits();
  return (x) => run(autograd.share(parameters), autograd.share(statistics), x);
}
