/**
 * Indexes in a browser's own storage (the origin private file system): there again, without a network, when the page comes back.
 * A name is replaced in one step once all bytes are written, so that another tab, or a page that is closed meanwhile, finds the old index or the new one, whole.
 */
import { InputError, LoadError } from "lowbit";
import { type LoadIndexOptions, loadIndex, saveIndex } from "./file.ts";
import type { Index } from "./search-index.ts";

const FOLDER = "lowbit-indexes";

/** @throws LoadError where the engine has no such storage, or does not let this page use it */
async function folder(op: string): Promise<FileSystemDirectoryHandle> {
  const expected = "the origin private file system, of browsers, over https or on localhost";
  const { storage } = globalThis.navigator ?? {};
  if (typeof storage?.getDirectory !== "function") throw new LoadError(op, "storage", expected, "none");
  try {
    return await (await storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  } catch (error) {
    throw new LoadError(op, "storage", expected, String(error), error);
  }
}

async function handleOf(op: string, name: string, create: boolean): Promise<FileSystemFileHandle | undefined> {
  const all = await folder(op);
  try {
    return await all.getFileHandle(name, { create });
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    // Names of one file: no slash, not "..".
    if (error instanceof TypeError) throw new InputError(op, "name", "the name of a file", name);
    throw new LoadError(op, name, "a file", String(error), error);
  }
}

/**
 * Does something to a stored file that no other tab may disturb: files are replaced alone ("exclusive") and read together ("shared").
 * Without it a file that is replaced while its bytes are on their way is gone for its reader.
 */
async function locked<T>(name: string, mode: LockMode, act: () => Promise<T>): Promise<T> {
  const { locks } = globalThis.navigator ?? {};
  // Where there are no locks there is no such storage, which is what `act` says then.
  return locks ? ((await locks.request(`${FOLDER}/${name}`, { mode }, act)) as T) : act();
}

/**
 * Keeps an index under a name, in place of what was there.
 * @param index an index, or the bytes that `saveIndex` or `IndexWorker.save` gave
 * @throws InputError (a name that no file can have), LoadError (no storage, or too little of it: what was there stays)
 */
export async function storeIndex(name: string, index: Index | Uint8Array<ArrayBuffer>): Promise<void> {
  const bytes = index instanceof Uint8Array ? index : saveIndex(index);
  const handle = (await handleOf("storeIndex", name, true))!;
  let writable: FileSystemWritableFileStream | undefined;
  try {
    // It writes to a copy, which takes the file's place when it is closed.
    writable = await handle.createWritable();
    await writable.write(bytes);
    const written = writable;
    await locked(name, "exclusive", () => written.close());
  } catch (error) {
    await writable?.abort().catch(() => undefined);
    throw new LoadError("storeIndex", name, `room for ${bytes.length} bytes`, String(error), error);
  }
}

/**
 * The index of a name; undefined where there is none.
 * @throws as `loadIndex`, and LoadError where there is no storage
 */
export async function loadStored(name: string, options: LoadIndexOptions = {}): Promise<Index | undefined> {
  return locked(name, "shared", async () => {
    const file = await (await handleOf("loadStored", name, false))?.getFile();
    // A name that was taken and never written, by a page that was closed.
    return file && file.size > 0 ? loadIndex(file, options) : undefined;
  });
}

/** @returns whether there was one */
export async function removeStored(name: string): Promise<boolean> {
  return locked(name, "exclusive", async () => {
    if (!(await handleOf("removeStored", name, false))) return false;
    await (await folder("removeStored")).removeEntry(name);
    return true;
  });
}

/** Names of what is kept, sorted. */
export async function storedNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of (await folder("storedNames")).keys()) names.push(name);
  return names.sort();
}
