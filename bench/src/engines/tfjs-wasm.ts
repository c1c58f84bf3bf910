/** TensorFlow.js on its WASM backend: XNNPACK in f32, SIMD, one thread. */

import type { Case, Tensors } from "../case.ts";
import { columns, rowLength } from "../cases/product.ts";
import type { EngineSource, Host, Prepared } from "../engine.ts";
import { floatAnswer, floats, isSame, type Product, transposedWeights } from "../models/layer.ts";
import { copiesOf, NO_SEARCHES } from "../models/model.ts";
import { networkModel } from "../models/network.ts";
import { netOf } from "../networks/index.ts";
import { tfjsNetwork } from "../networks/tfjs.ts";
import { isSearch, type Network } from "../task.ts";
import type { TypedArray } from "../values.ts";

export interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}

interface FusedConv {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias: Tensor;
  readonly strides: number;
  readonly pad: "same";
  readonly activation: "linear" | "relu" | "relu6";
}

/** What of the packages is used here. */
export interface Tfjs {
  env(): { set(flag: string, value: boolean): void };
  setBackend(name: "wasm"): Promise<boolean>;
  tensor(data: Float32Array, shape: readonly number[]): Tensor;
  matMul(x: Tensor, w: Tensor): Tensor;
  conv2d(x: Tensor, filter: Tensor, stride: number, pad: "same" | "valid"): Tensor;
  depthwiseConv2d(x: Tensor, filter: Tensor, stride: number, pad: "same" | "valid"): Tensor;
  maxPool(x: Tensor, size: number, stride: number, pad: "same" | "valid"): Tensor;
  avgPool(x: Tensor, size: number, stride: number, pad: "same" | "valid"): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  readonly fused: {
    conv2d(options: FusedConv): Tensor;
    depthwiseConv2d(options: FusedConv): Tensor;
    matMul(options: { readonly a: Tensor; readonly b: Tensor; readonly bias: Tensor }): Tensor;
  };
  /** Disposes what `make` made but its result. */
  tidy(make: () => Tensor): Tensor;
}
interface Backend {
  setWasmPaths(folder: string): void;
}

const CORE = "@tensorflow/tfjs-core";
const BACKEND = "@tensorflow/tfjs-backend-wasm";

/** The one-file builds are UMD: run as CommonJS, in a page as in a runtime. */
async function evaluate<T>(host: Host, path: string, modules: Readonly<Record<string, unknown>>): Promise<T> {
  const source = new TextDecoder().decode(await host.read(path));
  const folder = new URL(".", await host.file(path)).pathname;
  const native = host.isPage ? undefined : (await import("node:module")).createRequire(await host.file(path));
  // The names of Node's modules mean nothing in a page, where the code does not use them.
  const require = (name: string) => modules[name] ?? native?.(name) ?? {};
  const module = { exports: {} };
  new Function("module", "exports", "require", "__dirname", source)(module, module.exports, require, folder);
  return module.exports as T;
}

export async function loadTfjs(host: Host): Promise<Tfjs> {
  const tf = await evaluate<Tfjs>(host, `${CORE}/dist/tf-core.min.js`, {});
  const backend = await evaluate<Backend>(host, `${BACKEND}/dist/tf-backend-wasm.min.js`, { [CORE]: tf });
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const folder = new URL(".", await host.file(`${BACKEND}/dist/tfjs-backend-wasm-simd.wasm`));
  backend.setWasmPaths(host.isPage ? folder.href : (await import("node:url")).fileURLToPath(folder));
  if (!(await tf.setBackend("wasm"))) throw new Error("the WASM backend did not start");
  return tf;
}

function supports({ task }: Case): true | string {
  if (isSearch(task)) return NO_SEARCHES;
  if (task.op !== "conv") return true;
  if (!isSame(task)) return "padding that TensorFlow does not know";
  return task.groups === 1 || task.groups === task.channels ? true : `${task.groups} groups`;
}

/** Weights as the backend's kernels take them: [k, n], [kh, kw, C, O], or [kh, kw, C, 1] of a depthwise convolution. */
function layer(
  tf: Tfjs,
  task: Product,
  w: TypedArray,
): { filter: () => Tensor; apply: (x: Tensor, w: Tensor) => Tensor } {
  const data = transposedWeights(task, floats(w));
  const shaped = (shape: readonly number[]) => () => tf.tensor(data, shape);
  if (task.op === "gemm") return { filter: shaped([rowLength(task), columns(task)]), apply: (x, w) => tf.matMul(x, w) };
  const { kernel, channels, groups, outputs, stride } = task;
  if (groups === 1)
    return {
      filter: shaped([...kernel, channels, outputs]),
      apply: (x, w) => tf.conv2d(x, w, stride, "same"),
    };
  return { filter: shaped([...kernel, channels, 1]), apply: (x, w) => tf.depthwiseConv2d(x, w, stride, "same") };
}

function prepareNetwork(tf: Tfjs, of: Case & { readonly task: Network }, tensors: Tensors): Prepared {
  const { input, answer } = networkModel(of, tensors, "tflite", "fp32");
  const network = tfjsNetwork(tf, netOf(of.task, of.seed));
  const image = tf.tensor(input as Float32Array, [1, ...of.task.input]);
  let y: Tensor | undefined;
  return {
    run() {
      y?.dispose();
      y = network.run(image);
    },
    answer: () => answer(y!.dataSync()),
    dispose() {
      network.dispose();
      image.dispose();
      y?.dispose();
    },
  };
}

function prepare(tf: Tfjs, of: Case, tensors: Tensors): Prepared {
  const { task } = of;
  if (task.op === "network") return prepareNetwork(tf, { ...of, task }, tensors);
  if (isSearch(task)) throw new Error(NO_SEARCHES);
  const w = tensors.w as TypedArray;
  const shape = task.op === "gemm" ? [task.m, task.k] : [1, task.height, task.width, task.channels];
  const x = tf.tensor(floats(tensors.x as TypedArray), shape);
  const { filter, apply } = layer(tf, task, w);
  const filters = Array.from({ length: copiesOf(of, 4 * w.length) }, filter);
  let next = 0;
  let y: Tensor | undefined;
  return {
    run() {
      y?.dispose();
      y = apply(x, filters[next]!);
      next = next + 1 === filters.length ? 0 : next + 1;
    },
    answer: () => floatAnswer(task, y!.dataSync()),
    dispose() {
      for (const tensor of [x, y, ...filters]) tensor?.dispose();
    },
  };
}

export const tfjsWasm: EngineSource = {
  name: "tfjs-wasm",
  kind: "peer",
  async open(host) {
    const tf = await loadTfjs(host);
    const { version } = JSON.parse(new TextDecoder().decode(await host.read(`${BACKEND}/package.json`)));
    return [
      {
        name: "tfjs-wasm:fp32",
        version,
        supports,
        prepare: async (of, tensors) => prepare(tf, of, tensors),
      },
    ];
  },
};
