import type { GraphEditor } from "../graph/editor.ts";

/** A rewrite of the graph that keeps what it computes. */
export interface Pass {
  /** Its file's name. */
  readonly name: string;
  /** What it does and why, in one sentence. */
  readonly explain: string;
  /** Rewrites the graph; calls `note` once per change with a sentence that names the node. */
  run(editor: GraphEditor, note: (change: string) => void): void;
}
