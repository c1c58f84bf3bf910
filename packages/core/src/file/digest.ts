import { sha256 } from "@noble/hashes/sha2.js";

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** SHA-256 as 64 hexadecimal digits; of a string, of its UTF-8 bytes. */
export function sha256Hex(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return Array.from(sha256(bytes), (byte) => hex[byte]).join("");
}
