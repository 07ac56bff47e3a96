/** What the page is showing, in one place: views read it, and are called in the next frame after it changed. */

/**
 * @template {object} State
 * @param {State} state
 */
export function createStore(state) {
  /** @type {Set<{keys: string[] | null, call: () => void}>} */
  const listeners = new Set();
  /** @type {Set<string>} */
  const changed = new Set();
  let scheduled = false;
  let frame = 0;

  function flush() {
    scheduled = false;
    frame = performance.now();
    const keys = [...changed];
    changed.clear();
    for (const listener of [...listeners]) {
      if (!listener.keys || listener.keys.some((key) => keys.includes(key))) listener.call();
    }
  }

  return {
    state,
    /** When the frame began in which listeners were called last. */
    frameBegan: () => frame,
    /** @param {Partial<State>} patch */
    set(patch) {
      for (const [key, value] of Object.entries(patch)) {
        const current = /** @type {Record<string, unknown>} */ (state);
        if (current[key] === value) continue;
        current[key] = value;
        changed.add(key);
      }
      if (!scheduled && changed.size) {
        scheduled = true;
        if (document.hidden) setTimeout(flush);
        else requestAnimationFrame(flush);
      }
    },
    /**
     * @param {(keyof State & string)[] | null} keys null: any
     * @param {() => void} call @returns {() => void} to stop listening
     */
    listen(keys, call) {
      const listener = { keys, call };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
