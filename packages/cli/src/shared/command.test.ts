import { defineCommand } from "citty";
import { describe, expect, it } from "vitest";
import { checkArguments, numberOption } from "./command.ts";

const command = defineCommand({
  args: {
    model: { type: "positional", required: true },
    output: { type: "string", alias: "o", required: true },
    layer: { type: "string" },
    json: { type: "boolean" },
  },
});
const check = (...args: string[]) => checkArguments("test", command as never, args);

describe("checkArguments", () => {
  it("keeps every value of a repeated option, = inside included", () => {
    expect(check("m", "-o", "x", "--layer", "conv*=int8", "--layer=fc=float").get("layer")).toEqual([
      "conv*=int8",
      "fc=float",
    ]);
  });
  it.each([
    [["m", "-o", "x", "--what"], "unknown option '--what'"],
    [["m", "extra", "-o", "x"], 'unexpected argument "extra"'],
    [["-o", "x"], "MODEL is missing"],
    [["m"], "--output is missing"],
    [["m", "-o"], "'-o, --output <value>' argument missing"],
    [["m", "-o", ""], "--output needs a value"],
    [["m", "-o", "x", "-o", "y"], "--output is given 2 times"],
    [["m", "-o", "x", "--json=yes"], "does not take an argument"],
  ])("refuses %j", (args, message) => {
    expect(() => check(...args)).toThrow(message);
    expect(() => check(...args)).toThrow("see lowbit test --help");
  });
});

describe("numberOption", () => {
  it("takes numbers in range only", () => {
    expect(numberOption("k", "20.5", 0)).toBe(20.5);
    expect(numberOption("k", undefined, 0)).toBeUndefined();
    for (const text of ["", " ", "abc", "NaN", "Infinity", "-1"])
      expect(() => numberOption("k", text, 0)).toThrow(/--k: expected a number of at least 0/);
    expect(() => numberOption("k", "1.5", 0, true)).toThrow("an integer");
  });
});
