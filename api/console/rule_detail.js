// One alarm rule in full: what it means, its numbers, its week, where it holds, the response sheet; and every version with what changed.
import { fill, h, stateBox } from "./dom.js";
import { card, rows, who } from "./hazard_words.js";
import { gradeChip } from "./list.js";
import { call } from "./net.js";
import { responseSheet } from "./response_sheet.js";
import { differences, lasting, measured } from "./rule_words.js";
import { glyph } from "./severity.js";
import { moment } from "./time.js";
import { weekStrip } from "./week_strip.js";
import { said, t } from "./words.js";

export class RuleDetail {
  /** `calls`: edit(), withdraw(), restore(version), back(). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.rule = null;
    this.names = new Map(); // zone to name, of all rules that were shown
    this.zoneName = (id) => this.names.get(id) ?? id;
    this.element = h("section", { class: "detail rule-detail", "aria-label": t("rules.title") }, stateBox(t("rules.none"), t("rules.none_note")));
  }

  async load(id, open = false) {
    if (open) this.element.classList.add("open");
    this.wanted = id;
    if (this.rule && this.rule.id !== id) { // nothing is done to the one before while the other is on its way
      this.rule = null;
      for (const button of this.element.querySelectorAll(".actions button, .versions button")) button.disabled = true;
    }
    try {
      const path = `/alarm-rules/${encodeURIComponent(id)}`;
      const [rule, versions] = await Promise.all([call("GET", path), this.me.enterprise ? null : call("GET", `${path}/versions?limit=100`)]);
      if (this.wanted !== id) return;
      this.show(rule.body, versions?.body.items ?? null);
    } catch (failure) {
      if (failure.status !== 401 && this.wanted === id) this.failed(failure, id);
    }
  }

  failed(failure, id) {
    this.rule = null;
    const [title, note] = failure.status === 404 ? ["rules.not_found", null] : ["error.title", failure.status === 0 ? "error.no_network" : "error.unavailable"];
    fill(this.element, this.backButton(), stateBox(t(title), note && t(note), note ? h("button", { onclick: () => this.load(id) }, t("error.retry")) : null));
  }

  backButton() { return h("button", { class: "plain back", onclick: () => this.calls.back(), "aria-label": t("detail.back") }, "‹"); }

  show(rule, versions) {
    const other = this.rule?.id !== rule.id;
    this.rule = rule;
    this.versions = versions;
    for (const each of rule.reach) this.names.set(each.zone, each.zone_name);
    if (other) this.element.scrollTop = 0;
    fill(this.element, this.head(rule), h("div", { class: "meaning" }, h("p", {}, said(rule.meaning)), this.origin(rule)), this.actions(rule),
      h("div", { class: "story" }, h("div", {}, responseSheet({ ...rule.response, rule: null }), this.numbers(rule), card(t("rule.field.schedule"), weekStrip(rule.rule.schedule)), this.reach(rule)), h("div", {}, this.history(rule, versions))));
  }

  head(rule) {
    return h("header", { class: "head" }, this.backButton(), glyph(rule.severity, rule.enabled && !rule.withdrawn ? "acts" : "over", t(`severity.${rule.severity}`), true), h("h2", {}, said(rule.name)),
      h("span", { class: "word" }, standingWord(rule)));
  }

  origin(rule) {
    const by = `${said(rule.change_name)} · ${who(rule.changed_by)} · ${moment(rule.changed_at)}`;
    return [h("p", { class: "muted" }, `${rule.id} · ${t("rules.version", { n: rule.version })} · ${said(rule.source_name)} · ${said(rule.basis_name)}`), h("p", { class: "muted" }, by, rule.reason ? ` · ${rule.reason}` : ""),
      rule.file ? h("p", { class: "differs" }, t("rules.differs")) : null];
  }

  actions(rule) {
    if (!rule.may_change) return null;
    return h("div", { class: "actions" }, h("button", { class: "primary", onclick: () => this.calls.edit() }, t("rules.edit"), h("kbd", {}, "e")),
      rule.may_withdraw ? h("button", { onclick: () => this.calls.withdraw() }, t("rules.withdraw"), h("kbd", {}, "w")) : null);
  }

  numbers(shown) {
    const { rule } = shown;
    const unit = shown.unit;
    return card(t("rules.numbers"), rows([
      [t("rule.field.metric"), said(shown.metric_name)], [t(`rule.compares.${rule.compares}`), h("strong", {}, measured(rule.limit, unit))], [t("rule.field.reference"), rule.reference === null ? null : measured(rule.reference, unit)],
      [t("rule.field.key_period_limit"), rule.key_period_limit === null ? null : measured(rule.key_period_limit, unit)], [t("rule.field.kind"), said(shown.kind_name)], [t("rule.field.deadband"), rule.deadband ? measured(rule.deadband, unit) : null],
      [t("rule.field.on_delay"), rule.on_delay ? lasting(rule.on_delay) : null], [t("rule.field.off_delay"), rule.off_delay ? lasting(rule.off_delay) : null], [t("rule.field.latching"), rule.latching ? t("rule.yes") : null],
      [t("rule.field.during"), rule.during.length ? rule.during.map((each) => t(`rule.during.${each}`)).join("、") : null],
    ]));
  }

  /** Where it holds, with what differs there; zones without a sensor of its metric are only counted. */
  reach(shown) {
    const { overrides } = shown.rule;
    const told = shown.reach.filter((each) => each.sensors.length || each.others.length || overrides[each.zone]);
    const silent = shown.reach.length - told.length;
    const line = (each) => {
      const own = overrides[each.zone];
      return h("tr", { class: each.enabled ? null : "off" }, h("th", { scope: "row" }, gradeChip(each.grade), ` ${each.zone_name}`), h("td", {}, each.enabled ? measured(each.limit, shown.unit) : t("rule.off"), own ? h("small", {}, [t("rules.own"), own.reason].filter(Boolean).join("：")) : null),
        h("td", {}, some(each.sensors), each.others.length ? h("small", {}, `${t("rules.others")} ${some(each.others)}`) : null));
    };
    const head = ["zone", "limit", "sensors"].map((name) => h("th", { scope: "col" }, t(`rules.column.${name}`)));
    return card(t("rules.reach"), told.length ? h("table", { class: "reach" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, told.map(line))) : h("p", { class: "muted" }, t("rules.nowhere")), silent ? h("p", { class: "muted" }, t("rules.without_sensor", { n: silent })) : null);
  }

