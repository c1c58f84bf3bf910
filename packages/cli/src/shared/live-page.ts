import type { Progress, Recipe } from "@lowbit/train";
import type { TrainingState } from "../report/training-page.ts";
import { checkOutput, writeOutput } from "./files.ts";

/** A page that follows a training run. */
export interface LivePage {
  /** After an epoch; writing goes on behind the next one. */
  add(progress: Progress): void;
  /** The last version, which asks for no further reading. */
  finish(state: "finished" | "interrupted"): Promise<void>;
}

/** Follows the training of a recipe in an HTML file, written whole each time. @throws UsageError where the file cannot be written */
export async function livePage(path: string, { name, description }: Recipe, seed: number): Promise<LivePage> {
  await checkOutput(path, []);
  const { trainingPage } = await import("../report/training-page.ts");
  const parts = new Map<string, { recipe: string; epochs: number; log: readonly NonNullable<Progress["entry"]>[] }>();
  const command = `lowbit train ${name} --seed ${seed}`;
  // One at a time, in their order.
  let writing: Promise<unknown> = Promise.resolve();
  const write = (state: TrainingState["state"]) => {
    const text = trainingPage({ description, command, seed, parts: [...parts.values()], state });
    writing = writing.then(() => writeOutput(path, text));
    return writing;
  };
  return {
    add({ recipe, epochs, log = [] }) {
      parts.set(recipe, { recipe, epochs, log: [...log] });
      // A failure is told at the end.
      write("running").catch(() => {});
    },
    finish: async (state) => void (await write(state)),
  };
}
