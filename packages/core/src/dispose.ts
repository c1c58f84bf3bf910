/**
 * `Symbol.dispose` and `Symbol.asyncDispose`, or what transpiled `using` looks for where the engine has none (Safari, older
 * Chromium and Firefox).
 */
export const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
export const asyncDisposeSymbol: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
