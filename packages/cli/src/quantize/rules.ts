/** What the options of `lowbit quantize` say: which scheme for which layer, and how to find its codes. */

import { checkActivations } from "../shared/activations.ts";
import { numberOption } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";

/** `glob=scheme`, split at the last `=`: a node's name may hold one, a scheme never does. */
function layerRule(text: string): readonly [glob: string, scheme: string] {
  const at = text.lastIndexOf("=");
  if (at <= 0 || at === text.length - 1) throw new UsageError(`--layer: expected 'glob=scheme', got "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

export interface Rules {
  readonly weights?: string;
  readonly activations?: string;
  readonly layers?: readonly (readonly [glob: string, scheme: string])[];
  readonly rescale?: readonly string[];
  readonly minSqnr?: number;
  readonly correctBias?: boolean;
}

/** Options as the command line gives them. */
export interface Given {
  readonly weights?: string | undefined;
  readonly method?: string | undefined;
  readonly activations?: string | undefined;
  readonly rescale?: string | undefined;
  readonly calibrate?: string | undefined;
  readonly "min-sqnr"?: string | undefined;
  readonly "correct-bias"?: boolean | undefined;
}

/** What to quantize how. @throws UsageError where options contradict each other */
export async function rulesOf(args: Given, rules: readonly string[]): Promise<Rules> {
  const { activations } = args;
  const minSqnr = numberOption("min-sqnr", args["min-sqnr"], -1000);
  await checkActivations(activations, args.calibrate);
  if (args.method !== undefined && args.weights === undefined)
    throw new UsageError("--method needs --weights: it finds other codes of as many bits");
  const weights = args.method === undefined ? args.weights : await schemeBy(args.method, args.weights!);
  const rescale = args.rescale?.split(",").map((name) => name.trim());
  if (rescale) await checkRescaling(rescale);
  return {
    ...(weights !== undefined && { weights }),
    ...(activations !== undefined && { activations }),
    ...(rules.length > 0 && { layers: rules.map(layerRule) }),
    ...(rescale && { rescale }),
    ...(minSqnr !== undefined && { minSqnr }),
    ...(args["correct-bias"] && { correctBias: true }),
  };
}

async function checkRescaling(names: readonly string[]): Promise<void> {
  const { parseRescaling, RESCALINGS } = await import("@lowbit/convert");
  for (const name of names) {
    try {
      parseRescaling(name);
    } catch (error) {
      throw new UsageError(`--rescale: expected ${RESCALINGS}, got "${name}"`, { cause: error });
    }
  }
}

async function schemeBy(method: string, weights: string): Promise<string> {
  const { METHODS, methodScheme } = await import("@lowbit/convert");
  if (!METHODS.includes(method))
    throw new UsageError(`--method: expected one of ${METHODS.join(", ")}, got "${method}"`);
  return methodScheme(method, weights);
}

/** The same rules as a command line, for the file's provenance. */
export const recipeOf = ({ weights, activations, layers = [], rescale, correctBias }: Rules): string =>
  [
    "lowbit quantize",
    ...(weights === undefined ? [] : [`--weights ${weights}`]),
    ...(activations === undefined ? [] : [`--activations ${activations}`]),
    ...layers.map(([glob, scheme]) => `--layer '${glob}=${scheme}'`),
    ...(rescale ? [`--rescale ${rescale.join(",")}`] : []),
    ...(correctBias ? ["--correct-bias"] : []),
  ].join(" ");
