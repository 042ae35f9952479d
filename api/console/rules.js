// The page of alarm rules (报警规则): facets, list, one rule in full; changing, withdrawing and restoring one.
import { fill, h, stateBox, stepFrom } from "./dom.js";
import { call } from "./net.js";
import { RuleDetail, standingWord } from "./rule_detail.js";
import { askRestore, askRule, askWithdraw } from "./rule_forms.js";
import { measured } from "./rule_words.js";
import { glyph } from "./severity.js";
import { moment } from "./time.js";
import { said, t } from "./words.js";

const PAGE = 500;
const SOURCES = ["console", "site", "pack"];
const STATES = ["on", "off", "withdrawn"];
const stateOf = (rule) => (rule.withdrawn ? "withdrawn" : rule.enabled ? "on" : "off");

export class Rules {
  /** `calls`: toast(text, wrong). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.all = null;
    this.metrics = [];
    this.wanted = { state: null, source: null, metric: null, search: "" };
    this.chosen = null;
    this.search = h("input", { type: "search", placeholder: t("rules.search"), "aria-label": t("rules.search"), oninput: () => { this.wanted.search = this.search.value.trim().toLowerCase(); this.render(); } });
    this.facets = h("nav", { class: "facets", "aria-label": t("rules.title") });
    this.rows = h("div", { class: "rows", role: "listbox", tabindex: 0, "aria-label": t("rules.title") });
    const columns = ["severity", "rule", "limit", "source", "changed"].map((name) => h("span", {}, name === "severity" ? "" : t(`rules.column.${name}`)));
    this.detail = new RuleDetail(me, { edit: () => this.edit(), withdraw: () => this.withdraw(), restore: (version) => this.restore(version), back: () => this.detail.element.classList.remove("open") });
    this.element = h("main", { class: "desk rulebook" }, this.facets, h("section", { class: "list", "aria-label": t("rules.title") }, h("div", { class: "columns rule-columns", "aria-hidden": true }, columns), this.rows), this.detail.element);
  }

  /** Shown: with the rule of that id, or the one that was shown last. */
  async open(id = null) {
    if (id) this.choose(id, true);
    await this.load();
  }

