// One hazard in full: due date and its rule, plan, measures, claim, what the evidence gate says, what one may do and why not, the record.
import { fill, h, stateBox } from "./dom.js";
import { call } from "./net.js";
import { absolute, dueIn, isOverdue, moment } from "./time.js";
import { said, t } from "./words.js";

const COMMITMENTS = ["responsibility", "measures", "funds", "time", "contingency"];

/** The hazard's grade by its character; dashed while it is only proposed. */
export const gradeMark = (hazard) => h("span", { class: `hazard-grade${hazard.confirmed ? "" : " proposed"}`, "data-grade": hazard.grade, title: gradeWord(hazard) },
  short(said(hazard.grade_name)));
const short = (name) => (name.length > 2 ? name.slice(0, 1).toUpperCase() : name);
/** Who acted: the platform, a person by name, a machine by the beginning of its token's id. */
const who = (actor) => (actor === "bihuan" ? t("app.name") : actor.startsWith("token:") ? t("hazard.machine", { id: actor.slice(6, 12) }) : actor);
/** "重大" or "拟定重大". */
export const gradeWord = (hazard) => (hazard.confirmed ? said(hazard.grade_name) : t("hazard.proposed_grade", { grade: said(hazard.grade_name) }));

/** Who says a rule: "文件条款 001(16) 征求意见稿". */
export function basisOf(ruling) {
  const sources = (ruling.sources ?? []).map((s) => `${s.document}(${s.clause}) ${said(s.standing_name)}`);
  return [said(ruling.basis_name), ...sources].join(" · ");
}

/** The rule's sense and who says it. */
export const rulingLine = (ruling) => h("span", { class: "ruling" }, said(ruling.text), h("small", { title: (ruling.sources ?? []).map((s) => said(s.title)).join("；") }, basisOf(ruling)));

