/** The 4-bit float E2M1 of MXFP4 and NVFP4. */

/**
 * Its levels: sign, two bits of exponent (bias 1), one of mantissa: 0, ½, 1, 1½, 2, 3, 4, 6. Those with an even mantissa come first, so that the nearest level
 * with the lowest index on a tie is rounding to nearest, ties to even. There is one zero; index 7 is -0 in the format and repeats 0 here, which no code names.
 */
export const E2M1_LEVELS: readonly number[] = [0, 1, 2, 4, -1, -2, -4, 0, 0.5, 1.5, 3, 6, -0.5, -1.5, -3, -6];

/** The largest one. */
export const E2M1_MAX = 6;
