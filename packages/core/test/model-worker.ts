import { serveModels } from "../src/worker.ts";

serveModels();
