import { expect, test } from "vitest";
import { PASSES } from "../src/index.ts";
import { OPERATORS } from "../src/onnx/operators/registry.ts";
import { OPERATORS as TFLITE_OPERATORS } from "../src/tflite/operators/registry.ts";
import { readFile } from "./support/data.ts";

const readme = new TextDecoder().decode(readFile("packages/convert/README.md"));

test("the README's table lists every pass, in the order in which each first runs", () => {
  const listed = [...readme.matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(listed).toEqual([...new Set(PASSES.map(({ name }) => name))]);
});

const missing = (operators: ReadonlyMap<string, unknown>, list: string): string[] =>
  [...operators.keys()].filter((operator) => {
    // Behind a domain that the list names for several.
    const [, domain = "", name] = /^((?:qonnx|finn|onnx)\..+)\.(\w+)$/.exec(operator) ?? [undefined, "", operator];
    return !list.includes(domain) || !new RegExp(`\\b${name}\\b`).test(list);
  });

test("the README names every operator that is imported", () => {
  const [, list] = /through the typed protobuf schema(.*?)All element types/s.exec(readme)!;
  expect(missing(OPERATORS, list!)).toEqual([]);
  const [, tflite] = /per tensor and per channel:(.*?)on the binary kernels/s.exec(readme)!;
  expect(missing(TFLITE_OPERATORS, tflite!)).toEqual([]);
});
