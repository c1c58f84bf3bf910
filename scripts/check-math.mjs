// On any path that reaches bytes (outputs, model files) only those Math functions may be called whose result IEEE 754 or
// the language fixes: exp, log, pow and the like differ between engines, so they come from Rust's libm in the kernels.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const folders = ["packages/core/src", "packages/convert/src"];
const allowed = new Set([
  "sqrt",
  "abs",
  "floor",
  "ceil",
  "trunc",
  "round",
  "sign",
  "min",
  "max",
  "fround",
  "imul",
  "clz32",
]);

const isChecked = (file) => file.endsWith(".ts") && !/\.test\.ts$|\/(generated|testing)\//.test(file);

/** A power of two with an integer exponent is exact in every engine; `x ** 2` is not: it may differ from `x * x`. */
const isExactPower = ({ left }) => ts.isNumericLiteral(left) && left.text === "2";

function offence(node) {
  const isMath = (expression) => ts.isIdentifier(expression) && expression.text === "Math";
  if (ts.isPropertyAccessExpression(node) && isMath(node.expression)) {
    const name = node.name.text;
    return allowed.has(name) || /^[A-Z]/.test(name) ? undefined : `Math.${name}`;
  }
  if (ts.isElementAccessExpression(node) && isMath(node.expression)) return "Math[...]";
  if (ts.isVariableDeclaration(node) && node.initializer && isMath(node.initializer)) {
    const names = ts.isObjectBindingPattern(node.name)
      ? node.name.elements.map((element) => (element.propertyName ?? element.name).text)
      : [];
    return names.length > 0 && names.every((name) => allowed.has(name)) ? undefined : "an alias of Math";
  }
  if (!ts.isBinaryExpression(node)) return undefined;
  if (node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return "**=";
  return node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskToken && !isExactPower(node) ? "**" : undefined;
}

/** The offences of one source text, as `file:line what`. */
export function offencesIn(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  // The oracle of an operator's tests stands in the operator's file, and in no bundle.
  const isOracle = (node) => ts.isFunctionDeclaration(node) && node.name?.text === "reference";
  const visit = (node) => {
    if (isOracle(node) && /\/ops\//.test(file)) return;
    const what = offence(node);
    if (what) found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${what}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

export function checkMath() {
  // The check itself must be able to fail.
  if (offencesIn("probe", "Math.exp(1); x ** y; const { log } = Math;").length !== 3)
    throw new Error("the check for Math functions is blind");
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  const found = files.filter(isChecked).flatMap((file) => offencesIn(relative(root, file), readFileSync(file, "utf8")));
  if (found.length > 0)
    throw new Error(
      `Math functions that differ between engines (use the kernels, which take them from libm):\n${found.join("\n")}`,
    );
}

await whenMain(import.meta.url, checkMath);
