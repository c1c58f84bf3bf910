/** LiteRT.js (XNNPACK in WASM), the fastest other runtime: with relaxed SIMD, with SIMD alone, with threads. */
import { availableTiers } from "lowbit/kernels";
import type { Absent, Engine, EngineSource, Host, Prepared } from "../engine.ts";
import type { TfliteFormat } from "../models/layer-tflite.ts";
import { copiesOf, hasTflite, type Model, tfliteOf } from "../models/model.ts";
import { LiteRt, type LiteRtBuild, type LiteRtModel } from "./litert-module.ts";

const PACKAGE = "@litertjs/core";
const formats: readonly TfliteFormat[] = ["fp32", "int8", "int4"];

function prepared(model: Model, copies: readonly LiteRtModel[]): Prepared {
  let [next, last] = [0, 0];
  return {
    run() {
      last = next;
      next = next + 1 === copies.length ? 0 : next + 1;
      return copies[last]!.run();
    },
    answer: () => model.answer(copies[last]!.output(model.output)),
    dispose() {
      for (const copy of copies) copy.dispose();
    },
  };
}

function engineOf(name: string, version: string, runtime: LiteRt, format: TfliteFormat, threads: number): Engine {
  return {
    name,
    version,
    supports: (of) => hasTflite(of, format),
    async prepare(of, tensors) {
      const model = tfliteOf(of, tensors, format);
      const copies: LiteRtModel[] = [];
      const count = copiesOf(of, model.bytes.length);
      for (let i = 0; i < count; i++) copies.push(await runtime.compile(model.bytes, model.input, threads));
      return prepared(model, copies);
    },
  };
}

/** The engines of one build, or why there are none. */
async function open(host: Host, version: string, build: LiteRtBuild, threads: number): Promise<(Engine | Absent)[]> {
  const source = build === "compat" ? "litert-compat" : "litert";
  const suffix = threads === 1 ? "" : `:${threads}`;
  const names = formats.map((format) => `${source}:${format}${suffix}`);
  const absent = (reason: string) => names.map((name) => ({ name, absent: reason }));
  if (build !== "compat" && !availableTiers().includes("relaxed")) return absent("no relaxed SIMD");
  // Its worker is a CommonJS file in a package of ES modules: Node refuses it, and ends.
  if (build === "threaded" && !host.isPage) return absent("its threads start in pages only");
  if (build === "threaded" && !globalThis.crossOriginIsolated) return absent("the page is not cross-origin isolated");
  // Its main thread waits for workers that Firefox starts only once that thread is idle.
  if (build === "threaded" && /Firefox/.test(navigator.userAgent))
    return absent("its threads never start on Firefox's main thread");
  try {
    const runtime = await LiteRt.load(host, build);
    return formats.map((format, i) => engineOf(names[i]!, version, runtime, format, threads));
  } catch (error) {
    return absent(error instanceof Error ? error.message : String(error));
  }
}

export const litert: EngineSource = {
  name: "litert",
  kind: "peer",
  async open(host) {
    const { version } = JSON.parse(new TextDecoder().decode(await host.read(`${PACKAGE}/package.json`)));
    const opened = [await open(host, version, "relaxed", 1), await open(host, version, "compat", 1)];
    for (const threads of host.threads) if (threads > 1) opened.push(await open(host, version, "threaded", threads));
    return opened.flat();
  },
};
