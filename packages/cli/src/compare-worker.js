// A thread of `lowbit compare`: a file of its own, which does what the bundle says.
import { compareThread } from "./index.js";

await compareThread();
