/** Errors of this package: like core's, a class to catch, a `code` to switch on, and the numbers. */
import { LowbitError, UnsupportedError } from "lowbit";

/**
 * A model file is damaged or does not hold what it says; `op` names the format and part, e.g. `onnx: initializer "w0"`.
 */
export class ModelFileError extends LowbitError {
  override readonly name = "ModelFileError";
  constructor(op: string, what: string, expected: unknown, got: unknown, cause?: unknown) {
    super("load", { op, what, expected, got, ...(cause === undefined ? {} : { cause }) });
  }
}

/** An option of this package has a value that it cannot have. */
export class OptionError extends LowbitError {
  override readonly name = "OptionError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("range", { op, what, expected, got });
  }
}

/** A data file (.npy, .npz, IDX) or an output path cannot be used. */
export class FileError extends LowbitError {
  override readonly name = "FileError";
  constructor(op: string, what: string, expected: unknown, got: unknown, cause?: unknown) {
    super("load", { op, what, expected, got, ...(cause === undefined ? {} : { cause }) });
  }
}

/** Operators that no importer knows: all of them at once, by operator, with the names of their nodes. */
export class UnsupportedOperatorsError extends UnsupportedError {
  /** Node names by operator, in the order of the file. */
  readonly operators: ReadonlyMap<string, readonly string[]>;

  /**
   * @param nodes operator and node name of each
   * @param supported operators that could be there instead
   */
  constructor(nodes: readonly (readonly [operator: string, node: string])[], supported: readonly string[]) {
    const operators = new Map<string, string[]>();
    for (const [operator, node] of nodes) operators.set(operator, [...(operators.get(operator) ?? []), node]);
    super(
      "importModel",
      nodes.map(([operator, node]) => `${operator} "${node}"`),
      supported.join(", "),
    );
    this.operators = operators;
    const listed = [...operators].map(
      ([operator, names]) => `${names.length} ${printable(operator)} (${names.map(printable).join(", ")})`,
    );
    const near = [...operators.keys()].flatMap((operator) => nearest(operator, supported) ?? []);
    const instead = near.length > 0 ? `, ${near.join(", ")} among them` : "";
    this.message = `importModel: ${nodes.length} node${nodes.length === 1 ? " with an operator that is" : "s with operators that are"} not supported: ${listed.join("; ")}. Supported are ${supported.length} operators${instead} (docs/operators.md)`;
  }
}

/** The supported operator whose name begins as this one's: longest in common, at least 4 letters. Domains and case aside. */
function nearest(operator: string, supported: readonly string[]): string | undefined {
  const bare = (name: string) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const wanted = bare(operator);
  const common = (name: string): number => {
    const other = bare(name);
    let length = 0;
    while (length < wanted.length && wanted[length] === other[length]) length++;
    return length;
  };
  const best = supported.reduce((a, b) => (common(b) > common(a) ? b : a), supported[0] ?? "");
  return common(best) >= 4 ? best : undefined;
}

/** A name from a file as a message shows it: short, and without control characters. */
function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const clean = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "\uFFFD");
  return clean.length > 80 ? `${clean.slice(0, 80)}...` : clean;
}
