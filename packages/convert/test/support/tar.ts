import { gunzipSync } from "fflate";

/** Regular files of a .tar.gz by path. */
export function untar(archive: Uint8Array): Map<string, Uint8Array> {
  const bytes = gunzipSync(archive);
  const text = (at: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(at, at + length)).replace(/\0.*$/s, "");
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    if (text(at + 156, 1) === "0")
      files.set((prefix ? `${prefix}/` : "") + text(at, 100), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
