import { availableTiers, TierError, tierReport, tiers } from "lowbit";
import { describe, expect, it } from "vitest";
import { tierProbes } from "../src/generated/tier-probes.ts";
import { chooseTier, examine, type Probe, refusal } from "../src/kernels/tiers.ts";

/** The probe with another answer to one of its checks: what an engine that computes that instruction otherwise looks like. */
const wrongAt = ({ module, checks }: Probe, at: number): Probe => ({
  module,
  checks: checks.map(([name, hash], i) => [name, i === at ? hash ^ 1 : hash]),
});

describe("tierReport", () => {
  it("has every tier, scalar always, and agrees with availableTiers", () => {
    expect(tierReport().map(({ tier }) => tier)).toEqual(tiers);
    expect(tierReport()[0]).toEqual({ tier: "scalar", available: true });
    expect(
      tierReport()
        .filter(({ available }) => available)
        .map(({ tier }) => tier),
    ).toEqual(availableTiers());
    for (const { available, reason } of tierReport()) expect(reason === undefined).toBe(available);
  });

  it("takes simd128 here", () => {
    expect(refusal(tierProbes.simd128)).toBeUndefined();
  });

  it.each(tierProbes.simd128.checks.map(([name], i) => [name, i] as const))(
    "refuses simd128 and what is above it where %s answers wrongly",
    (name, at) => {
      expect(examine({ ...tierProbes, simd128: wrongAt(tierProbes.simd128, at) })).toEqual([
        { tier: "scalar", available: true },
        { tier: "simd128", available: false, reason: `${name} answers wrongly` },
        { tier: "relaxed", available: false, reason: "simd128 is not available" },
      ]);
    },
  );

  it("refuses relaxed alone where one of its instructions answers wrongly", () => {
    // The module of simd128 stands in for one of relaxed, which not every engine takes.
    const reports = examine({ ...tierProbes, relaxed: wrongAt(tierProbes.simd128, 3) });
    expect(reports.map(({ available }) => available)).toEqual([true, true, false]);
    expect(reports[2]?.reason).toMatch(/answers wrongly/);
  });

  it("says so where the engine refuses a module, or cannot run it", () => {
    const unknown = { module: "AGFzbQEAAAABBQFgAAF/AwIBAAoGAQQA/f8BCw==", checks: [] };
    expect(refusal(unknown)).toBe("this engine does not know its instructions");
    const withoutExport = { module: "AGFzbQEAAAA=", checks: tierProbes.relaxed.checks };
    expect(refusal(withoutExport)).toMatch(/its self-test could not be run: .*not a function/);
  });

  it("covers every class of instructions that the kernels rely on", () => {
    const names = [...tierProbes.simd128.checks, ...tierProbes.relaxed.checks].map(([name]) => name).join(" ");
    for (const part of [
      "popcnt",
      "swizzle",
      "dot_i16x8",
      "extmul",
      "extadd",
      "narrow_i16x8",
      "narrow_i32x4",
      "saturating",
    ])
      expect(names).toContain(part);
    for (const part of ["shifts", "bitmask", "nearest", "trunc_sat", "arithmetic", "pmin", "relaxed_swizzle"])
      expect(names).toContain(part);
    expect(names).toContain("i16x8.relaxed_dot_i8x16_i7x16_s");
    expect(names).toContain("i32x4.relaxed_dot_i8x16_i7x16_add_s");
  });

  it("gives the reason with the refusal of a forced tier", () => {
    const missing = tierReport().find(({ available }) => !available);
    if (missing) {
      expect(() => chooseTier(missing.tier)).toThrow(TierError);
      expect(() => chooseTier(missing.tier)).toThrow(`got ${missing.tier} (${missing.reason})`);
    } else expect(chooseTier()).toBe("relaxed");
  });
});
