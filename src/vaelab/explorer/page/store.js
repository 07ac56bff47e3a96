/**
 * What the page is showing, in one place: views read it, and are called in the next frame after it changed.
 *
 * Each fact stands here once. What follows from others is derived: read like any fact, computed anew only where one of those that
 * it is derived from is another, and listened to like one.
 */

/** @typedef {{of: string[], value: () => unknown}} Derived */

/**
 * @template {object} State
 * @param {State} state @param {Record<string, Derived>} [derived] in their order: each of facts and of those before it
 * @param {(error: Error) => void} [fail] told what a listener throws; the others are called all the same
 */
export function createStore(state, derived = {}, fail = (error) => reportError(error)) {
  /** @type {Set<{keys: string[] | null, call: () => void}>} */
  const listeners = new Set();
  /** @type {Set<string>} */
  const changed = new Set();
  const facts = /** @type {Record<string, unknown>} */ (state);
  let scheduled = false;
  let frame = 0;

  for (const [name, { of, value }] of Object.entries(derived)) {
    /** @type {unknown[] | null} */
    let inputs = null;
    /** @type {unknown} */
    let found;
    Object.defineProperty(facts, name, {
      enumerable: true,
      get() {
        const now = of.map((key) => facts[key]);
        if (!inputs || now.some((input, place) => input !== /** @type {unknown[]} */ (inputs)[place])) {
          inputs = now;
          found = value();
        }
        return found;
      },
    });
  }

  function flush() {
    scheduled = false;
    frame = performance.now();
    const keys = new Set(changed);
    changed.clear();
    for (const [name, { of }] of Object.entries(derived)) if (of.some((key) => keys.has(key))) keys.add(name);
    for (const listener of [...listeners]) {
      if (listener.keys && !listener.keys.some((key) => keys.has(key))) continue;
      try {
        listener.call();
      } catch (error) {
        fail(/** @type {Error} */ (error));
      }
    }
  }

  return {
    state,
    /** When the frame began in which listeners were called last. */
    frameBegan: () => frame,
    /** @param {Partial<State>} patch of facts; what is derived cannot be set */
    set(patch) {
      for (const [key, value] of Object.entries(patch)) {
        if (key in derived) throw new Error(`'${key}' follows from ${derived[key].of.join(", ")}: set these`);
        if (facts[key] === value) continue;
        facts[key] = value;
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

/**
 * A value that is kept for as long as what it follows from is the same.
 * @template Value @returns {(inputs: unknown[], make: () => Value) => Value}
 */
export function remembered() {
  /** @type {unknown[] | null} */
  let known = null;
  /** @type {Value} */
  let value;
  return (inputs, make) => {
    if (!known || inputs.some((input, place) => input !== /** @type {unknown[]} */ (known)[place])) {
      value = make();
      known = inputs;
    }
    return value;
  };
}