  history(rule, versions) {
    if (!versions) return null;
    const line = (version, n) => {
      const before = versions[n + 1];
      const changed = before ? differences(before.rule, version.rule, this.zoneName) : [];
      return h("li", { "data-version": version.version }, h("div", { class: "top" }, h("strong", {}, `${t("rules.version", { n: version.version })} · ${said(version.change_name)}`), h("span", { class: "muted" }, `${who(version.by)} · ${said(version.source_name)}`), h("time", { datetime: version.at }, moment(version.at))),
        version.reason ? h("div", { class: "note" }, version.reason) : null, version.restored ? h("div", { class: "why" }, t("rules.restored", { n: version.restored })) : null, version.replaces ? h("div", { class: "flag" }, t("rules.replaces", { n: version.replaces })) : null,
        version.withdrawn ? h("div", { class: "why" }, t("rules.ended")) : null, changed.length ? differencesTable(changed) : null,
        n && rule.may_change ? h("button", { class: "plain link", onclick: () => this.calls.restore(version) }, t("rules.restore")) : null);
    };
    return [h("h3", {}, t("rules.history")), h("ol", { class: "versions" }, versions.map(line))];
  }
}

const some = (devices) => (devices.length ? devices.slice(0, 4).join("，") + (devices.length > 4 ? ` … ${devices.length}` : "") : "—");

/** What changed, field by field. */
export function differencesTable(changed) {
  const head = ["field", "before", "after"].map((name) => h("th", { scope: "col" }, t(`rules.column.${name}`)));
  return h("table", { class: "differences" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, changed.map(([name, before, after]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("del", {}, before)), h("td", {}, h("ins", {}, after))))));
}

/** "已撤回", "已停用", "生效中". */
export const standingWord = (rule) => t(rule.withdrawn ? "rules.state.withdrawn" : rule.enabled ? "rules.state.on" : "rules.state.off");
