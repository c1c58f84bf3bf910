// Would our f32 product make a training step faster than the engine's? `node scripts/train-gemm.mjs`: processor time of the three products of a layer on both, each in the layout that a step has: y = x w, and the gradients xT g of w and g wT of x. `node scripts/train-speed.mjs` says what a
// whole step takes. Ours is `MatmulF32`, which packs its right side at each run, as weights that change ask for; transposing, and copying between the two memories, are not counted against it, while reading its result back,
// which is what makes the engine compute, is counted against the engine: a step can gain no more than the ratio on its products. Node with relaxed SIMD gives the engine a fused multiply-add.
import { whenMain } from "./main-module.mjs";

const { autograd, np, startEngine } = await import("../packages/train/dist/index.js");
const { loadKernels, MatmulF32 } = await import("../packages/core/dist/kernels.js");

/** Rows, inputs and outputs of layers: the MLP's, and one tap of a convolution (64 images of 14 x 14). */
const LAYERS = [
  ["dense 784 to 512, 200 rows", 200, 784, 512],
  ["dense 512 to 512, 200 rows", 200, 512, 512],
  ["tap 32 to 64, 12544 rows", 12_544, 32, 64],
];

/** Median milliseconds of processor time. */
function timed(run, repeats = 15) {
  run();
  const times = Array.from({ length: repeats }, () => {
    const before = process.cpuUsage().user;
    run();
    return (process.cpuUsage().user - before) / 1000;
  });
  return times.sort((a, b) => a - b)[repeats >> 1];
}

const filled = (n) => Float32Array.from({ length: n }, (_, i) => ((i * 7) % 13) / 13 - 0.5);

await whenMain(import.meta.url, async () => {
  await startEngine();
  const kernels = await loadKernels();
  const product = autograd.compile((a, b) => np.matmul(a, b));
  const ofLeft = autograd.compile((a, b) => np.matmul(a.transpose([1, 0]), b));
  const ofRight = autograd.compile((a, b) => np.matmul(a, b.transpose([1, 0])));
  console.log("| layer | engine, ms | ours, ms | engine, GFLOP/s | ours, GFLOP/s | ratio |\n|---|---|---|---|---|---|");
  for (const [name, rows, inputs, outputs] of LAYERS) {
    const products = [
      { m: rows, k: inputs, n: outputs, run: product },
      { m: inputs, k: rows, n: outputs, run: ofLeft },
      { m: rows, k: outputs, n: inputs, run: ofRight },
    ];
    let [engine, ours] = [0, 0];
    for (const { m, k, n, run } of products) {
      const [a, b] = [filled(m * k), filled(k * n)];
      const left = np.array(a, { shape: run === ofLeft ? [k, m] : [m, k] });
      const right = np.array(b, { shape: run === ofRight ? [n, k] : [k, n] });
      engine += timed(() => run(left.ref, right.ref).dataSync());
      const matmul = new MatmulF32(kernels, { m, k, n });
      const [x, w, y] = [kernels.upload(a), kernels.upload(b), kernels.alloc(4 * m * n)];
      ours += timed(() => matmul.run(x, w, y, 1, 0, 0));
      matmul.dispose();
    }
    const flops = (6 * rows * inputs * outputs) / 1e6;
    console.log(
      `| ${name} | ${engine.toFixed(1)} | ${ours.toFixed(1)} | ${(flops / engine).toFixed(1)} | ${(flops / ours).toFixed(1)} | ${(engine / ours).toFixed(2)} |`,
    );
  }
});
