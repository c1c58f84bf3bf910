import { UsageError } from "./errors.ts";

/**
 * A package that only one command needs, and that is an optional peer therefore.
 * @param load `() => import(name)`: bundlers and types want the name in it
 * @param who what needs it, with the verb: `"training needs"`
 * @throws UsageError where it is not installed
 */
export async function optionalPeer<T>(name: string, who: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND")
      throw new UsageError(`${who} the package ${name}: npm install ${name}`);
    throw error;
  }
}
