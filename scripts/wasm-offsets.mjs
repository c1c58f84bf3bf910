// Puts constants that are added to an address into the loads that widen or repeat what they read (v128.load32_splat, v128.load8x8_u and their kin). LLVM folds
// a sum only where it knows that it does not wrap, and then not into these; wasm-opt's --low-memory-unused knows that none of ours wraps, and folds into plain
// loads alone. Left outside, an addition stands in front of every activation that a tile repeats: V8 adds a constant once per loop.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** As wasm-opt bounds it: nothing of ours lies in the lowest kilobyte, so no pointer and smaller constant wrap together. */
const lowMemory = 1024;

const load = /\(v128\.load\d+(?:x\d+)?_(?:splat|zero|s|u)((?: offset=\d+)?)((?: align=\d+)?)\s*\(i32\.add\s*/g;
const constant = /\s*\(i32\.const (\d+)\)\s*\)/y;

/** Rewrites `file`. */
export function foldOffsets(file) {
  const before = binaryen.readBinary(readFileSync(file));
  const after = binaryen.parseText(folded(before.emitText()));
  before.dispose();
  after.setFeatures(binaryen.Features.All);
  writeFileSync(file, after.emitBinary());
  after.dispose();
}

/** The text of a module, with constants below {@link lowMemory} in the loads. */
export function folded(text) {
  const out = [];
  let done = 0;
  for (const match of text.matchAll(load)) {
    const operand = match.index + match[0].length;
    const end = endOfExpression(text, operand);
    constant.lastIndex = end;
    const sum = constant.exec(text);
    if (match.index < done || !sum || Number(sum[1]) >= lowMemory) continue;
    const offset = Number(match[1].slice(" offset=".length)) + Number(sum[1]);
    const name = text.slice(match.index, text.indexOf(" ", match.index)).trimEnd();
    out.push(text.slice(done, match.index), `${name} offset=${offset}${match[2]} ${folded(text.slice(operand, end))}`);
    done = end + sum[0].length;
  }
  return out.join("") + text.slice(done);
}

/** Behind the expression in brackets that begins at `at`. */
function endOfExpression(text, at) {
  let depth = 0;
  do {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    at++;
  } while (depth > 0);
  return at;
}
