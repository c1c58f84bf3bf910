import { coordinateModes, nearestModes } from "lowbit/ops";
import { ModelFileError } from "../../errors.ts";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

const POLICIES = ["stretch", "not_larger", "not_smaller"] as const;

function oneOf<T extends string>(node: NodeContext, name: string, values: readonly T[], fallback: T): T {
  const value = node.attributes.string(name, fallback);
  const found = values.find((known) => known === value);
  if (found === undefined) throw new ModelFileError(`onnx: ${node.title}`, name, values.join(", "), value);
  return found;
}

/** An optional input; an empty tensor is none. */
function given(node: NodeContext, index: number): string {
  const name = node.optional(index);
  return name === undefined || node.shape(name).includes(0) ? "" : name;
}

/** Resize-10 to -19. Operator set 10 has X and scales alone, and coordinates as `asymmetric`. */
function resize(node: NodeContext): void {
  const { attributes } = node;
  const mode = oneOf(node, "mode", ["nearest", "linear", "cubic"], "nearest");
  const isOld = node.opset < 11;
  const nearest = isOld ? "floor" : oneOf(node, "nearest_mode", nearestModes, "round_prefer_floor");
  const coordinates = isOld
    ? "asymmetric"
    : oneOf(node, "coordinate_transformation_mode", coordinateModes, "half_pixel");
  const crops = coordinates === "tf_crop_and_resize";
  const inputs = isOld ? ["", given(node, 1)] : [crops ? given(node, 1) : "", given(node, 2), given(node, 3)];
  // Both may be given, then the sizes decide.
  if (inputs[1] && inputs[2]) inputs[1] = "";
  while (inputs.at(-1) === "") inputs.pop();
  const x = mode === "nearest" ? node.input(0) : node.float(0);
  const axes = attributes.ints("axes");
  node.bind(
    node.main("resize", [x, ...inputs], {
      coordinates,
      filter: mode === "nearest" ? nearest : mode,
      a: attributes.float("cubic_coeff_a", -0.75),
      antialias: attributes.int("antialias", 0) !== 0,
      excludeOutside: attributes.int("exclude_outside", 0) !== 0,
      extrapolation: attributes.float("extrapolation_value", 0),
      policy: oneOf(node, "keep_aspect_ratio_policy", POLICIES, "stretch"),
      ...(axes && { axes }),
    }),
  );
}

/** Upsample-7 (scales as an attribute) and -9 (as an input): what Resize was called before. */
function upsample(node: NodeContext): void {
  const mode = oneOf(node, "mode", ["nearest", "linear"], "nearest");
  const list = node.attributes.floats("scales");
  const scales = list ? node.store("scales", floats([list.length], list)) : node.input(1);
  const x = mode === "nearest" ? node.input(0) : node.float(0);
  node.bind(
    node.main("resize", [x, "", scales], {
      coordinates: "asymmetric",
      filter: mode === "nearest" ? "floor" : "linear",
      a: -0.75,
      antialias: false,
      excludeOutside: false,
      extrapolation: 0,
      policy: "stretch",
    }),
  );
}

export const resizing: Readonly<Record<string, OperatorImporter>> = { Resize: resize, Upsample: upsample };
