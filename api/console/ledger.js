// The page of hazards: facets, list, detail; what the feed says of hazards, and the commands that people give.
import { fill, h, isTyping, stateBox } from "./dom.js";
import { HazardDetail, gradeMark } from "./hazard_detail.js";
import { askHazardCommand, askProposal, showRefusal } from "./hazard_forms.js";
import { gradeChip } from "./list.js";
import { call, upload } from "./net.js";
import { dueIn, isOverdue } from "./time.js";
import { said, t } from "./words.js";

const PAGE = 100;
const OPEN = ["proposed", "confirmed", "planned", "rectifying", "claimed", "accepted"];
const states = (names) => names.map((name) => `state=${name}`).join("&");
const FILTERS = {
  open: { query: states(OPEN), has: (x) => OPEN.includes(x.state) },
  overdue: { query: "overdue=true", has: (x) => isOverdue(x) },
  proposed: { query: states(["proposed"]), has: (x) => x.state === "proposed" },
  working: { query: states(["confirmed", "planned", "rectifying"]), has: (x) => ["confirmed", "planned", "rectifying"].includes(x.state) },
  claimed: { query: states(["claimed", "accepted"]), has: (x) => ["claimed", "accepted"].includes(x.state) },
  over: { query: states(["closed", "dismissed"]), has: (x) => ["closed", "dismissed"].includes(x.state) },
  all: { query: "", has: () => true },
};
const GRADES = ["major", "serious", "general"];

/** What is due first stands first; what is over, newest first. */
function order(a, b) {
  const [openA, openB] = [OPEN.includes(a.state), OPEN.includes(b.state)];
  if (openA !== openB) return openA ? -1 : 1;
  const by = openA ? Date.parse(a.due_at) - Date.parse(b.due_at) : Date.parse(b.updated_at) - Date.parse(a.updated_at);
  return by || (a.id < b.id ? 1 : -1);
}

export class Ledger {
  /** `calls`: toast(text, wrong), showIncident(id). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.known = new Map();
    this.filterName = "open";
    this.grade = null;
    this.next = null;
    this.chosen = null;
    this.loaded = false;
    this.stale = false;
    this.facets = h("nav", { class: "facets", "aria-label": t("filter.state") });
    this.rows = h("div", { class: "rows", role: "listbox", tabindex: 0, "aria-label": t("ledger.title") });
    const columns = ["grade", "what", "where", "state", "due"].map((name) => h("span", {}, t(`ledger.column.${name}`)));
    const head = h("div", { class: "columns ledger-columns", "aria-hidden": true }, columns);
    this.detail = new HazardDetail(me, { command: (name) => this.command(name), back: () => this.detail.element.classList.remove("open"), showIncident: calls.showIncident });
    this.element = h("main", { class: "desk ledger" }, this.facets, h("section", { class: "list", "aria-label": t("ledger.title") }, head, this.rows), this.detail.element);
    this.renderFacets();
  }

  /** Shown for the first time: load. */
  open(id = null) {
    if (id) this.choose(id, true);
    if (!this.loaded) this.load(true);
  }

  async load(first) {
    const asked = this.filterName;
    const grade = this.grade ? `&grade=${this.grade}` : "";
    const cursor = first ? "" : `&cursor=${encodeURIComponent(this.next)}`;
    if (first && !this.known.size) fill(this.rows, h("p", { class: "end-of-list" }, t("ledger.loading")));
    try {
      const { body } = await call("GET", `/hazards?limit=${PAGE}&${FILTERS[asked].query}${grade}${cursor}`);
      if (asked !== this.filterName) return;
      if (first) this.known.clear();
      for (const hazard of body.items) this.known.set(hazard.id, hazard);
      this.next = body.next;
      this.loaded = true;
      this.render();
      if (!this.chosen && matchMedia("(min-width: 901px)").matches && this.shown.length) this.choose(this.shown[0].id);
    } catch (failure) {
      if (failure.status === 401) return;
      const note = t(failure.status === 0 ? "error.network" : "error.unavailable");
      fill(this.rows, stateBox(t("error.title"), note, h("button", { onclick: () => this.load(true) }, t("error.retry"))));
    }
  }

  /** One hazard from the feed or an answer. */
  take(hazard) {
    const before = this.known.get(hazard.id);
    if (before && before.version >= hazard.version) return;
    if (!this.loaded && this.chosen !== hazard.id) return;
    this.known.set(hazard.id, hazard);
    if (this.isBusy()) this.stale = true;
    else this.render();
    if (hazard.id === this.chosen && this.detail.hazard && this.detail.hazard.version < hazard.version) this.detail.load(hazard.id);
  }

  /** Rows don't move while the pointer is on them or somebody writes. */
  isBusy() { return this.rows.matches(":hover") || isTyping() || document.querySelector("dialog[open]") !== null; }

  tick() {
    if (this.stale && !this.isBusy()) this.render();
    for (const element of this.rows.querySelectorAll(".due[data-due]")) dueText(element, this.known.get(element.closest(".row").dataset.id));
    this.detail.tick();
  }

