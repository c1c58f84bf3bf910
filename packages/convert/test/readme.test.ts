import { expect, test } from "vitest";
import { PASSES } from "../src/index.ts";
import { OPERATORS } from "../src/onnx/operators/registry.ts";
import { readFile } from "./support/data.ts";

const readme = new TextDecoder().decode(readFile("packages/convert/README.md"));

test("the README's table lists every pass, in the order in which each first runs", () => {
  const listed = [...readme.matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(listed).toEqual([...new Set(PASSES.map(({ name }) => name))]);
});

test("the README names every operator that is imported", () => {
  const [, list] = /through the typed protobuf schema(.*?)All element types/s.exec(readme)!;
  expect([...OPERATORS.keys()].filter((operator) => !new RegExp(`\\b${operator}\\b`).test(list!))).toEqual([]);
});
