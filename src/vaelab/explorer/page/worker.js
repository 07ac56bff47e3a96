/** The worker's side: one answer for each request, in order. */

import { createTasks } from "./tasks.js";

const handle = createTasks();

self.onmessage = ({ data: request }) => {
  try {
    self.postMessage({ id: request.id, answer: handle(request) });
  } catch (error) {
    self.postMessage({ id: request.id, error: String(/** @type {Error} */ (error).message ?? error) });
  }
};
