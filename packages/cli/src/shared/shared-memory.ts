/** Memory that threads read without a copy for each. */

/** The same elements in shared memory. */
export function shared<T extends ArrayBufferView>(view: T): T {
  const memory = new Uint8Array(new SharedArrayBuffer(view.byteLength));
  memory.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  // A Buffer cannot be made over shared memory by its constructor; everything else keeps its kind.
  if (view instanceof Uint8Array) return memory as ArrayBufferView as T;
  return new (view.constructor as new (buffer: ArrayBufferLike) => T)(memory.buffer);
}
