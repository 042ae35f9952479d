// The page of enterprises (企业档案): what the ledger says of one, and the way to each of its hazards.
import { fill, h, isTyping, stateBox } from "./dom.js";
import { hazardRow, dueText } from "./hazard_row.js";
import { rulingLine } from "./hazard_words.js";
import { OPEN, order } from "./ledger_filters.js";
import { gradeChip } from "./list.js";
import { Failure, call } from "./net.js";
import { loadPack } from "./pack.js";
import { moment } from "./time.js";
import { said, t } from "./words.js";

const PAGE = 200;
const query = (id, more) => `/hazards?enterprise=${encodeURIComponent(id)}&limit=${PAGE}&${more}`;

export class Enterprises {
  /** `calls`: showHazard(id). Who belongs to an enterprise sees that one. */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.all = null;
    this.chosen = me.enterprise;
    this.search = h("input", { type: "search", placeholder: t("enterprise.search"), "aria-label": t("enterprise.search"), oninput: () => this.renderNames() });
    this.names = h("ul", {});
    this.page = h("section", { class: "profile", "aria-label": t("page.enterprises") });
    this.element = h("main", { class: `desk enterprises${me.enterprise ? " own" : ""}` }, me.enterprise ? null : h("nav", { class: "facets", "aria-label": t("page.enterprises") }, this.search, this.names), this.page);
  }

  /** Shown: that of `id`, or the one that was shown last. */
  async open(id = null) {
    if (id) this.chosen = id;
    if (!this.me.enterprise && !this.all) await this.loadNames();
    this.chosen ??= this.all?.[0]?.id ?? null;
    this.renderNames();
    await this.load();
  }

  async loadNames() {
    try {
      this.all = [];
      for (let cursor = ""; cursor !== null;) {
        const { body } = await call("GET", `/enterprises?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
        this.all.push(...body.items);
        cursor = body.next;
      }
    } catch (failure) {
      this.all = null;
      this.failed(failure);
    }
  }

  async load() {
    const id = this.chosen;
    if (!id) return this.all && fill(this.page, stateBox(t("enterprise.empty"), ""));
    if (this.profile?.id !== id) fill(this.page, stateBox(t("enterprise.loading"), ""));
    try {
      const [profile, open, repeated] = await Promise.all([call("GET", `/enterprises/${encodeURIComponent(id)}`), call("GET", query(id, OPEN.map((state) => `state=${state}`).join("&"))), call("GET", query(id, "mark=repeated")), loadPack().catch(() => null)]);
      if (this.chosen !== id) return;
      this.profile = profile.body;
      this.hazards = open.body.items.sort(order);
      this.more = open.body.next !== null;
      this.repeated = repeated.body.items;
      this.render();
    } catch (failure) {
      if (this.chosen === id) this.failed(failure);
    }
  }

  failed(failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.status === 401) return;
    this.profile = null;
    fill(this.page, failure.status === 404 ? stateBox(t("enterprise.not_found"), "") : stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.open() }, t("error.retry"))));
  }

  /** A hazard changed: the profile is shown anew when the person is not busy in it. */
  take(hazard) {
    if (!this.element.isConnected || hazard.enterprise !== this.chosen) return;
    this.stale = true;
  }

  tick() {
    if (this.stale && this.element.isConnected && !this.page.matches(":hover") && !isTyping() && !document.querySelector("dialog[open]")) { this.stale = false; this.load(); }
    for (const element of this.page.querySelectorAll(".due[data-due]")) dueText(element, this.hazards.find((each) => each.id === element.closest(".row").dataset.id));
  }

  // --- how it looks ---
  renderNames() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = (this.all ?? []).filter((each) => `${each.name} ${each.id}`.toLowerCase().includes(wanted));
    fill(this.names, found.map((each) => h("li", {}, h("button", { class: "facet", "aria-pressed": String(each.id === this.chosen), onclick: () => this.open(each.id) }, each.name))));
  }

  render() {
    const { profile } = this;
    const { scrollTop } = this.element;
    const figure = (name, value, wrong = false) => h("div", { class: `figure${wrong ? " late" : ""}` }, h("b", {}, String(value)), h("span", {}, t(`enterprise.${name}`)));
    const repeats = profile.repeats.reduce((sum, each) => sum + each.count, 0);
    fill(this.page, h("header", {}, h("h2", {}, profile.name), h("span", { class: "muted" }, profile.id)),
      h("div", { class: "figures" }, figure("open", profile.open_hazards), figure("overdue", profile.overdue_hazards, profile.overdue_hazards > 0), figure("major", profile.major_hazards), figure("repeats", repeats), figure("inspections", profile.inspections ?? "—")),
      h("div", { class: "cards" }, this.grades(profile), this.repeats(profile), this.particulars(profile)),
      h("section", { class: "ledger" }, h("h3", {}, t("enterprise.hazards")),
        this.hazards.length ? h("div", { class: "rows" }, this.hazards.map((hazard) => this.row(hazard)), this.more ? h("p", { class: "muted" }, t("enterprise.more", { n: PAGE })) : null) : h("p", { class: "muted" }, t("enterprise.none_open"))));
    this.element.scrollTop = scrollTop;
  }

  row(hazard) {
    const row = hazardRow(hazard, () => this.calls.showHazard(hazard.id));
    row.setAttribute("role", "link");
    row.removeAttribute("aria-selected");
    row.tabIndex = 0;
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.stopPropagation(); this.calls.showHazard(hazard.id); } });
    return row;
  }

  grades(profile) {
    const cell = (n, late = false) => h("td", { class: n ? (late ? "late" : null) : "muted" }, String(n));
    const head = ["grade", "confirmed", "proposed", "overdue"].map((name) => h("th", { scope: "col" }, t(`enterprise.column.${name}`)));
    return h("section", { class: "card" }, h("h3", {}, t("enterprise.by_grade")), h("table", {}, h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, profile.grades.map((grade) => h("tr", {}, h("th", { scope: "row" }, said(grade.name)), cell(grade.confirmed), cell(grade.proposed), cell(grade.overdue, true))))));
  }

  repeats(profile) {
    const of = (kind) => this.repeated.filter((hazard) => hazard.kind === kind).slice(0, 5);
    const link = (hazard) => h("li", {}, h("button", { class: "plain link", onclick: () => this.calls.showHazard(hazard.id) }, hazard.title), h("small", { class: "muted" }, ` ${moment(hazard.opened_at)} · ${said(hazard.state_name)}`));
    return h("section", { class: "card" }, h("h3", {}, t("enterprise.repeats_within", { days: profile.repeat_days })),
      profile.repeats.length ? h("ul", { class: "repeats" }, profile.repeats.map((each) => h("li", {}, h("b", {}, `${said(each.name)} · ${t("enterprise.times", { n: each.count })}`), h("ul", {}, of(each.kind).map(link))))) : h("p", { class: "muted" }, t("enterprise.no_repeats")),
      profile.inspections ? h("p", { class: "raised-to" }, h("b", {}, t("enterprise.inspected", { n: profile.inspections })), rulingLine(profile.inspections_ruling)) : null);
  }

  particulars(profile) {
    const zone = (each) => h("li", {}, gradeChip(each.grade), ` ${each.name}`, each.major_hazard_level ? h("small", { class: "muted" }, ` ${t("enterprise.major_hazard", { level: each.major_hazard_level })}`) : null);
    const contact = (each) => h("li", {}, h("b", {}, each.name), ` ${each.role} `, each.phone ? h("a", { href: `tel:${each.phone}` }, each.phone) : null);
    return h("section", { class: "card" }, h("h3", {}, t("enterprise.zones")), h("ul", {}, profile.zones.map(zone)),
      h("h3", {}, t("enterprise.contacts")), profile.contacts.length ? h("ul", {}, profile.contacts.map(contact)) : h("p", { class: "muted" }, t("enterprise.no_contacts")));
  }
}
