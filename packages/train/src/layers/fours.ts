/**
 * What is missing to a multiple of 4. The training engine on WASM sums in steps of 4 floats; products over a length that does not come in fours take it up to ten times as long,
 * so that short ones are filled up with zeros.
 */
export const missingToFours = (length: number): number => -length & 3;
