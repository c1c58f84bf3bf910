// Lets a script be both a module and a command.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Runs `action` when the module at `url` is the script that Node was started with; its failure is one message and exit code 1. */
export async function whenMain(url, action) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    await action();
  } catch (error) {
    console.error(error.message);
    if (error.output) console.error(error.output.trimEnd().split("\n").slice(-60).join("\n"));
    process.exit(1);
  }
}
