/** Newest wins: of many requests made while one is under way, only the last is sent. */

/**
 * @template Request, Answer
 * @param {(request: Request) => Promise<Answer>} ask
 * @param {(answer: Answer, request: Request) => void} receive
 * @param {(error: Error) => void} [fail]
 * @returns {(request: Request) => void}
 */
export function newestWins(ask, receive, fail = () => {}) {
  /** @type {{request: Request} | null} */
  let waiting = null;
  let busy = false;
  /** @param {Request} request */
  async function send(request) {
    busy = true;
    try {
      const answer = await ask(request);
      receive(answer, request);
    } catch (error) {
      fail(/** @type {Error} */ (error));
    }
    busy = false;
    if (waiting) {
      const next = waiting.request;
      waiting = null;
      void send(next);
    }
  }
  return (request) => {
    if (busy) waiting = { request };
    else void send(request);
  };
}
