// The page of hazards: facets, list, detail; what the feed says of hazards, and the commands that people give.
import { fill, h, isTyping, stateBox, stepFrom } from "./dom.js";
import { HazardDetail } from "./hazard_detail.js";
import { chooseCommand, giveCommand, proposeHazard } from "./hazard_forms.js";
import { GROUPS, may } from "./hazard_next.js";
import { dueText, hazardRow } from "./hazard_row.js";
import { FILTERS, MARKS, exportQuery, order, queryOf, shows } from "./ledger_filters.js";
import { call } from "./net.js";
import { loadPack } from "./pack.js";
import { said, t } from "./words.js";

const PAGE = 100;

export class Ledger {
  /** `calls`: toast(text, wrong), showIncident(id), showEnterprise(id). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.known = new Map();
    this.filterName = "open";
    this.grade = null;
    this.marks = new Set();
    this.grades = [];
    this.next = null;
    this.chosen = null;
    this.loaded = false;
    this.stale = false;
    this.canExport = false;
    this.shown = [];
    this.facets = h("nav", { class: "facets", "aria-label": t("filter.state") });
    this.rows = h("div", { class: "rows", role: "listbox", tabindex: 0, "aria-label": t("ledger.title") });
    const columns = ["grade", "what", "where", "state", "due"].map((name) => h("span", {}, t(`ledger.column.${name}`)));
    const head = h("div", { class: "columns ledger-columns", "aria-hidden": true }, columns);
    this.detail = new HazardDetail(me, { command: (name) => this.command(name), more: () => this.more(), back: () => this.detail.element.classList.remove("open"),
      showIncident: calls.showIncident, showEnterprise: calls.showEnterprise, showHazard: (id) => this.choose(id, true) });
    this.element = h("main", { class: "desk ledger" }, this.facets, h("section", { class: "list", "aria-label": t("ledger.title") }, head, this.rows), this.detail.element);
    this.renderFacets();
  }

  /** Shown for the first time: load. */
  open(id = null) {
    if (id) this.choose(id, true);
    if (this.loaded) return;
    this.load(true);
    loadPack().then((pack) => { this.grades = pack.grades.toReversed(); this.renderFacets(); if (this.loaded) this.render(); }, () => {});
    // Whether this server exports: a format that does not exist is 422 where the route is, 404 where it is not.
    call("GET", "/hazards/export?format=none").then(() => true, (failure) => failure.status === 422).then((found) => { this.canExport = found; this.renderFacets(); });
  }

