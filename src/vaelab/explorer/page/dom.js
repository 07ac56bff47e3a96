/** Elements, written as one expression. */

/**
 * @param {string} tag `name.class.class`
 * @param {Record<string, any>} [properties] `on...` are listeners, names with a dash are attributes, the rest properties
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role" || key === "for") made.setAttribute(key, String(value));
    else /** @type {any} */ (made)[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return made;
}

/** @param {any} child */
const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/**
 * A button that says what it does, to the eye, to the pointer that rests on it, and to a screen reader.
 * @param {string} label @param {string} tip @param {() => void} press @param {Record<string, any>} [properties]
 * @returns {HTMLButtonElement}
 */
export function button(label, tip, press, properties = {}) {
  return element("button.vx-button", { type: "button", title: tip, "aria-label": tip, onclick: press, ...properties }, label);
}

/**
 * @param {string} tip @param {[string, string][]} options value and text @param {string} value
 * @param {(value: string) => void} choose @returns {HTMLSelectElement}
 */
export function select(tip, options, value, choose) {
  const made = element(
    "select.vx-select",
    { title: tip, "aria-label": tip, onchange: () => choose(made.value) },
    ...options.map(([name, text]) => element("option", { value: name, selected: name === value }, text)),
  );
  return made;
}

/** Write a text that changes with the pointer: only where it differs, into the text node that is there. @param {Node} node @param {string} text */
export function write(node, text) {
  const only = node.firstChild;
  if (!(only instanceof Text) || only.nextSibling) node.textContent = text;
  else if (only.data !== text) only.data = text;
}

/** From so large on, a number is written as a power of ten. */
const LARGE = 1e6;

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) < LARGE) return value.toFixed(digits).replace("-", "−");
  const [factor, power] = value.toExponential(1).replace("-", "−").split("e");
  const raised = [...power.replace("+", "")].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])).join("");
  return `${factor} × 10${raised}`;
}
