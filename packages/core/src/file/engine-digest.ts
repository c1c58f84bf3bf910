/** SHA-256 as 64 hexadecimal digits; of a string, of its UTF-8 bytes. */
export async function engineSha256Hex(data: Uint8Array<ArrayBuffer> | string): Promise<string> {
  // The engine's own is many times as fast, and nothing to download. Pages that came by plain http have none.
  const engine = globalThis.crypto?.subtle;
  if (!engine) return (await import("./digest.ts")).sha256Hex(data);
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await engine.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