  async load(first) {
    const asking = this.asking = {}; // an answer to an earlier question comes too late
    const cursor = first ? "" : `&cursor=${encodeURIComponent(this.next)}`;
    if (first && !this.known.size) this.waiting();
    try {
      const { body } = await call("GET", `/hazards?limit=${PAGE}&${queryOf(this)}${cursor}`);
      if (asking !== this.asking) return;
      if (first) this.known.clear();
      for (const hazard of body.items) this.known.set(hazard.id, hazard);
      this.next = body.next;
      this.loaded = true;
      this.render();
      if (!this.chosen && matchMedia("(min-width: 901px)").matches && this.shown.length) this.choose(this.shown[0].id);
    } catch (failure) {
      if (failure.status === 401 || asking !== this.asking) return;
      const denied = failure.status === 403;
      fill(this.rows, denied ? stateBox(t("error.permission"), t("error.permission_note", { role: t(`role.${this.me.role}`) }))
        : stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load(true) }, t("error.retry"))));
    }
  }

  waiting() {
    fill(this.rows, h("p", { class: "visually-hidden" }, t("ledger.loading")), Array.from({ length: 8 }, () => h("div", { class: "row hazard waiting", "aria-hidden": true }, h("i"), h("i"), h("i"), h("i"), h("i"))));
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
  neighbour(step) { return stepFrom(this.shown.map((x) => x.id), this.chosen, step); }

  filter(change) {
    if (change.filterName) this.filterName = change.filterName;
    if ("grade" in change) this.grade = change.grade;
    if (change.mark && !this.marks.delete(change.mark)) this.marks.add(change.mark);
    if (change.nothing) { this.filterName = "open"; this.grade = null; this.marks.clear(); }
    this.known.clear();
    this.renderFacets();
    this.load(true);
  }

  // --- what the person does ---
  async command(name) {
    const hazard = this.detail.hazard;
    if (!hazard || !may(hazard, name, this.me)) return;
    try {
      const body = await giveCommand(name, hazard, this.me, () => this.refresh(hazard.id));
      if (body === null) return;
      this.take(body);
      if (this.detail.wanted === body.id) this.detail.show(body);
      this.calls.toast(t("ledger.done", { command: said(hazard.commands.find((c) => c.command === name).name), state: said(body.state_name) }));
    } catch (failure) { // before the form was there
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
    }
  }

  /** The hazard as it is now, shown as such; null when it can't be had. */
  async refresh(id) {
    await this.detail.load(id);
    return this.detail.hazard?.id === id ? this.detail.hazard : null;
  }

  async more() {
    const hazard = this.detail.hazard;
    const name = hazard && Object.values(GROUPS).flat().some((each) => may(hazard, each, this.me)) ? await chooseCommand(hazard, this.me) : null;
    if (name) this.command(name);
  }

  /** Put a hazard down, from `incident` or by hand; resolves with its id when it is down, or null. */
  async propose(incident = null) {
    try {
      const answer = await proposeHazard(this.me, incident);
      if (answer === null) return null;
      this.calls.toast(t(answer.status === 200 ? "ledger.there_already" : "ledger.put_down"));
      this.take(answer.body);
      return answer.body.id;
    } catch (failure) {
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
      return null;
    }
  }

  async putDown() {
    const id = await this.propose();
    if (id) this.choose(id, true);
  }

  /** What a key does here; false where it does nothing. */
  key(name) {
    const act = { j: () => this.choose(this.neighbour(1)), ArrowDown: () => this.choose(this.neighbour(1)), k: () => this.choose(this.neighbour(-1)), ArrowUp: () => this.choose(this.neighbour(-1)),
      a: () => (this.detail.primary() ? this.command(this.detail.primary()) : this.calls.toast(t("hazard.not_your_turn"))), o: () => this.more(), c: () => this.command("comment"),
      n: () => this.me.hazard_commands.includes("propose") && this.putDown(), Enter: () => this.detail.element.classList.add("open") }[name];
    act?.();
    return Boolean(act);
  }

  // --- how it looks ---
  render() {
    this.stale = false;
    this.shown = [...this.known.values()].filter((x) => shows(this, x)).sort(order);
    if (!this.shown.length) {
      const plain = this.filterName === "open" && !this.grade && !this.marks.size;
      fill(this.rows, plain ? stateBox(t("ledger.empty"), t("ledger.empty_note")) : stateBox(t("ledger.none_match"), "", h("button", { onclick: () => this.filter({ nothing: true }) }, t("list.clear_filters"))));
      return;
    }
    const { scrollTop } = this.rows;
    fill(this.rows, this.shown.map((hazard) => hazardRow(hazard, () => this.choose(hazard.id, true))), h("p", { class: "end-of-list" }, this.next ? h("button", { onclick: () => this.load(false) }, t("ledger.more")) : t("ledger.end")));
    this.rows.scrollTop = scrollTop;
    this.mark();
  }

  mark() {
    for (const element of this.rows.querySelectorAll(".row")) {
      const chosen = element.dataset.id === this.chosen;
      element.setAttribute("aria-selected", String(chosen));
      if (chosen && !this.rows.matches(":hover")) element.scrollIntoView({ block: "nearest" });
    }
  }

  renderFacets() {
    const facet = (pressed, onclick, ...children) => h("li", {}, h("button", { class: "facet", "aria-pressed": String(pressed), onclick }, children));
    const section = (title, ...facets) => h("section", {}, h("h2", {}, t(title)), h("ul", {}, facets));
    const put = this.me.hazard_commands.includes("propose") ? h("button", { class: "put-down", onclick: () => this.putDown() }, t("ledger.by_hand"), h("kbd", {}, "n")) : null;
    const away = this.canExport ? h("a", { class: "export", href: `/api/v1/hazards/export?${exportQuery(this)}`, download: "" }, t("ledger.export")) : null;
    fill(this.facets, put,
      section("ledger.by_state", Object.keys(FILTERS).map((name) => facet(this.filterName === name, () => this.filter({ filterName: name }), t(`ledger.filter.${name}`)))),
      section("ledger.by_mark", Object.keys(MARKS).map((name) => facet(this.marks.has(name), () => this.filter({ mark: name }), h("i", { "aria-hidden": true }, this.marks.has(name) ? "✓" : MARKS[name].sign), t(`ledger.mark.${name}`)))),
      this.grades.length ? section("ledger.by_grade", this.grades.map((g) => facet(this.grade === g.grade, () => this.filter({ grade: this.grade === g.grade ? null : g.grade }), said(g.name)))) : null, away);
  }
}
