/** What the meter makes of a clock; the speeds themselves are nobody's to expect. */
import { expect, test } from "vitest";
import { LimitMeter } from "../src/limits.ts";

test("a try that is interrupted, and a clock too coarse to see one, make no limit of their own", async () => {
  const meter = await LimitMeter.open();
  let readings = 0;
  // Between its first two readings something else ran for a while; it shows tenths of a millisecond.
  const now = () => Math.floor((performance.now() + (++readings > 1 ? 10 : 0)) * 10) / 10;
  const rates = Object.entries(meter.measure(now));
  expect(rates.length).toBeGreaterThan(5);
  for (const [name, rate] of rates) {
    expect(rate, name).toBeGreaterThan(0);
    expect(rate, name).toBeLessThan(2000);
  }
});
