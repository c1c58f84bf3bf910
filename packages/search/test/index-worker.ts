/** A worker that holds indexes, as an application has it. */
import { serveIndexes } from "../src/worker.ts";

serveIndexes();
