/**
 * LiteRT.js (XNNPACK in WASM), the fastest other runtime: with relaxed SIMD, with SIMD alone. Its build with threads is left out: Node refuses its worker, and in a page
 * its main thread waits for workers that the browser may start only once that thread is idle.
 */
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

function engineOf(name: string, version: string, runtime: LiteRt, format: TfliteFormat): Engine {
  return {
    name,
    version,
    supports: (of) => hasTflite(of, format),
    async prepare(of, tensors) {
      const model = tfliteOf(of, tensors, format);
      const copies: LiteRtModel[] = [];
      const count = copiesOf(of, model.bytes.length);
      for (let i = 0; i < count; i++) copies.push(await runtime.compile(model.bytes, model.input));
      return prepared(model, copies);
    },
  };
}

/** The engines of one build, or why there are none. */
async function open(host: Host, version: string, build: LiteRtBuild): Promise<(Engine | Absent)[]> {
  const names = formats.map((format) => `${build === "compat" ? "litert-compat" : "litert"}:${format}`);
  const absent = (reason: string) => names.map((name) => ({ name, absent: reason }));
  if (build !== "compat" && !availableTiers().includes("relaxed")) return absent("no relaxed SIMD");
  try {
    const runtime = await LiteRt.load(host, build);
    return formats.map((format, i) => engineOf(names[i]!, version, runtime, format));
  } catch (error) {
    return absent(error instanceof Error ? error.message : String(error));
  }
}

export const litert: EngineSource = {
  name: "litert",
  kind: "peer",
  async open(host) {
    const { version } = JSON.parse(new TextDecoder().decode(await host.read(`${PACKAGE}/package.json`)));
    const opened = [await open(host, version, "relaxed"), await open(host, version, "compat")];
    return opened.flat();
  },
};
