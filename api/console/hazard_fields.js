// Fields of forms: each knows its name, reads its value, checks it, and says at its own place what is wrong.
import { h } from "./dom.js";
import { now, ofWallClock, wallClock } from "./time.js";
import { t } from "./words.js";

let last = 0;

/** A field from its `input`: {name, element, input, read(), check(), wrong(text, pointer)}. `read` gives "" for nothing. */
export function field(name, label, input, read, { needed = false, check = null, hint = null } = {}) {
  const id = `field-${++last}`;
  const error = h("span", { class: "wrong-here", id, hidden: true });
  const target = input.matches("input, select, textarea") ? input : null;
  const element = target ? h("label", { class: "field" }, h("span", {}, label, needed ? h("em", { class: "needed" }, t("ask.needed")) : null), input, error, hint ? h("small", {}, hint) : null)
    : h("div", { class: "field", role: "group", "aria-label": label }, h("span", {}, label, needed ? h("em", { class: "needed" }, t("ask.needed")) : null), input, error, hint ? h("small", {}, hint) : null);
  const wrong = (text) => {
    error.textContent = text ?? "";
    error.hidden = !text;
    if (!target) return;
    if (text) { target.setAttribute("aria-invalid", "true"); target.setAttribute("aria-describedby", id); } else { target.removeAttribute("aria-invalid"); target.removeAttribute("aria-describedby"); }
  };
  const made = { name, label, element, input, read, wrong, needed, focus: () => (target ?? input.querySelector("input, select, textarea, button"))?.focus() };
  made.check = () => {
    const value = read();
    const missing = made.needed && (value === "" || value.length === 0);
    const text = element.hidden ? null : missing ? t("wrong.needed") : check?.(value) ?? null;
    wrong(text);
    return text === null;
  };
  input.addEventListener("input", () => wrong(null));
  return made;
}

export function text(name, label, { rows = 0, longest = rows ? 4000 : 200, value = "", ...more } = {}) {
  const input = rows ? h("textarea", { name, rows, maxlength: longest, value }) : h("input", { name, maxlength: longest, autocomplete: "off", value });
  return field(name, label, input, () => input.value.trim(), more);
}

/** `options`: [value, word]. */
export function choice(name, label, options, { value = null, ...more } = {}) {
  const input = h("select", { name }, options.map(([key, word]) => h("option", { value: key }, word)));
  if (value !== null) input.value = value;
  return field(name, label, input, () => input.value, more);
}

export function number(name, label, { least, most, ...more }) {
  const input = h("input", { name, type: "number", min: least, max: most, step: 1, inputmode: "numeric" });
  const check = (value) => (value === "" || (Number.isInteger(value) && value >= least && value <= most) ? null : t("wrong.number", { least, most }));
  return field(name, label, input, () => (input.value === "" ? "" : Number(input.value)), { check, ...more });
}

/** A number that need not be whole. */
export function decimal(name, label, { value = "", least = null, ...more } = {}) {
  const input = h("input", { name, type: "number", step: "any", inputmode: "decimal", value: value ?? "" });
  const check = (given) => (given !== "" && least !== null && given < least ? t("wrong.least", { least }) : null);
  return field(name, label, input, () => (input.value === "" ? "" : Number(input.value)), { check, ...more });
}

/** A line between fields that says what comes next; it reads nothing. */
export const heading = (text) => ({ name: "", element: h("h3", {}, text), input: h("span"), read: () => "", check: () => true, wrong: () => {}, focus: () => {} });

/** Any number of blocks of fields, each {key: field}, made by `make(value)`; reads a list of what the fields say. `at(step, values)`: which block a step of a pointer means. */
export function blocks(name, label, { given = [], make, word, at = Number, ...more }) {
  const list = h("div", { class: "several-blocks" });
  const made = [];
  const add = (value) => {
    const parts = make(value);
    const block = h("fieldset", {}, h("legend", {}, label), Object.values(parts).map((part) => part.element),
      h("button", { type: "button", class: "plain", onclick: () => { made.splice(made.indexOf(parts), 1); block.remove(); list.dispatchEvent(new Event("input", { bubbles: true })); } }, t("rules.remove")));
    made.push(parts);
    list.append(block);
    return parts;
  };
  given.forEach(add);
  const read = () => made.map((parts) => Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, part.read()])));
  const whole = field(name, label, h("div", {}, list, h("button", { type: "button", onclick: () => Object.values(add(null))[0].focus() }, word)), read, more);
  const own = whole.wrong;
  whole.check = () => {
    own(null);
    return made.map((parts) => Object.values(parts).map((part) => part.check()).every(Boolean)).every(Boolean);
  };
  whole.wrong = (message, pointer = []) => {
    const part = made[at(pointer[0], read())]?.[pointer[1]];
    if (part) { part.wrong(message); part.focus(); } else own(message);
  };
  return whole;
}

