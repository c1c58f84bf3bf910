const worker = new Worker("/app/worker.js", { type: "module" });
worker.onmessage = ({ data }) => {
  document.title = JSON.stringify({ ...data, pageIsolated: crossOriginIsolated });
};
worker.onerror = (event) => {
  document.title = JSON.stringify({ error: event.message ?? "the worker did not start" });
};
