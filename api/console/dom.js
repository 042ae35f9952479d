// Elements without templates: text is always set as text, so nothing that a device says can become markup.

/** An element: `h("p", {class: "x", onclick: f, "aria-label": "…"}, "text", child)`. Null children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Replace what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Whether the person is typing somewhere. */
export function isTyping() {
  const active = document.activeElement;
  return active !== null && (active.matches("textarea, select") || active.matches("input:not([type=checkbox])"));
}

/** A designed state in place of content: a strong line, a note, a button. */
export function stateBox(title, note, button = null) {
  return h("div", { class: "state" }, h("strong", {}, title), note ? h("p", {}, note) : null, button);
}

/** The id `step` places from `chosen` in `ids`, the first where that is not among them. */
export function stepFrom(ids, chosen, step) {
  const at = ids.indexOf(chosen);
  return ids[at < 0 ? 0 : Math.min(Math.max(at + step, 0), ids.length - 1)];
}
