/** Numbers as people read them; the one place where tables, plots and messages get their spelling from. */

/** 1234567 -> "1.23 MB", powers of 1000, three significant digits; below 1000 exact. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = "B";
  for (const next of ["kB", "MB", "GB", "TB"]) {
    // 999.5 and more would print as 1000 of the smaller unit.
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${Number.isInteger(value) ? value : significant(value)} ${unit}`;
}

/** Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 1234. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : Number.isNaN(value) ? "NaN" : "-∞";
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1 || size === 0) return value.toFixed(2);
  return value.toPrecision(3);
}

/** 0.98765 -> "98.77 %" */
export const formatPercent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** 12345.6 -> "12,346" */
export const formatCount = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");

/** 3.21 -> "3.2 ×" */
export const formatTimes = (ratio: number): string => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(1)} ×`;

/** Decibels; a layer that is reproduced exactly has no noise at all. */
export const formatDecibels = (value: number): string =>
  // Plus 0: what rounds to nothing has no sign.
  value === Number.POSITIVE_INFINITY ? "exact" : `${(Number(value.toFixed(1)) + 0).toFixed(1)} dB`;