export class HazardDetail {
  /** `calls`: command(name), back(), showIncident(id). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.hazard = null;
    this.element = h("section", { class: "detail hazard-detail", "aria-label": t("ledger.title") }, stateBox(t("ledger.none"), ""));
  }

  async load(id, open = false) {
    if (open) this.element.classList.add("open");
    this.wanted = id;
    try {
      const { body } = await call("GET", `/hazards/${encodeURIComponent(id)}`);
      if (this.wanted === id) this.show(body);
    } catch (failure) {
      if (failure.status !== 401 && this.wanted === id) fill(this.element, stateBox(t(failure.status === 404 ? "ledger.not_found" : "error.title"), "", h("button", { onclick: () => this.load(id) }, t("error.retry"))));
    }
  }

  show(hazard) {
    const other = this.hazard?.id !== hazard.id;
    this.hazard = hazard;
    this.wanted = hazard.id;
    if (other) { this.record = h("div"); this.element.scrollTop = 0; }
    this.dueElement = h("strong", { class: "due" });
    fill(this.element, this.head(hazard), this.facts(hazard), this.actions(hazard), h("div", { class: "story" },
      h("div", {}, this.gate(hazard), this.claim(hazard), this.measures(hazard), this.plan(hazard), this.whyNot(hazard)), this.record));
    this.tick();
    this.loadRecord(hazard);
  }

  head(hazard) {
    return h("header", { class: "head" }, h("button", { class: "plain back", onclick: () => this.calls.back(), "aria-label": t("detail.back") }, "‹"),
      gradeMark(hazard), h("h2", {}, hazard.title), h("span", { class: "word" }, `${gradeWord(hazard)} · ${said(hazard.state_name)}`),
      hazard.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, t("app.synthetic")) : null);
  }

  facts(hazard) {
    const by = (actor, at) => (actor ? `${who(actor)} · ${absolute(at)}` : null);
    const rows = [
      ["due", hazard.due_at && !["closed", "dismissed"].includes(hazard.state) ? [this.dueElement, moment(hazard.due_at), hazard.confirmed ? null : h("em", {}, t("hazard.provisional")), rulingLine(hazard.due_ruling)] : null],
      ["where", [hazard.zone_name, hazard.enterprise_name ? h("small", {}, hazard.enterprise_name) : null]],
      ["kind", [said(hazard.kind_name)]],
      ["description", hazard.description ? [hazard.description] : null],
      ["origin", [said(hazard.origin_name), h("small", {}, by(hazard.proposed_by, hazard.opened_at)),
        hazard.incident ? h("button", { class: "plain link", onclick: () => this.calls.showIncident(hazard.incident) }, t("hazard.to_incident")) : null]],
      ["confirmed", hazard.confirmed_by ? [by(hazard.confirmed_by, hazard.confirmed_at), hazard.criterion ? h("small", {}, hazard.criterion) : null] : null],
      ["accepted", by(hazard.accepted_by, hazard.accepted_at)],
      ["closed", by(hazard.closed_by, hazard.closed_at)],
      ["dismissed", hazard.dismissed_reason],
    ];
    return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(`hazard.fact.${name}`)), h("dd", {}, value)]));
  }

  actions(hazard) {
    const allowed = hazard.commands.filter((c) => c.allowed && (c.command !== "end_measure" || hazard.measures.some((m) => !m.ended_at)));
    const first = allowed.find((c) => !["comment", "measure", "end_measure", "dismiss", "refuse", "plan"].includes(c.command)) ?? allowed.find((c) => c.command === "plan");
    const buttons = [first, ...allowed.filter((c) => c !== first)].filter(Boolean).map((c) => h("button", { class: c === first ? "primary" : null, "data-command": c.command, onclick: () => this.calls.command(c.command) }, said(c.name)));
    return h("div", { class: "actions" }, buttons.length ? buttons : h("span", { class: "muted" }, t("error.permission_note", { role: t(`role.${this.me.role}`) })));
  }

  gate(hazard) {
    const gate = hazard.gate;
    if (!gate) return null;
    return h("section", { class: "gate", "data-verdict": gate.verdict }, h("h3", {}, `${t("hazard.gate")} · ${t(`hazard.question.${gate.question}`)}`),
      h("p", { class: "verdict" }, said(gate.verdict_name)), gate.evidence.length ? null : h("p", { class: "muted" }, gate.why.map(said).join("；")), gateEvidence(gate, this.calls.showIncident),
      gate.watchers.length ? h("p", { class: "muted" }, t("hazard.watchers", { devices: gate.watchers.map((w) => (w.blind ? t("hazard.blind", { device: w.device }) : w.device)).join("，") })) : null);
  }

  claim(hazard) {
    const claim = hazard.claim;
    if (!claim) return null;
    const papers = claim.evidence.map((p) => h("li", {}, h("div", { class: "top" }, h("strong", {}, t(`hazard.stage.${p.stage}`)), h("span", {}, p.place), h("time", {}, moment(p.taken_at))),
      p.url ? h("a", { href: p.url, target: "_blank", rel: "noopener" }, h("img", { class: "paper", src: p.url, alt: p.note || p.place, loading: "lazy", onerror: (e) => e.target.replaceWith(t("hazard.file")) })) : null,
      p.document ? h("div", {}, p.document) : null, p.note ? h("div", { class: "note" }, p.note) : null));
    return h("section", {}, h("h3", {}, t("hazard.claim")), h("p", { class: "note" }, claim.note), h("p", { class: "muted" }, `${who(claim.by)} · ${absolute(claim.at)}`), papers.length ? h("ul", {}, papers) : null);
  }

  measures(hazard) {
    if (!hazard.measures.length) return null;
    return h("section", {}, h("h3", {}, t("hazard.measures")), h("ul", {}, hazard.measures.map((m) => h("li", {},
      h("div", { class: "top" }, h("strong", {}, said(m.kind_name)), h("span", { class: "muted" }, m.authority), h("time", {}, absolute(m.start))),
      h("div", { class: m.ended_at ? "muted" : null }, m.ended_at ? t("hazard.measure_ended", { time: absolute(m.ended_at) }) : m.until ? t("hazard.measure_until", { time: moment(m.until) }) : t("hazard.measure_on")),
      m.note ? h("div", { class: "note" }, m.note) : null))));
  }

  plan(hazard) {
    if (!hazard.plan) return null;
    return h("section", {}, h("h3", {}, `${t("hazard.plan")} · ${who(hazard.plan.filed_by)} · ${absolute(hazard.plan.filed_at)}`),
      h("dl", { class: "facts" }, COMMITMENTS.map((name) => [h("dt", {}, t(`hazard.plan.${name}`)), h("dd", {}, hazard.plan[name])])));
  }

  /** What is not open to this person now, each with the rule that says so. */
  whyNot(hazard) {
    const barred = hazard.commands.filter((c) => !c.allowed);
    if (!barred.length || ["closed", "dismissed"].includes(hazard.state)) return null;
    return h("details", { class: "why-not" }, h("summary", {}, t("hazard.why_not")), h("ul", {}, barred.map((c) => h("li", {}, h("strong", {}, said(c.name)), rulingLine(c.why_not)))));
  }

