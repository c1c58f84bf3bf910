/** Element types of files that are no f32, by their numbers across the border of the kernels (crates/kernels/src/blocks/widen.rs). */
export const storedNumbers = { f16: 0, bf16: 1, f8_e4m3: 2, f8_e5m2: 3, f64: 4 } as const;

export type StoredFloat = keyof typeof storedNumbers;

/** Bytes of an element. */
export const storedBytes: Readonly<Record<StoredFloat, number>> = { f16: 2, bf16: 2, f8_e4m3: 1, f8_e5m2: 1, f64: 8 };
