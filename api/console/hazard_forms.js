// What the ledger asks people for: one form a command, the proposal, and the refusal with its rule. Each resolves to fields or null.
import { ask, form } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { basisOf, gateEvidence } from "./hazard_detail.js";
import { call } from "./net.js";
import { now, ofWallClock, wallClock } from "./time.js";
import { said, t } from "./words.js";

const text = (name, options = {}) => {
  const field = options.rows ? h("textarea", { name, rows: options.rows, maxlength: options.longest ?? 4000, required: options.needed })
    : h("input", { name, maxlength: options.longest ?? 200, required: options.needed, autocomplete: "off" });
  return { name, field, label: h("label", {}, options.label, field), read: () => field.value.trim() };
};
const choice = (name, label, options, value = null) => {
  const field = h("select", { name }, options.map(([key, word]) => h("option", { value: key, selected: key === value }, word)));
  if (value) field.value = value;
  return { name, field, label: h("label", {}, label, field), read: () => field.value };
};
const time = (name, label, value = "") => {
  const field = h("input", { name, type: "datetime-local", value });
  return { name, field, label: h("label", {}, label, field), read: () => (field.value ? ofWallClock(field.value) : "") };
};

/** Ask for `fields`; empty ones are left out. */
function askFor(title, fields, note = null) {
  return ask(title, (done) => form(done, () => Object.fromEntries(fields.map((f) => [f.name, f.read()]).filter(([, value]) => value !== "")),
    fields.map((f) => f.label), note ? h("p", { class: "muted" }, note) : null));
}

/** The fields of command `name` on `hazard`, or null. */
export async function askHazardCommand(name, hazard) {
  const title = said(hazard.commands.find((c) => c.command === name).name);
  const note = () => text("note", { label: t("hazard.ask.note"), rows: 3 });
  switch (name) {
    case "confirm": return askConfirm(title, hazard);
    case "claim": return askClaim(title);
    case "dismiss": case "refuse": return askFor(title, [text("reason", { label: t("hazard.ask.reason"), rows: 3, needed: true, longest: 1000 })]);
    case "plan": return askFor(title, ["responsibility", "measures", "funds", "time", "contingency"].map((field) => text(field, { label: t(`hazard.plan.${field}`), rows: 2, needed: true })), t("hazard.ask.plan_note"));
    case "measure": return askFor(title, [choice("kind", t("hazard.ask.measure"), hazard.measure_kinds.map((m) => [m.kind, said(m.name)])),
      text("authority", { label: t("hazard.ask.authority"), needed: true }), time("until", t("hazard.ask.until")), note()]);
    case "end_measure": {
      const fields = await askFor(title, [choice("measure", t("hazard.ask.measure"), hazard.measures.filter((m) => !m.ended_at).map((m) => [String(m.number), `${said(m.kind_name)} · ${m.authority}`])), note()]);
      return fields && { ...fields, measure: Number(fields.measure) };
    }
    case "comment": return askFor(title, [text("text", { label: t("do.comment_text"), rows: 4, needed: true })]);
    default: return askFor(title, [note()]);
  }
}

function askConfirm(title, hazard) {
  const grade = choice("grade", t("hazard.ask.grade"), hazard.grades.map((g) => [g.grade, said(g.name)]), hazard.grade);
  const criterion = text("criterion", { label: t("hazard.ask.criterion"), rows: 2, longest: 1000 });
  const follow = () => { criterion.field.required = hazard.grades.find((g) => g.grade === grade.field.value)?.needs_criterion ?? false; };
  grade.field.addEventListener("change", follow);
  follow();
  return askFor(title, [grade, criterion], t("hazard.ask.confirm_note"));
}

