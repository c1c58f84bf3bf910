/** TypeScript types of a model, so that a wrong input name or element type is an error in the editor. */

import type { Graph, ValueInfo } from "lowbit";

/** `mnist-cnn float.2` -> `MnistCnnFloat2`; a name that cannot start an identifier gets `Model` in front. */
export function typeName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `Model${joined}`;
}

/** A property's name: quoted where it is no identifier. */
const propertyName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** One line per value; the shape is for people, and symbolic sizes keep their name. */
const member = (name: string, { dtype, shape }: ValueInfo): string =>
  `    /** [${shape.join(", ").replaceAll("*/", "* /")}] */\n    ${propertyName(name)}: Tensor<${JSON.stringify(dtype)}>;`;

/** The text of a .d.ts file with one exported interface. */
export function declarations(graph: Graph, file: string): { name: string; text: string } {
  const name = typeName(file);
  const members = (names: readonly string[]) =>
    names.flatMap((n) => {
      const info = graph.values.get(n);
      return info === undefined ? [] : member(n, info);
    });
  const text = `// Written by \`lowbit types\`. Use: const model = await loadModel<${name}>(url);
import type { Tensor } from "lowbit";

export interface ${name} {
  inputs: {
${members(graph.inputs).join("\n")}
  };
  outputs: {
${members(graph.outputs).join("\n")}
  };
}
`;
  return { name, text };
}