  choose(id, open = false) {
    if (!id) return;
    this.chosen = id;
    this.mark();
    this.detail.load(id, open);
  }

  /** The id `step` rows from the chosen one. */
  neighbour(step) {
    const at = this.shown.findIndex((x) => x.id === this.chosen);
    return this.shown[at < 0 ? 0 : Math.min(Math.max(at + step, 0), this.shown.length - 1)]?.id;
  }

  filter(change) {
    if (change.filterName) this.filterName = change.filterName;
    if ("grade" in change) this.grade = change.grade;
    this.known.clear();
    this.renderFacets();
    this.load(true);
  }

  // --- what the person does ---
  async command(name) {
    const hazard = this.detail.hazard;
    const fields = await askHazardCommand(name, hazard);
    if (fields === null) return;
    try {
      for (const paper of fields.evidence ?? []) {
        if (paper.file) paper.sha256 = (await upload(`/hazards/${encodeURIComponent(hazard.id)}/evidence`, paper.file)).sha256;
        delete paper.file;
      }
      const { body } = await call("POST", `/hazards/${encodeURIComponent(hazard.id)}/commands`, { command: name, version: hazard.version, ...fields });
      this.take(body);
      this.detail.show(body);
    } catch (failure) {
      await this.explain(failure, hazard);
    }
  }

  async explain(failure, hazard) {
    if (failure.status === 401) return;
    if ([403, 409, 422].includes(failure.status)) {
      if (failure.status !== 422) await this.detail.load(hazard.id);
      await showRefusal(failure.problem);
    } else this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
  }

  /** Put a hazard down, from `incident` or by hand; resolves when it is shown. */
  async propose(incident = null) {
    const fields = await askProposal(incident);
    if (fields === null) return null;
    try {
      const { body, status } = await call("POST", "/hazards", fields);
      this.calls.toast(t(status === 200 ? "ledger.there_already" : "ledger.put_down"));
      this.take(body);
      return body.id;
    } catch (failure) {
      if ([403, 404, 409, 422].includes(failure.status)) await showRefusal(failure.problem);
      else if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
      return null;
    }
  }

  // --- how it looks ---
  render() {
    this.stale = false;
    this.shown = [...this.known.values()].filter((x) => FILTERS[this.filterName].has(x) && (!this.grade || x.grade === this.grade)).sort(order);
    if (!this.shown.length) {
      const plain = this.filterName === "open" && !this.grade;
      fill(this.rows, plain ? stateBox(t("ledger.empty"), t("ledger.empty_note")) : stateBox(t("ledger.none_match"), ""));
      return;
    }
    fill(this.rows, this.shown.map((hazard) => this.row(hazard)), h("p", { class: "end-of-list" }, this.next ? h("button", { onclick: () => this.load(false) }, t("ledger.more")) : t("ledger.end")));
    this.mark();
  }

  row(hazard) {
    const due = h("span", { class: "due", "data-due": "" });
    dueText(due, hazard);
    return h("div", { class: `row hazard${OPEN.includes(hazard.state) ? "" : " over"}`, role: "option", "aria-selected": "false", "data-id": hazard.id, onclick: () => this.choose(hazard.id, true) },
      gradeMark(hazard), h("span", { class: "what", title: hazard.title }, h("span", { class: "kinds" }, hazard.title), h("small", {}, said(hazard.kind_name))),
      h("span", { class: "where" }, gradeChip(hazard.zone_grade), h("span", {}, hazard.zone_name)), h("span", { class: "word" }, said(hazard.state_name)), due);
  }

  mark() {
    for (const element of this.rows.querySelectorAll(".row")) element.setAttribute("aria-selected", String(element.dataset.id === this.chosen));
  }

  renderFacets() {
    const facet = (pressed, onclick, ...children) => h("li", {}, h("button", { class: "facet", "aria-pressed": String(pressed), onclick }, children));
    const put = this.me.hazard_commands.includes("propose") ? h("button", { class: "put-down", onclick: async () => { const id = await this.propose(); if (id) this.choose(id, true); } }, t("ledger.by_hand")) : null;
    fill(this.facets, put,
      h("section", {}, h("h2", {}, t("ledger.by_state")), h("ul", {}, Object.keys(FILTERS).map((name) => facet(this.filterName === name, () => this.filter({ filterName: name }), t(`ledger.filter.${name}`))))),
      h("section", {}, h("h2", {}, t("ledger.by_grade")), h("ul", {}, GRADES.map((name) => facet(this.grade === name, () => this.filter({ grade: this.grade === name ? null : name }), t(`hazard.grade.${name}`))))));
  }
}

/** "剩 2 天 4 小时", or in the alarm's colour and in words "已超期 6 小时"; nothing once it is accepted. */
function dueText(element, hazard) {
  const late = isOverdue(hazard);
  element.classList.toggle("late", late);
  const text = hazard.due_at && ![...FILTERS.over.query.matchAll(/state=(\w+)/g)].some(([, s]) => s === hazard.state) && hazard.state !== "accepted" ? dueIn(hazard.due_at) : "";
  if (element.textContent !== text) element.textContent = text;
}