  async load() {
    const asking = this.asking = {};
    if (!this.all) fill(this.rows, stateBox(t("rules.loading"), ""));
    try {
      const found = await Promise.all([false, true].map((withdrawn) => every(`/alarm-rules?limit=${PAGE}&withdrawn=${withdrawn}`)));
      if (asking !== this.asking) return;
      this.metrics = found[0].metrics;
      this.all = found.flatMap((page) => page.items);
      this.render();
      if (!this.chosen && matchMedia("(min-width: 901px)").matches && this.shown.length) this.choose(this.shown[0].id);
      else if (this.chosen && this.detail.rule && this.all.some((rule) => rule.id === this.chosen && rule.version !== this.detail.rule.version)) this.detail.load(this.chosen);
    } catch (failure) {
      if (failure.status === 401 || asking !== this.asking) return;
      fill(this.rows, stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
  }

  choose(id, open = false) {
    if (!id) return;
    this.chosen = id;
    this.mark();
    this.detail.load(id, open);
  }

  /** The id `step` rows from the chosen one. */
  neighbour(step) { return stepFrom(this.shown.map((rule) => rule.id), this.chosen, step); }

  /** What a key does here; false where it does nothing. */
  key(name) {
    const rule = this.detail.rule;
    const mine = (work) => () => (rule?.may_change ? work() : rule && this.calls.toast(t("rules.not_yours")));
    const act = { j: () => this.choose(this.neighbour(1)), ArrowDown: () => this.choose(this.neighbour(1)), k: () => this.choose(this.neighbour(-1)), ArrowUp: () => this.choose(this.neighbour(-1)), e: mine(() => this.edit()),
      w: mine(() => this.withdraw()), n: () => this.me.makes_rules && this.edit(true), "/": () => this.search.focus(), Enter: () => this.detail.element.classList.add("open") }[name];
    act?.();
    return Boolean(act);
  }

  // --- what the person does ---
  edit(fresh = false) { return this.change(() => askRule(fresh ? null : this.detail.rule, this.metrics, this.forms()), "rules.saved"); }

  withdraw() {
    if (!this.detail.rule?.may_withdraw) return this.calls.toast(t("rules.nothing_to_withdraw"));
    return this.change(() => askWithdraw(this.detail.rule, this.forms()), "rules.withdrawn");
  }

  restore(version) { return this.change(() => askRestore(this.detail.rule, version, this.forms()), "rules.saved"); }

  /** What forms need: the names of zones, the rule as it is now after somebody else's change. */
  forms() {
    return { zoneName: this.detail.zoneName, refresh: async (id) => { await this.detail.load(id); return this.detail.rule?.id === id ? this.detail.rule : null; } };
  }

  async change(asked, word) {
    try {
      const rule = await asked();
      if (rule === null) return;
      this.calls.toast(t(word, { rule: said(rule.name), n: rule.version }));
      this.choose(rule.id, true);
      await this.load();
    } catch (failure) { // before the form was there
      if (failure.status === undefined) throw failure;
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
    }
  }

  // --- how it looks ---
  fits(rule, but = "") {
    const { state, source, metric, search } = this.wanted;
    const text = `${rule.id} ${rule.name.zh} ${rule.name.en} ${said(rule.metric_name)} ${said(rule.meaning)}`.toLowerCase();
    return (but === "state" || (state ?? stateOf(rule)) === stateOf(rule)) && (but === "source" || !source || source === rule.source) && (but === "metric" || !metric || metric === rule.metric) && text.includes(search);
  }

  render() {
    this.shown = (this.all ?? []).filter((rule) => this.fits(rule) && (this.wanted.state || !rule.withdrawn)).sort((a, b) => a.severity - b.severity || (a.id < b.id ? -1 : 1));
    this.renderFacets();
    const { scrollTop } = this.rows;
    fill(this.rows, this.shown.length ? [this.shown.map((rule) => this.row(rule)), h("p", { class: "end-of-list" }, t("rules.count", { n: this.shown.length }))]
      : this.all?.length ? stateBox(t("rules.none_match"), "", h("button", { onclick: () => this.clear() }, t("list.clear_filters"))) : stateBox(t("rules.empty"), t("rules.empty_note")));
    this.rows.scrollTop = scrollTop;
    this.mark();
  }

  clear() {
    this.search.value = "";
    this.wanted = { state: null, source: null, metric: null, search: "" };
    this.render();
  }

  row(rule) {
    const over = rule.withdrawn || !rule.enabled;
    return h("div", { class: `row rule${over ? " over" : ""}`, role: "option", "aria-selected": "false", "data-id": rule.id, onclick: () => this.choose(rule.id, true) },
      glyph(rule.severity, over ? "over" : "acts", t(`severity.${rule.severity}`)), h("span", { class: "what", title: said(rule.meaning) }, h("span", { class: "kinds" }, said(rule.name)), h("small", {}, rule.id)),
      h("span", { class: "limit" }, measured(rule.limit, rule.unit), h("small", {}, `${said(rule.metric_name)} · ${said(rule.compares_name)}`)),
      h("span", { class: "source" }, said(rule.source_name), h("small", {}, standingWord(rule), rule.overrides ? ` · ${t("rules.overrides", { n: rule.overrides })}` : "")),
      h("span", { class: "when" }, t("rules.version", { n: rule.version }), h("small", {}, moment(rule.changed_at))));
  }

  mark() {
    for (const element of this.rows.querySelectorAll(".row")) {
      const chosen = element.dataset.id === this.chosen;
      element.setAttribute("aria-selected", String(chosen));
      if (chosen && !this.rows.matches(":hover")) element.scrollIntoView({ block: "nearest" });
    }
  }

  renderFacets() {
    const rules = this.all ?? [];
    const section = (name, values, word) => h("section", {}, h("h2", {}, t(`rules.by_${name}`)), h("ul", {}, values.map((value) => {
      const count = rules.filter((rule) => this.fits(rule, name) && (name === "state" ? stateOf(rule) : rule[name]) === value && (name === "state" || this.wanted.state || !rule.withdrawn)).length;
      const pressed = this.wanted[name] === value;
      return h("li", {}, h("button", { class: "facet", "aria-pressed": String(pressed), "data-facet": `${name}:${value}`, onclick: () => { this.wanted[name] = pressed ? null : value; this.render(); } }, word(value), h("span", { class: `figure${count ? "" : " none"}` }, String(count))));
    })));
    const metrics = [...new Map(rules.map((rule) => [rule.metric, said(rule.metric_name)])).entries()];
    const fresh = this.me.makes_rules ? h("button", { class: "put-down", onclick: () => this.edit(true) }, t("rules.new"), h("kbd", {}, "n")) : null;
    fill(this.facets, fresh, this.search, section("state", STATES, (value) => t(`rules.state.${value}`)), section("source", SOURCES, (value) => t(`rule.source.${value}`)), section("metric", metrics.map(([name]) => name), (value) => new Map(metrics).get(value)));
  }
}

/** Every row of a list, page by page. Throws Failure. */
async function every(path) {
  const items = [];
  let metrics = [];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await call("GET", `${path}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...body.items);
    metrics = body.metrics;
    cursor = body.next;
  }
  return { items, metrics };
}
