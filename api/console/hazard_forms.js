// The dialogs of the ledger. A form stays open until the server took it: what is wrong stands at its field, a refusal with its rule and
// evidence, a conflict with what others did; what was typed is never lost.
import { ask } from "./dialogs.js";
import { h } from "./dom.js";
import { FORMS, GATED } from "./hazard_commands.js";
import { choice, password, text } from "./hazard_fields.js";
import { GROUPS, may } from "./hazard_next.js";
import { inWords } from "./hazard_record.js";
import { rulingLine } from "./hazard_words.js";
import { call, upload } from "./net.js";
import { loadPack } from "./pack.js";
import { refusalBlock, wrongWord } from "./refusals.js";
import { said, t } from "./words.js";

export const CONFLICT = "urn:bihuan:problem:conflict";

/** A form that stays open until `send(values)` came to an answer, which it resolves with; null when it was left.
    `wide`: true, or classes; `place(pointer)`: where a pointer of the server is among the fields; `word(found, problem)`: what is wrong there;
    `live(values)`: called when somebody has stopped typing. */
export function openForm(title, fields, { about = null, rules = [], wide = false, label = t("do.save"), send, answerTo, place = (pointer) => pointer, word = wrongWord, live = null }) {
  return ask(title, (done) => {
    const said_ = h("div", { class: "said", "aria-live": "assertive" });
    const submit = h("button", { class: "primary", type: "submit" }, label);
    const state = { fields, show: (...content) => { said_.replaceChildren(...content.filter(Boolean)); said_.scrollIntoView({ block: "nearest" }); }, label: (word) => { submit.textContent = word; }, add: (field) => { fields.push(field); said_.before(field.element); field.focus(); } };
    const onsubmit = async (event) => {
      event.preventDefault();
      if (submit.disabled) return;
      const wrong = fields.filter((field) => !field.element.hidden && !field.check());
      if (wrong.length) return (wrong[0].input.querySelector?.("[aria-invalid]") ?? wrong[0]).focus();
      submit.disabled = true;
      said_.replaceChildren();
      try {
        done(await send(values(fields)));
      } catch (failure) {
        if (failure.status !== 401) await explain(failure, state, answerTo, place, word);
      } finally { submit.disabled = false; }
    };
    let [waiting, written] = [null, false];
    const oncancel = (event) => { // Esc: what was written is not lost by one key
      if (!written) return;
      event.preventDefault();
      written = false;
      state.show(h("p", { class: "refusal", role: "alert" }, t("do.leave")));
    };
    const oninput = () => { written = true; later?.(); };
    const later = live && (() => { clearTimeout(waiting); waiting = setTimeout(() => live(values(fields)), 400); });
    queueMicrotask(() => { submit.closest("dialog").addEventListener("cancel", oncancel); fields.find((field) => !field.element.hidden)?.focus(); live?.(values(fields)); });
    return h("form", { method: "dialog", class: wide === true ? "wide" : wide || null, novalidate: true, onsubmit, oninput }, about ? h("div", { class: "about" }, about) : null, fields.map((field) => field.element), said_,
      rules.length ? h("div", { class: "rules" }, h("span", { class: "muted" }, t("hazard.by_rule")), rules.map(rulingLine)) : null,
      h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => done(null) }, t("do.cancel")), submit));
  });
}

const values = (fields) => Object.fromEntries(fields.filter((field) => !field.element.hidden).map((field) => [field.name, field.read()]).filter(([, value]) => value !== ""));

