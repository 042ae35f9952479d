// A modal, a small form in it, one's own password, the help.
import { h } from "./dom.js";
import { t } from "./words.js";

/** Open a modal with `content(done)`; resolves with what `done` is called with, or null when it is closed. */
export function ask(title, content) {
  return new Promise((resolve) => {
    let answer = null;
    const dialog = h("dialog", { "aria-label": title });
    const done = (value) => { answer = value; dialog.close(); };
    dialog.append(h("h2", {}, title), content(done));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A form of `fields` with cancel and submit; `read` gives what `done` is called with. */
export function form(done, read, ...fields) {
  return h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); done(read()); } }, fields,
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => done(null) }, t("do.cancel")), h("button", { class: "primary", type: "submit" }, t("do.save"))));
}

/** The old and the new password, or null. */
export function askPassword() {
  return ask(t("account.password"), (done) => {
    const field = (name, autocomplete, minlength) => h("input", { type: "password", name, autocomplete, minlength, maxlength: 256, required: true, autofocus: name === "old" });
    const [old, fresh, again] = [field("old", "current-password", 1), field("new", "new-password", 10), field("again", "new-password", 10)];
    again.addEventListener("input", () => again.setCustomValidity(again.value === fresh.value ? "" : t("account.differ")));
    return form(done, () => (fresh.value === again.value ? { old: old.value, new: fresh.value } : null),
      h("label", {}, t("account.old"), old), h("label", {}, t("account.new"), fresh), h("label", {}, t("account.again"), again), h("p", { class: "muted" }, t("account.note")));
  });
}

const OF_HAZARDS = [["j / k", "move"], ["a", "next_step"], ["o", "more_steps"], ["c", "comment"], ["n", "hazard"], ["g", "page"], ["Esc", "escape"], ["?", "help"]];

const OF_RULES = [["j / k", "move"], ["e", "rule"], ["w", "rule_withdraw"], ["n", "rule_new"], ["/", "search"], ["g", "page"], ["Esc", "escape"], ["?", "help"]];

const OF_CAMERAS = [["j / k", "move"], ["n", "normal"], ["x", "abnormal"], ["␣", "pause"], ["g", "page"], ["Esc", "escape"], ["?", "help"]];

/** The keys of the page "incidents", "hazards", "rules" or "cameras". */
export function showHelp(me, page) {
  const forOthers = (command) => (me.commands.includes(command) ? null : t("help.not_yours", { role: t(`role.${me.role}`) }));
  const keys = page === "hazards" ? OF_HAZARDS : page === "rules" ? OF_RULES : page === "cameras" ? OF_CAMERAS : [["j / k", "move"], ["a", "acknowledge", forOthers("acknowledge")], ["s", "shelve", forOthers("shelve")], ["h", "hazard", me.hazard_commands.includes("propose") ? null : t("help.not_yours", { role: t(`role.${me.role}`) })], ["g", "page"],
    ["f", "false", t("help.not_yet")], ["/", "search"], ["Home", "home"], ["Esc", "escape"], ["?", "help"]];
  return ask(t("help.title"), (done) => h("div", {}, h("dl", { class: "keys" }, keys.map(([key, name, note]) => [h("dt", {}, h("kbd", {}, key)),
    h("dd", { class: note ? "muted" : null }, t(`help.${name}`), note ? ` · ${note}` : null)])),
    h("div", { class: "buttons" }, h("button", { class: "primary", autofocus: true, onclick: () => done(null) }, t("help.close")))));
}
