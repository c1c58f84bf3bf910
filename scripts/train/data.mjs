// Where the data of a recipe are: `../shared/data` beside the checkout, or where LOWBIT_DATA points; Fashion-MNIST also where Debian's `dataset-fashion-mnist` puts it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";

const FOLDERS = [
  [/^fashion-mnist-/, "fashion-mnist"],
  [/^cifar10-/, "cifar10-jpg"],
  [/^shakespeare-/, "tinyshakespeare"],
  [/^mnist-/, "mnist"],
];

/** The folder of a recipe's data, whether or not it is there. */
export function dataFolder(recipe) {
  const name = FOLDERS.find(([pattern]) => pattern.test(recipe))?.[1] ?? "mnist";
  const own = join(process.env.LOWBIT_DATA ?? join(root, "../shared/data"), name);
  const debian = "/usr/share/datasets/fashion-mnist";
  return name === "fashion-mnist" && !existsSync(own) && existsSync(debian) ? debian : own;
}
