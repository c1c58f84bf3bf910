import { describe, expect, test } from "vitest";
import { pageOf, problemsOf } from "../../scripts/methods/table.mjs";

const row = (method, more = {}) => ({
  method,
  section: "deterministic: rounding",
  file: "rounding/x.ts",
  laws: ["nearest"],
  error: "0.1 weights",
  published: "0.1 on N(0,1)",
  bits: "4",
  kernel: "`codebook_gemm` (f32)",
  paper: { authors: "Ada, Bea", year: 2020, url: "https://example.org" },
  name: `\`${method}\``,
  codes: method,
  values: method,
  ...more,
});
const layer = { name: "dense", rows: 2, columns: 3, samples: 4, kurtosis: "3.0" };

describe("the table of methods is refused", () => {
  test.each([
    ["an empty cell", [row("a", { kernel: "" })], /^a: the cell "kernel that runs it packed" is empty$/],
    ["no laws", [row("a", { laws: [] })], /^a: the cell "laws tested" is empty$/],
    ["a method that cannot be measured", [row("a", { problem: "quantize: no" })], /^a: quantize: no$/],
    ["a name twice", [row("a"), row("a", { codes: "other", values: "other" })], /twice/],
    ["an unknown section", [row("a", { section: "none" })], /no section "none"/],
    ["equal codes", [row("a"), row("b", { codes: "a" })], /^a and b give equal codes/],
    ["equal values by other codes", [row("a"), row("b", { values: "a" })], /^a and b give equal codes/],
    ["a reason without codes that are equal", [row("a", { agrees: { b: "why" } }), row("b")], /codes differ/],
    ["a reason about nobody", [row("a", { agrees: { c: "why" } })], /"c", which is no method/],
  ])("%s", (_, rows, expected) => {
    expect(problemsOf(rows)).toEqual([expect.stringMatching(expected)]);
  });

  test("a file that is not there, a family without a row", () => {
    expect(problemsOf([row("a")], { fileExists: () => false })).toEqual(["a: no file rounding/x.ts"]);
    const families = [{ syntax: "b:<n>", owns: (head) => head === "b" }];
    expect(problemsOf([row("a", { scheme: "a" })], { families })).toEqual([expect.stringMatching(/family b:<n>/)]);
    expect(problemsOf([row("a", { scheme: "b:3" })], { families })).toEqual([]);
  });
});

test("methods that store no codes are not equal to each other", () => {
  const none = { codes: undefined, values: undefined };
  expect(problemsOf([row("a", none), row("b", none)])).toEqual([]);
});

test("one reason is enough for two methods that agree, and it is shown", () => {
  const rows = [row("a"), row("b", { codes: "a", agrees: { a: "both are signs | of w" } })];
  expect(problemsOf(rows)).toEqual([]);
  expect(problemsOf([row("a", { scheme: "s:1" }), row("b", { codes: "a", agrees: { "s:1": "why" } })])).toEqual([]);
  const page = pageOf(rows, layer);
  expect(page).toContain("- **a** and **b**: both are signs");
  expect(page).toContain("[Ada et al. 2020](https://example.org)");
  // Sections without a method are not there.
  expect(page.match(/^## /gm)).toHaveLength(2);
});
