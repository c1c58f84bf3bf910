// A worker of scripts/train-parallel.mjs: of n workers, each has every n-th image.
import { train } from "../digits/packages.mjs";
import { BATCH, recipe, trainingImages, ways } from "./gradients.mjs";

const { searchParams } = new URL(import.meta.url);

await train.runGradientWorker(async ({ index, workers }) => {
  const images = await trainingImages(searchParams.get("data"));
  const own = Array.from({ length: Math.floor(images.count / workers) }, (_, i) => i * workers + index);
  return {
    layers: recipe.layers,
    data: train.imagesDataset(train.chosenImages(images, own)),
    batch: BATCH,
    quantizer: ways[searchParams.get("way")].quantizer,
  };
});
