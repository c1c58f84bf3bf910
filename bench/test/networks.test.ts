/** Whole networks, small images: what they hold, our answer on every tier, other runtimes' against the naive loops. */
import { type Graph, Tensor, validateGraph } from "lowbit";
import { afterAll, describe, expect, test } from "vitest";
import { runReference } from "../../packages/core/src/testing/reference.ts";
import type { Case } from "../src/case.ts";
import { checksum } from "../src/case.ts";
import { allCases, familyOf } from "../src/cases/index.ts";
import { networkCase } from "../src/cases/network.ts";
import { sources } from "../src/engines/index.ts";
import { openEngines } from "../src/engines/open.ts";
import { runtimeHost } from "../src/host/runtime.ts";
import { judge } from "../src/judge.ts";
import { graphOf, netOf, networkNames } from "../src/networks/index.ts";
import { naiveCodes, naiveReals } from "../src/networks/naive.ts";
import { imageOf, macsOf, type NetValue } from "../src/networks/net.ts";

/** A quarter of the channels: the same layers at a sixteenth of the work. */
const [SIZE, WIDTH] = [64, 0.25];
const { engines, absent } = await openEngines(sources, runtimeHost("node", []));
afterAll(() => {
  for (const engine of engines) engine.dispose?.();
});

const answerOf = async (name: string, of: Case) => {
  const engine = engines.find((engine) => engine.name === name)!;
  const tensors = familyOf(of).tensors(of);
  const prepared = await engine.prepare(of, tensors);
  await prepared.run();
  await prepared.run();
  const answer = await prepared.answer();
  prepared.dispose();
  return { answer, tensors };
};

const reference = (graph: Graph, image: Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) => {
  const [name = ""] = graph.inputs;
  const { shape, dtype } = graph.values.get(name)!;
  const feed = { [name]: new Tensor(dtype as "int8", shape as number[], image as Int8Array<ArrayBuffer>) };
  return Object.values(runReference(graph, feed))[0]!.data as Float32Array;
};

describe.each(networkNames)("%s", (name) => {
  const of = networkCase(name, SIZE, WIDTH);

  test("ours: a valid graph, and every tier answers as the reference interpreter", async () => {
    const graph = graphOf(of.task, of.seed);
    validateGraph(graph);
    const { tensors } = await answerOf("lowbit:scalar", of);
    const isUnsigned = graph.values.get("image")!.dtype === "uint8";
    const image = tensors.x as Int8Array<ArrayBuffer>;
    const expected = checksum(reference(graph, isUnsigned ? Uint8Array.from(image, (q) => q + 128) : image));
    for (const engine of engines.filter(({ name }) => name.startsWith("lowbit:")))
      expect([engine.name, checksum((await answerOf(engine.name, of)).answer.data as Float32Array)]).toEqual([
        engine.name,
        expected,
      ]);
  });

  test("the 8-bit form computes about what the float form does, and fills its codes", () => {
    const net = netOf(of.task, of.seed);
    const image = imageOf(net.values[0] as NetValue, of.seed);
    const [reals, codes] = [naiveReals(net, image), naiveCodes(net, image)];
    const power = (values: Float64Array) => values.reduce((sum, v) => sum + v * v, 0);
    const noise = power(reals.map((v, i) => v - codes[i]!));
    expect(power(reals) / noise).toBeGreaterThan(net.perTensor ? 10 : 20);
    expect(new Set(codes).size).toBeGreaterThan(60);
  });

  for (const { name: engine, supports } of engines.filter(({ name }) => !/^(lowbit:|naive|float)/.test(name)))
    if (supports(of) === true)
      test(`${engine} answers as the naive loops`, async () => {
        const { answer, tensors } = await answerOf(engine, of);
        expect(judge(of, tensors, answer)).toMatchObject({ right: true });
      });
});

test("the multiply-adds in the cases are those of the networks", () => {
  for (const { task, seed, work } of allCases())
    if (task.op === "network") expect([task.net, work.amount]).toEqual([task.net, macsOf(netOf(task, seed))]);
});

for (const { name, absent: reason } of absent) describe.skip(`${name} (${reason})`, () => test("absent", () => {}));
