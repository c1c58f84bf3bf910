import { gunzipSync } from "fflate";

/** Regular files of a .tar.gz by path. */
export function untar(archive: Uint8Array): Map<string, Uint8Array> {
  const bytes = gunzipSync(archive);
  const text = (at: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(at, at + length)).replace(/\0.*$/s, "");
  const files = new Map<string, Uint8Array>();
  // A name of more than 100 characters stands in a record before its file, as GNU's `L` or in the `path` of a pax header.
  let long: string | undefined;
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const kind = text(at + 156, 1);
    if (kind === "L") long = text(at + 512, size);
    else if (kind === "x") long = /\d+ path=(.*)\n/.exec(text(at + 512, size))?.[1];
    else {
      const name = long ?? (prefix ? `${prefix}/` : "") + text(at, 100);
      if (kind === "0") files.set(name, bytes.subarray(at + 512, at + 512 + size));
      long = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
