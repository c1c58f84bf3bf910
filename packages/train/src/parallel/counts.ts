/** Checks what counts something. @throws RangeError where it is no whole number of at least 1 */
export function checkCount(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 1))
    throw new RangeError(`${name} must be a whole number of at least 1, got ${value}`);
}
