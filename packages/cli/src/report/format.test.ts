import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatDecibels, formatTimes, significant } from "./format.ts";

describe("numbers as people read them", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [27_345, "27.3 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2_900_000, "2.90 MB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
  it("keeps three significant digits", () => {
    expect([0, 0.01234, 1.234, 12.34, 123.4, 1234.5].map(significant)).toEqual([
      "0.00",
      "0.0123",
      "1.23",
      "12.3",
      "123",
      "1235",
    ]);
  });
  it("groups thousands and spells ratios", () => {
    expect(formatCount(1234567.4)).toBe("1,234,567");
    expect(formatCount(999)).toBe("999");
    expect(formatTimes(3.149)).toBe("3.1 ×");
    expect(formatTimes(123.4)).toBe("123 ×");
    expect(formatDecibels(Number.POSITIVE_INFINITY)).toBe("exact");
    expect(formatDecibels(-0.04)).toBe("0.0 dB");
  });
});
