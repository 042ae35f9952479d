// The dialogs of an incident's commands. A form stays open until the server took it: a refusal stands in it with the server's own words, and
// what was typed is never lost.
import { h } from "./dom.js";
import { field, text } from "./hazard_fields.js";
import { openForm } from "./hazard_forms.js";
import { call } from "./net.js";
import { isNeverSuppressed } from "./severity.js";
import { refusalBlock } from "./refusals.js";
import { t } from "./words.js";

const MINUTES = [15, 30, 60, 120, 480];

/** Whether methane over its limit forbids `command`, as the server will say: nobody shelves it, nobody closes it while it stands. */
export const isForbidden = (command, incident) => incident.kinds.some(isNeverSuppressed)
  && (command === "shelve" || (command === "close" && incident.state !== "cleared"));

export const commandIncident = async (incident, command, fields = {}) =>
  (await call("POST", `/incidents/${encodeURIComponent(incident.id)}/commands`, { command, ...fields })).body;

/** Ask for what `command` needs and give it; resolves with the incident afterwards, or null. `refresh()`: somebody else was first, show what is. */
export function askCommand(command, incident, me, refresh) {
  const { fields, note } = FORMS[command](incident, me);
  return openForm(t(`do.${command}`), fields, { about: note ? h("p", { class: "muted" }, note) : null,
    send: (given) => commandIncident(incident, command, command === "assign" ? { to: given.to ?? null } : given),
    answerTo: async (failure, form) => {
      if (failure.status !== 409) return false;
      await refresh();
      form.show(refusalBlock(failure.problem, t("error.not_in_state")));
      return true;
    } });
}

const reason = (label) => text("reason", label, { rows: 2, needed: true, longest: 1000 });

const FORMS = {
  assign(incident, me) {
    const to = text("to", t("do.assign_to"), { value: incident.assigned_to ?? "", longest: 64 });
    const choose = (value) => () => { to.input.value = value; to.input.form.requestSubmit(); };
    to.input.setAttribute("spellcheck", "false");
    const quick = { name: "", element: h("div", { class: "choices" }, h("button", { type: "button", onclick: choose(me.id) }, t("do.assign_me")),
      incident.assigned_to ? h("button", { type: "button", onclick: choose("") }, t("do.assign_nobody")) : null), read: () => "", check: () => true };
    return { fields: [to, quick] };
  },
  comment() {
    const said = text("text", t("do.comment_text"), { rows: 4, needed: true });
    said.input.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) said.input.form.requestSubmit(); });
    return { fields: [said] };
  },
  shelve() {
    let minutes = 30;
    const buttons = MINUTES.map((n) => h("button", { type: "button", "aria-pressed": String(n === minutes), onclick: () => {
      minutes = n;
      buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(MINUTES[i] === n)));
    } }, n < 60 ? t("do.minutes", { n }) : t("do.hours", { n: n / 60 })));
    const why = reason(t("do.shelve_reason"));
    return { fields: [{ ...field("minutes", t("do.shelve_minutes"), h("div", { class: "choices" }, buttons), () => minutes), focus: why.focus }, why], note: t("do.shelve_note") };
  },
  close: () => ({ fields: [reason(t("do.close_reason"))], note: t("do.close_note") }),
};
