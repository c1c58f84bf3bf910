/**
 * One thread: an instance of the module over the memory of `threads.ts`, which computes chunks until it is told to stop. Plain JavaScript, because
 * Node 20 and every bundler load this file as it is, from `src/` and from `dist/` alike.
 */

// The block of int32 that threads.ts and this file share: see there.
const [LEFT, UNFINISHED, TRAPPED, TEXT] = [0, 16, 32, 33];

/** Milliseconds that a thread looks for work before it sleeps: waking it takes tens of microseconds, the steps of a network follow each other faster. */
const SPIN_MS = 0.1;

/** @type {() => void} */
const pause = Atomics.pause ?? (() => {});

function start({ module, memory, words, stack, thread }, port) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
    imports[from] = { ...imports[from], [name]: kind === "memory" ? memory : () => undefined };
  const { exports } = new WebAssembly.Instance(module, imports);
  // The module's own stack is the first thread's.
  exports.stack_pointer.value = stack;
  port.postMessage("ready");
  work(exports.parallel_run, words, thread);
}

function work(run, words, thread) {
  let idleSince = performance.now();
  for (let turn = 1; ; turn++) {
    const left = Atomics.load(words, LEFT);
    if (left < 0) return;
    if (left > 0) {
      if (Atomics.compareExchange(words, LEFT, left, left - 1) !== left) continue;
      try {
        run(thread, left - 1);
      } catch (error) {
        report(words, error);
      }
      if (Atomics.sub(words, UNFINISHED, 1) === 1) Atomics.notify(words, UNFINISHED);
      idleSince = performance.now();
    } else if (turn % 64 !== 0 || performance.now() - idleSince < SPIN_MS) {
      pause();
    } else {
      Atomics.wait(words, LEFT, 0);
      idleSince = performance.now();
    }
  }
}

/** Leaves what was thrown where the first thread, which does not look at its messages now, finds it. */
function report(words, error) {
  const text = String(error);
  for (let i = 0; i < text.length && TEXT + i < words.length; i++) words[TEXT + i] = text.charCodeAt(i);
  Atomics.store(words, TRAPPED, 1);
}

if (typeof self === "object" && typeof self.postMessage === "function")
  self.onmessage = ({ data }) => {
    self.onmessage = null;
    start(data, self);
    self.close();
  };
else {
  // A name in a variable keeps bundlers for browsers from looking for the module.
  const name = "node:worker_threads";
  // No `await`: vite makes a classic script of a worker.
  import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(({ parentPort }) =>
    parentPort.once("message", (data) => start(data, parentPort)),
  );
}