/** What went wrong, where it belongs: at the field, or above the buttons. */
async function explain(failure, form, answerTo, place, word) {
  const problem = failure.problem ?? {};
  if (failure.at && pointAt(form.fields, failure.at, t(failure.words[failure.status] ?? "error.unavailable"))) return;
  if (failure.status === 422) {
    const errors = problem.errors ?? [{ pointer: problem.pointer, detail: problem.detail }];
    const left = errors.filter((found) => !pointAt(form.fields, place(found.pointer ?? ""), word(found, problem)));
    if (left.length) form.show(h("p", { class: "refusal", role: "alert" }, word(left[0], problem)));
    else if (problem.ruling) form.show(h("p", { class: "refusal" }, rulingLine(problem.ruling)));
    return;
  }
  const more = await answerTo?.(failure, form);
  if (more) return;
  if (problem.pointer) pointAt(form.fields, problem.pointer, wrongWord(problem, problem));
  if ([403, 409].includes(failure.status)) form.show(refusalBlock(problem, t(problem.rule || failure.status === 403 ? "hazard.refused" : "error.conflict")));
  else form.show(h("p", { class: "refusal", role: "alert" }, t({ 0: "error.network", 404: "ledger.not_found", 413: "wrong.too_large", 429: "login.throttled" }[failure.status] ?? "error.unavailable")));
}

function pointAt(fields, pointer, message) {
  const [name, ...rest] = pointer.split("/").slice(1);
  const found = fields.find((field) => (field.sentAs ?? field.name) === name && !field.element.hidden);
  if (!found) return false;
  found.wrong(message, rest);
  if (!rest.length) found.focus();
  return true;
}

/** Give command `name` on `hazard`; resolves with the hazard afterwards, or null. `refresh()`: the hazard as it is now. */
export async function giveCommand(name, hazard, me, refresh) {
  const [row, allowance, pack] = [FORMS[name], hazard.commands.find((c) => c.command === name), await loadPack().catch(() => null)];
  const fields = [...await row.fields(hazard, me)];
  for (const field of fields) field.sentAs = row.rename?.[field.name] ?? field.name;
  if (name === "sign_extension" && !allowance.allowed) fields.push(passwordField());
  const rules = [allowance.rule, ...(row.rules ?? [])].map((id) => pack?.rules.find((rule) => rule.rule === id)).filter(Boolean);
  let { version } = hazard;
  const send = async (given) => {
    const body = { command: name, version };
    if (given.password) await confirmPassword(given.password);
    for (const [key, value] of Object.entries(given)) if (key !== "password") body[row.rename?.[key] ?? key] = row.number?.includes(key) ? Number(value) : value;
    if (body.evidence) body.evidence = await sent(hazard.id, body.evidence);
    return (await call("POST", `/hazards/${encodeURIComponent(hazard.id)}/commands`, body)).body;
  };
  const answerTo = async (failure, form) => {
    const { problem } = failure;
    if (name === "sign_extension" && problem?.rule === "signature" && !form.fields.some((field) => field.name === "password")) { form.show(refusalBlock(problem, "")); form.add(passwordField()); return true; }
    if (failure.status !== 409) return false;
    version = (await refresh())?.version ?? version;
    if (problem.type === CONFLICT) {
      const others = inWords(problem.changes ?? []);
      form.show(h("div", { class: "refusal conflict", role: "alert" }, h("p", { class: "verdict" }, t("hazard.conflict")), others ? h("p", {}, others) : null, h("p", { class: "muted" }, t("hazard.conflict_note"))));
      form.label(t("hazard.again"));
      return true;
    }
    if (!problem.gate || !GATED.includes(name) || !hazard.choices.may_override) return false;
    form.show(refusalBlock(problem, ""));
    if (!form.fields.some((field) => field.name === "override_reason")) {
      form.add(text("override_reason", t("hazard.ask.override_reason"), { rows: 2, longest: 1000, needed: true, hint: t("hazard.ask.override_note") }));
      form.label(t("hazard.override"));
    }
    return true;
  };
  return openForm(said(allowance.name), fields, { about: row.about?.(hazard), rules, wide: row.wide, send, answerTo });
}

const passwordField = () => password("password", t("hazard.ask.password"), { hint: t("hazard.ask.password_note") });

/** `work`, whose failure stands at the field `at`, in the words for its status. */
async function standingAt(at, words, work) {
  try {
    return await work();
  } catch (failure) {
    throw Object.assign(failure, { at, words: { 0: "error.network", ...words } });
  }
}

