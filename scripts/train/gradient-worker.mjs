// A worker of scripts/train-parallel.mjs: of n workers, each has every n-th image.
import { train } from "../digits/packages.mjs";
import { dataFolder } from "./data.mjs";
import { BATCH, recipe, trainingImages, WAY, ways } from "./gradients.mjs";

await train.runGradientWorker(async ({ index, workers }) => {
  const images = await trainingImages(dataFolder(recipe.name));
  const own = Array.from({ length: Math.floor(images.count / workers) }, (_, i) => i * workers + index);
  return {
    layers: recipe.layers,
    data: train.imagesDataset(train.chosenImages(images, own)),
    batch: BATCH,
    quantizer: ways[process.env[WAY]].quantizer,
  };
});
