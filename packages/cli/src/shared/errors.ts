/**
 * How a command ends badly. The exit code says which of two things happened: 1, a gate looked at a working model and
 * refused it; 2, the call or a file was no good. Either way stderr gets one line.
 */

/** The command line itself makes no sense: unknown option, missing value, OUT equal to IN. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** A file that was named cannot be read, written or understood. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code = "FILE";
  constructor(
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${message}`, options);
  }
}

/** A parity or budget gate said no. `figure` is what it saw. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code = "REFUSED";
}

/** What the operating system's refusals are called by people; anything else keeps the system's own words. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "is a folder",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "no space left on the disk",
  EDQUOT: "disk quota exceeded",
  EFBIG: "larger than the file system allows",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENAMETOOLONG: "name too long",
  ELOOP: "too many symbolic links",
  ERR_FS_FILE_TOO_LARGE: "larger than 2 GiB, which is more than can be read at once",
};

/** The system's error as a {@link FileError} on `path`; other errors pass through. */
export function fileError(path: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const words = code === undefined ? undefined : SYSTEM[code];
  if (words !== undefined) return new FileError(path, words, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** Ctrl-C, by the name that aborted work has everywhere. */
export const interrupted = (): Error => Object.assign(new Error("interrupted"), { name: "AbortError" });

/** One line for stderr, however many the message has, and no stack. */
export function oneLine(error: unknown): string {
  if (error instanceof Error && error.name === "AbortError") return "interrupted";
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message
    .split(/\s*\n\s*/)
    .filter(Boolean)
    .join("; ");
}

/** Says on stderr, in one line, what went wrong. A progress bar may stand in the line. */
export function complain(error: unknown): void {
  process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[2K" : ""}lowbit: ${oneLine(error)}\n`);
}

/** 1 = refused by a gate, 2 = bad usage or bad input, 130 = interrupted (128 + SIGINT, as shells have it). */
export function exitCode(error: unknown): 1 | 2 | 130 {
  if (error instanceof RefusedError) return 1;
  return error instanceof Error && error.name === "AbortError" ? 130 : 2;
}