  async loadRecord(hazard) {
    const page = await call("GET", `/hazards/${encodeURIComponent(hazard.id)}/events?limit=500`).then(({ body }) => body, () => null);
    if (this.hazard !== hazard) return;
    const title = h("h3", {}, t("hazard.record"));
    fill(this.record, title, page ? h("ol", {}, page.items.toReversed().map(recordLine)) : h("p", { class: "muted" }, t("error.title")));
  }

  tick() {
    if (!this.hazard?.due_at || !this.dueElement) return;
    this.dueElement.classList.toggle("late", isOverdue(this.hazard));
    const text = this.hazard.state === "accepted" ? "" : dueIn(this.hazard.due_at);
    if (this.dueElement.textContent !== text) this.dueElement.textContent = text;
  }
}

/** The incidents that speak against it; `showIncident` makes them links. */
export function gateEvidence(gate, showIncident = null) {
  if (!gate.evidence.length) return null;
  return h("ul", { class: "evidence" }, gate.evidence.map((e) => h("li", {},
    h("div", { class: "top" }, h("strong", {}, e.kind_names.map((k) => said(k.name)).join(" · ")), h("span", { class: "muted" }, e.devices.join("，")), h("time", {}, absolute(e.last_at ?? e.opened_at))),
    h("div", {}, said(e.why_name), e.raised ? ` · ${t("hazard.raised", { n: e.raised })}` : null,
      showIncident ? h("button", { class: "plain link", onclick: () => showIncident(e.incident) }, t("hazard.to_incident")) : null))));
}

function recordLine(entry) {
  const { details } = entry;
  const note = details.reason ?? details.text ?? details.note ?? details.criterion ?? (entry.event === "proposed" ? details.description : null);
  return h("li", {}, h("div", { class: "top" }, h("strong", {}, said(entry.event_name)),
    h("span", { class: "muted" }, who(entry.actor), entry.role === "platform" ? null : ` · ${t(`role.${entry.role}`)}`), h("time", { datetime: entry.at }, absolute(entry.at))),
  note ? h("div", { class: "note" }, note) : null, entry.event === "gate_refused" ? h("div", { class: "note" }, refusedBy(details)) : null, h("div", { class: "why" }, rulingLine(entry.ruling)),
  h("div", { class: "digest", title: t("hazard.digest_note") }, `#${entry.number} ${entry.digest.slice(0, 16)}`));
}

/** What the evidence gate refused, and by which devices. */
const refusedBy = ({ command, gate }) => t("hazard.refused_by", { command: t(`hazard.command.${command}`), devices: [...new Set(gate.evidence.flatMap((e) => e.devices))].join("，") });
