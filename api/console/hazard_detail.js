// One hazard in full, put together: measures in force, where it stands, whose turn it is; then its particulars and the record.
import { loadIncidents } from "./both_ways.js";
import { fill, h, stateBox } from "./dom.js";
import { boards, consequences, extensions, publicity, related } from "./hazard_boards.js";
import { claim, facts, inspections, measures, plan } from "./hazard_facts.js";
import { gateBlock, overrides } from "./hazard_gate.js";
import { GROUPS, may, primaryOf } from "./hazard_next.js";
import { loadRecord } from "./hazard_record.js";
import { clocks, dueBlock, inForce, nextBlock, phases, trackChips } from "./hazard_standing.js";
import { gradeMark, gradeWord, rulingLine } from "./hazard_words.js";
import { call } from "./net.js";
import { dueIn, isOver, isOverdue } from "./time.js";
import { said, t } from "./words.js";

export class HazardDetail {
  /** `calls`: command(name), more(), back(), showIncident(id), showHazard(id), showEnterprise(id). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.hazard = null;
    this.element = h("section", { class: "detail hazard-detail", "aria-label": t("ledger.title") }, stateBox(t("ledger.none"), t("ledger.none_note")));
  }

  async load(id, open = false) {
    if (open) this.element.classList.add("open");
    this.wanted = id;
    if (this.hazard?.id !== id) this.waiting = setTimeout(() => { if (this.wanted === id && this.hazard?.id !== id) fill(this.element, this.backButton(), stateBox(t("ledger.loading_one"), "")); }, 300);
    try {
      const { body } = await call("GET", `/hazards/${encodeURIComponent(id)}`);
      if (this.wanted === id) this.show(body);
    } catch (failure) {
      if (failure.status !== 401 && this.wanted === id) this.failed(failure, id);
    } finally { clearTimeout(this.waiting); }
  }

  failed(failure, id) {
    this.hazard = null;
    const [title, note] = failure.status === 404 ? ["ledger.not_found", null] : failure.status === 403 ? ["error.permission", null] : ["error.title", failure.status === 0 ? "error.no_network" : "error.unavailable"];
    fill(this.element, this.backButton(), stateBox(t(title), note && t(note), note ? h("button", { onclick: () => this.load(id) }, t("error.retry")) : null));
  }

  show(hazard) {
    const other = this.hazard?.id !== hazard.id;
    this.hazard = hazard;
    this.wanted = hazard.id;
    if (other) { this.record = h("div", { class: "record" }); this.incidents = h("section", { class: "card" }); this.element.scrollTop = 0; }
    this.dueElement = h("strong", { class: "due" });
    const chips = trackChips(hazard);
    fill(this.element, this.head(hazard), inForce(hazard), h("div", { class: "standing" }, phases(hazard), chips.length ? h("ul", { class: "tracks", "aria-label": t("hazard.beside") }, chips) : null),
      h("div", { class: "turn-and-due" }, nextBlock(hazard, this.me, this.calls), dueBlock(hazard, this.dueElement)),
      h("div", { class: "story" }, h("div", {}, facts(hazard, this.calls), gateBlock(hazard.gate, this.calls.showIncident), extensions(hazard), boards(hazard), claim(hazard), inspections(hazard), overrides(hazard), plan(hazard),
        publicity(hazard), consequences(hazard), measures(hazard), related(hazard, this.calls.showHazard), this.incidents, this.whyNot(hazard)), h("div", {}, clocks(hazard), this.record)));
    this.tick();
    loadIncidents(this.incidents, hazard, this.calls.showIncident, () => this.hazard === hazard);
    loadRecord(this.record, hazard, () => this.hazard === hazard);
  }

  backButton() { return h("button", { class: "plain back", onclick: () => this.calls.back(), "aria-label": t("detail.back") }, "‹"); }

  head(hazard) {
    return h("header", { class: "head" }, this.backButton(), gradeMark(hazard), h("h2", {}, hazard.title), h("span", { class: "word" }, `${gradeWord(hazard)} · ${said(hazard.state_name)}`),
      hazard.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, t("app.synthetic")) : null);
  }

  /** What is not open to this person now, each with the rule that says so. */
  whyNot(hazard) {
    const barred = hazard.commands.filter((c) => !may(hazard, c.command, this.me) && c.why_not);
    if (!barred.length || isOver(hazard)) return null;
    const groups = Object.entries(GROUPS).map(([group, names]) => [group, names.map((name) => barred.find((c) => c.command === name)).filter(Boolean)]).filter(([, found]) => found.length);
    return h("details", { class: "why-not" }, h("summary", {}, t("hazard.why_not")), groups.map(([group, found]) => [h("h4", {}, t(`hazard.group.${group}`)),
      h("ul", {}, found.map((c) => h("li", {}, h("strong", {}, said(c.name)), rulingLine(c.why_not))))]));
  }

  /** The step that a key takes, or null. */
  primary() { return this.hazard && primaryOf(this.hazard, this.me); }

  tick() {
    if (!this.hazard?.due_at || !this.dueElement) return;
    this.dueElement.classList.toggle("late", isOverdue(this.hazard));
    const text = this.hazard.state === "accepted" ? "—" : dueIn(this.hazard.due_at);
    if (this.dueElement.textContent !== text) this.dueElement.textContent = text;
  }
}