/** A claim: a note and any number of photos or documents with time and place. */
function askClaim(title) {
  const note = text("note", { label: t("hazard.ask.done"), rows: 3, needed: true });
  const papers = [];
  const list = h("div", { class: "papers" });
  const add = () => {
    const fields = { stage: choice("stage", t("hazard.ask.stage"), ["after", "before"].map((s) => [s, t(`hazard.stage.${s}`)])), place: text("place", { label: t("hazard.ask.place"), needed: true }),
      taken: time("taken_at", t("hazard.ask.taken_at"), wallClock(now())), document: text("document", { label: t("hazard.ask.document") }) };
    const file = h("input", { type: "file", accept: "image/jpeg,image/png,image/webp,application/pdf" });
    fields.taken.field.required = true;
    const block = h("fieldset", {}, h("legend", {}, t("hazard.ask.paper")), h("div", { class: "two" }, fields.stage.label, fields.taken.label), fields.place.label, h("label", {}, t("hazard.ask.file"), file), fields.document.label,
      h("button", { type: "button", class: "plain", onclick: () => { papers.splice(papers.indexOf(paper), 1); block.remove(); } }, t("hazard.ask.remove_paper")));
    const paper = { read: () => ({ stage: fields.stage.read(), place: fields.place.read(), taken_at: fields.taken.read(), document: fields.document.read(), file: file.files[0] }) };
    papers.push(paper);
    list.append(block);
  };
  return ask(title, (done) => form(done, () => ({ note: note.read(), evidence: papers.map((p) => p.read()) }), note.label, list,
    h("button", { type: "button", onclick: add }, t("hazard.ask.add_paper")), h("p", { class: "muted" }, t("hazard.ask.claim_note"))));
}

/** The fields of a proposal: from `incident` most of it is known; by hand zone and kind are chosen. */
export async function askProposal(incident = null) {
  const [{ body: pack }, zones] = await Promise.all([call("GET", "/policy"), incident ? null : allZones()]);
  const grades = pack.grades.map((g) => [g.grade, said(g.name)]);
  const description = text("description", { label: t("hazard.ask.description"), rows: 3 });
  if (incident) {
    const fields = await askFor(t("hazard.ask.propose"), [choice("grade", t("hazard.ask.proposed_grade"), [["", t("hazard.ask.by_severity")], ...grades]),
      text("title", { label: t("hazard.ask.title_of_incident") }), description], t("hazard.ask.propose_note"));
    return fields && { ...fields, incident: incident.id };
  }
  return askFor(t("hazard.ask.propose"), [text("title", { label: t("hazard.ask.title"), needed: true }), choice("zone", t("ledger.column.where"), zones.map((z) => [z.id, z.name])),
    choice("kind", t("hazard.fact.kind"), pack.kinds.map((k) => [k.kind, said(k.name)])), choice("grade", t("hazard.ask.proposed_grade"), grades), description], t("hazard.ask.propose_note"));
}

async function allZones() {
  const found = [];
  let cursor = "";
  do {
    const { body } = await call("GET", `/zones?limit=500${cursor}`);
    found.push(...body.items);
    cursor = body.next ? `&cursor=${encodeURIComponent(body.next)}` : null;
  } while (cursor);
  return found;
}

/** Why it was refused: the rule, who says it, and the evidence. */
export function showRefusal(problem) {
  const { ruling, gate } = problem;
  return ask(t("hazard.refused"), (done) => fill(h("div", { class: "refusal" }),
    gate ? [h("p", { class: "verdict" }, said(gate.verdict_name)), gate.evidence.length ? null : h("p", { class: "muted" }, gate.why.map(said).join("；")), gateEvidence(gate)] : h("p", {}, ruling ? null : conflictOr(problem)),
    ruling ? [h("p", {}, said(ruling.text)), h("p", { class: "muted" }, basisOf(ruling))] : null,
    h("div", { class: "buttons" }, h("button", { class: "primary", autofocus: true, onclick: () => done(null) }, t("help.close")))));
}

const conflictOr = (problem) => (problem.type === "urn:bihuan:problem:conflict" ? t("error.conflict") : problem.rule ? t("hazard.others_command") : problem.detail || problem.title);