/** A moment by the site's wall clock. `past`: it can't lie ahead. */
export function time(name, label, { value = "", past = false, ...more } = {}) {
  const input = h("input", { name, type: "datetime-local", value });
  const check = (moment) => (past && moment && Date.parse(moment) > now() + 300_000 ? t("wrong.future") : null);
  return field(name, label, input, () => (input.value ? ofWallClock(input.value) : ""), { check, ...more });
}

/** One of a few answers, side by side; `options`: [value, word], the value of any kind. */
export function answer(name, label, options, more = {}) {
  const inputs = options.map(([, word], n) => h("label", {}, h("input", { type: "radio", name, value: String(n) }), word));
  const input = h("div", { class: "answers" }, inputs);
  const read = () => { const at = inputs.findIndex((each) => each.firstChild.checked); return at < 0 ? "" : options[at][0]; };
  return field(name, label, input, read, more);
}

/** Any of several; reads a list. */
export function several(name, label, options, { checked = [], ...more } = {}) {
  const boxes = options.map(([key, word]) => h("label", {}, h("input", { type: "checkbox", name, value: key, checked: checked.includes(key) }), word));
  const input = h("div", { class: "answers" }, boxes);
  return field(name, label, input, () => boxes.map((each) => each.firstChild).filter((box) => box.checked).map((box) => box.value), more);
}

/** Names, one a line or with commas between; reads a list. */
export function names(name, label, { value = "", rows = 2, ...more } = {}) {
  const input = h("textarea", { name, rows, maxlength: 2000, value });
  return field(name, label, input, () => input.value.split(/[\n,，、;；]/).map((each) => each.trim()).filter(Boolean), more);
}

export function password(name, label, more = {}) {
  const input = h("input", { name, type: "password", autocomplete: "current-password", maxlength: 256 });
  return field(name, label, input, () => input.value, { needed: true, ...more });
}

/** Any number of photos or documents with time and place; reads a list, with the chosen `file` still to be sent. */
export function papers(name, label, stages) {
  const list = h("div", { class: "papers" });
  const given = [];
  const add = () => {
    const file = h("input", { type: "file", name: "file", accept: "image/jpeg,image/png,image/webp,application/pdf" });
    const parts = { stage: choice("stage", t("hazard.ask.stage"), stages.map((s) => [s, t(`hazard.stage.${s}`)])), place: text("place", t("hazard.ask.place"), { needed: true }),
      taken_at: time("taken_at", t("hazard.ask.taken_at"), { value: wallClock(now()), past: true, needed: true }), document: text("document", t("hazard.ask.document"), { check: (value) => (value || file.files[0] ? null : t("wrong.document")) }), note: text("note", t("hazard.ask.note"), { longest: 1000 }) };
    const block = h("fieldset", {}, h("legend", {}, t("hazard.ask.paper")), h("label", { class: "field" }, h("span", {}, t("hazard.ask.file")), file), h("div", { class: "two" }, parts.place.element, parts.taken_at.element), h("div", { class: "two" }, parts.stage.element, parts.document.element), parts.note.element,
      h("button", { type: "button", class: "plain", onclick: () => { given.splice(given.indexOf(paper), 1); block.remove(); } }, t("hazard.ask.remove_paper")));
    file.addEventListener("change", () => { paper.sha256 = null; parts.document.wrong(null); });
    const paper = { parts, file, sha256: null };
    given.push(paper);
    list.append(block);
    file.focus();
    made.wrong(null);
  };
  const made = field(name, label, h("div", {}, list, h("button", { type: "button", onclick: add }, t("hazard.ask.add_paper"))), () => given.map((paper) => ({ ...Object.fromEntries(Object.entries(paper.parts).map(([key, part]) => [key, part.read()])), paper })));
  const own = made.wrong;
  made.check = () => {
    own(null);
    return given.map((paper) => Object.values(paper.parts).map((part) => part.check()).every(Boolean)).every(Boolean);
  };
  made.wrong = (message, pointer = []) => {
    const part = given[pointer[0]]?.parts[pointer[1] === "sha256" ? "document" : pointer[1]];
    if (part) { part.wrong(message); part.focus(); } else own(message);
  };
  return made;
}