/** Prove again who one is. */
const confirmPassword = (value) => standingAt("/password", { 403: "account.wrong", 429: "login.throttled" }, () => call("POST", "/session/confirm", { password: value }));

/** The pieces of evidence with their files sent, each once. */
async function sent(id, papers) {
  const found = [];
  for (const { paper, ...rest } of papers) {
    const file = paper.file.files[0];
    const send = () => upload(`/hazards/${encodeURIComponent(id)}/evidence`, file);
    if (file && !paper.sha256) paper.sha256 = (await standingAt(`/evidence/${found.length}/document`, { 413: "wrong.too_large", 422: "wrong.file" }, send)).sha256;
    found.push({ ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== "")), ...(paper.sha256 ? { sha256: paper.sha256 } : {}) });
  }
  return found;
}

/** Every command that is open to `me`, by concept; resolves with the chosen name or null. */
export function chooseCommand(hazard, me) {
  return ask(t("hazard.more_title"), (done) => {
    const groups = Object.entries(GROUPS).map(([group, names]) => [group, names.filter((name) => may(hazard, name, me))]).filter(([, found]) => found.length);
    const button = (name) => h("button", { type: "button", "data-command": name, onclick: () => done(name) }, said(hazard.commands.find((c) => c.command === name).name));
    return h("div", { class: "command-groups" }, groups.map(([group, found]) => h("section", {}, h("h3", {}, t(`hazard.group.${group}`)), h("div", { class: "choices" }, found.map(button)))),
      h("p", { class: "muted" }, t("hazard.more_note")), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => done(null) }, t("help.close"))));
  });
}

const ORIGINS = { enterprise: ["self_inspection", "check_item"], others: ["inspection", "check_item", "whistle_blow", "hotline", "check_up", "other_system"] };

/** Put a hazard down: from `incident` most of it is known, by hand zone and kind are chosen. Resolves with {body, status} or null. */
export async function proposeHazard(me, incident = null) {
  const [pack, zones] = await Promise.all([loadPack(), incident ? [] : allZones()]);
  const grades = pack.grades.map((g) => [g.grade, said(g.name)]);
  const grade = (more) => choice("grade", t("hazard.ask.proposed_grade"), [...more, ...grades]);
  const description = text("description", t("hazard.ask.description"), { rows: 3 });
  const origins = (me.enterprise ? ORIGINS.enterprise : ORIGINS.others).map((name) => [name, t(`hazard.origin.${name}`)]);
  const fields = incident ? [grade([["", t("hazard.ask.by_severity")]]), text("title", t("hazard.ask.title_of_incident")), description]
    : [text("title", t("hazard.ask.title"), { needed: true }), choice("zone", t("ledger.column.where"), [["", t("ask.choose")], ...zones.map((z) => [z.id, z.name])], { needed: true }), choice("kind", t("hazard.fact.kind"), [["", t("ask.choose")], ...pack.kinds.map((k) => [k.kind, said(k.name)])], { needed: true }), grade([]),
      choice("origin", t("hazard.ask.origin"), origins), text("reference", t("hazard.ask.reference")), description];
  const rules = pack.rules.filter((rule) => ["proposal", "confirmed_by_person"].includes(rule.rule));
  return openForm(t("hazard.ask.propose"), fields, { rules, wide: !incident, send: (given) => call("POST", "/hazards", incident ? { ...given, incident: incident.id } : given) });
}

/** Every zone in which one may put something down: not those that are only shared. Throws Failure. */
export async function allZones() {
  const found = [];
  let cursor = "";
  do {
    const { body } = await call("GET", `/zones?limit=500${cursor}`);
    found.push(...body.items.filter((zone) => !zone.shared));
    cursor = body.next ? `&cursor=${encodeURIComponent(body.next)}` : null;
  } while (cursor);
  return found;
}
