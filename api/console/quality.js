// The page of alarm quality (报警质量): how much the alarms ask of the people, each figure with its target, its verdict and who says so.
import { fill, h, stateBox } from "./dom.js";
import { Failure, call } from "./net.js";
import { number, strip } from "./quality_strip.js";
import { glyph, part } from "./severity.js";
import { absolute, moment, now } from "./time.js";
import { said, t } from "./words.js";

const DAYS = [1, 7, 31];
const AGAIN = 60_000; // ms until a page that is shown asks again
const GROUPS = {
  load: ["rate_average", "rate_maximum", "per_day", "share_above_1", "share_above_2", "share_above_10"],
  floods: ["flood_share", "flood_count", "flood_longest", "flood_peak"],
  standing: ["standing", "stale", "unacknowledged"],
  nuisance: ["chattering", "top_ten_share", "raised"],
  response: ["acknowledged_median", "acknowledged_p90", "acknowledged_maximum", "never_acknowledged"],
};
const MARKS = { good: "●", manageable: "▲", overloaded: "■" };

export class AlarmQuality {
  /** `calls`: showIncidents(search, zone), to the list of incidents narrowed to what a bad actor raised. */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.days = 1;
    this.position = "";
    this.quality = null;
    this.body = h("div", { class: "quality-body" });
    this.head = h("header", { class: "quality-head" });
    this.element = h("main", { class: "desk quality", tabindex: -1 }, this.head, this.body);
  }

  async load() {
    const asking = this.asking = {}; // an answer to an earlier question comes too late
    this.askedAt = now();
    if (!this.quality) { this.renderHead(); fill(this.body, stateBox(t("quality.loading"), "")); }
    const from = encodeURIComponent(new Date(now() - this.days * 86_400_000).toISOString());
    try {
      const { body } = await call("GET", `/alarm-quality?from=${from}${this.position ? `&position=${encodeURIComponent(this.position)}` : ""}${this.me.synthetic ? "&synthetic=true" : ""}`);
      if (asking !== this.asking) return;
      this.quality = body;
      this.wrong = null;
      this.render();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking) return;
      this.fail(failure);
    }
  }

  fail(failure) {
    this.wrong = failure;
    const text = failure.status === 422 ? failure.message : t(failure.status === 0 ? "error.no_network" : "error.unavailable");
    if (this.quality && failure.status !== 422) { this.renderHead(); return; } // what is shown says how old it is
    this.quality = null;
    this.renderHead();
    fill(this.body, stateBox(t("error.title"), text, h("button", { onclick: () => this.load() }, t("error.retry"))));
  }

  tick() {
    if (this.element.isConnected && this.askedAt && now() - this.askedAt > AGAIN) this.load();
  }

  ask(change) {
    Object.assign(this, change);
    this.quality = null;
    this.load();
  }

  // --- how it looks ---
  renderHead() {
    const { quality } = this;
    const focused = document.activeElement?.dataset?.days;
    const windows = h("div", { class: "choices", role: "group", "aria-label": t("quality.window") }, DAYS.map((days) => h("button", { "aria-pressed": String(days === this.days), "data-days": days, onclick: () => this.ask({ days }) }, t("quality.days", { n: days }))));
    const positions = quality && quality.positions.length > 1 ? h("label", { class: "position" }, t("quality.position"), h("select", { onchange: (event) => this.ask({ position: event.target.value }) },
      [["", t("quality.every_position")], ...quality.positions.map((each) => [each.id, each.name || each.id])].map(([id, name]) => h("option", { value: id, selected: id === this.position }, name)))) : null;
    const state = !quality ? null : this.wrong ? h("p", { class: "as-of wrong", role: "alert" }, t("quality.old", { time: absolute(quality.end) })) : h("p", { class: "as-of" }, t("quality.as_of", { time: moment(quality.end) }), quality.synthetic ? ` · ${t("quality.synthetic")}` : null);
    fill(this.head, h("h2", {}, t("quality.title")), windows, positions, state);
    if (focused) this.head.querySelector(`[data-days="${focused}"]`)?.focus();
  }

  render() {
    const { quality } = this;
    const { scrollTop } = this.element;
    this.of = Object.fromEntries(quality.figures.map((figure) => [figure.name, figure]));
    this.renderHead();
    const none = this.of.annunciated.value === 0 && this.of.raised.value === 0;
    fill(this.body, none ? stateBox(t("quality.none"), t("quality.none_note")) : null,
      none ? null : section("rates", t("quality.rates"), this.live(), strip(quality)),
      h("div", { class: "quality-groups" }, Object.entries(GROUPS).map(([name, figures]) => section("group", t(`quality.group.${name}`), h("ul", { class: "quality-figures" }, figures.map((each) => figureItem(this.of[each])))))),
      none ? null : h("div", { class: "quality-cards" }, section("severities", t("quality.severities"), severities(quality, this.of)), section("flood-list", t("quality.floods"), floods(quality)), quality.positions.length > 1 ? section("positions", t("quality.positions"), positionTable(quality)) : null),
      none ? null : section("actors", t("quality.bad_actors"), this.actors(quality.bad_actors, "quality.no_actors")),
      none || !quality.chattering.length ? null : section("actors", t("quality.chattering"), this.actors(quality.chattering, "quality.no_actors")),
      h("p", { class: "muted foot" }, t("quality.foot")));
    this.element.scrollTop = scrollTop;
  }

  live() {
    const { now: present } = this.quality;
    if (!present) return null;
    return h("p", { class: `live${present.flood ? " flooding" : ""}` }, h("b", {}, number(present.rate)), ` ${t("quality.last_ten")}`, present.flood ? h("strong", {}, ` ■ ${t("quality.flood_now")}`) : null);
  }

  actors(actors, empty) {
    if (!actors.length) return h("p", { class: "muted" }, t(empty));
    const most = Math.max(...actors.map((each) => each.share));
    return h("div", { class: "scrolls" }, h("table", {}, h("thead", {}, h("tr", {}, ["device", "kind", "zone", "alarms", "share", "chatters"].map((name) => h("th", { scope: "col", class: `c-${name}` }, t(`quality.column.${name}`))))),
      h("tbody", {}, actors.map((each) => h("tr", {}, h("th", { scope: "row" }, h("button", { class: "plain link", title: t("quality.show_incidents"), onclick: () => this.calls.showIncidents(each.device, each.zone) }, each.device)),
        h("td", { class: "c-kind" }, said(each.kind_name)), h("td", { class: "c-zone" }, each.zone_name || each.zone), h("td", { class: "figure" }, String(each.alarms)), h("td", { class: "figure share" }, bar(each.share / most), percent(each.share)), h("td", { class: "figure" }, each.chatters ? String(each.chatters) : "—"))))));
  }
}

const section = (name, title, ...children) => h("section", { class: `quality-section ${name}`, "aria-label": title }, h("h3", {}, title), children);
const percent = (share) => `${number(share < 0.1 ? share * 100 : Math.round(share * 100))} %`;

function shown(value, unit) {
  if (value === null) return "—";
  if (unit === "share") return percent(value);
  return unit === "seconds" ? duration(value) : number(value);
}

function duration(seconds) {
  if (seconds < 60) return t("since.seconds", { n: Math.round(seconds) });
  if (seconds < 3600) return t("since.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 86400) return t("since.hours", { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) });
  return t("since.days", { d: Math.floor(seconds / 86400), h: Math.floor((seconds % 86400) / 3600) });
}

function figureItem(figure) {
  return h("li", { "data-figure": figure.name, class: figure.verdict ?? null }, h("span", { class: "label" }, said(figure.label)), h("b", {}, shown(figure.value, figure.unit)),
    figure.verdict ? h("span", { class: "verdict" }, h("i", { "aria-hidden": true }, MARKS[figure.verdict]), ` ${said(figure.verdict_name)}`) : null,
    figure.target ? h("small", {}, targetWords(figure)) : null);
}

/** "target ≤ 1, up to 2 manageable · EEMUA 191 (to be checked)". */
function targetWords({ target, unit }) {
  const sign = target.good === 0 ? "" : target.at_least ? (target.strict ? ">" : "≥") : target.strict ? "<" : "≤";
  const second = target.manageable === target.good ? "" : t("quality.second", { sign, value: shown(target.manageable, unit), basis: target.second ? t("quality.second_ours") : "" });
  return `${t("quality.target", { sign, value: shown(target.good, unit) })}${second} · ${said(target.basis_name)}${target.check ? t("quality.check") : ""}`;
}

/** A bar of 0 to 1; `mark`: where the target stands. */
function bar(share, mark = null, severity = null) {
  const svg = part("svg", { class: "share-bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (severity) svg.dataset.severity = severity;
  svg.append(part("rect", { class: "ground", width: 100, height: 8 }), part("rect", { class: "value", width: Math.max(0, Math.min(1, share)) * 100, height: 8 }));
  if (mark !== null) svg.append(part("rect", { class: "mark-line", x: mark * 100 - 0.4, y: 0, width: 0.8, height: 8 }));
  return svg;
}

const severities = (quality, of) => h("ul", { class: "severity-bars" }, quality.severities.map(({ severity, alarms }) => {
  const figure = of[`severity_${severity}_share`];
  return h("li", { "data-figure": figure.name }, glyph(severity, "acts", t(`severity.${severity}`)), bar(figure.value ?? 0, figure.target.good), h("b", {}, shown(figure.value, "share")), h("span", { class: "muted" }, t("quality.count", { n: alarms })),
    h("small", {}, figure.verdict ? [h("i", { "aria-hidden": true }, MARKS[figure.verdict]), ` ${said(figure.verdict_name)} · `] : null, targetWords(figure)));
}));

function floods(quality) {
  if (!quality.floods.length) return h("p", { class: "muted" }, t("quality.no_floods"));
  const newest = quality.floods.toReversed().slice(0, 10);
  return h("div", { class: "scrolls" }, h("table", {}, h("thead", {}, h("tr", {}, ["start", "length", "peak", "alarms"].map((name) => h("th", { scope: "col" }, t(`quality.column.${name}`))))),
    h("tbody", {}, newest.map((flood) => h("tr", {}, h("th", { scope: "row" }, moment(flood.start)), h("td", { class: "figure" }, duration(flood.seconds), flood.end ? null : ` ${t("quality.goes_on")}`), h("td", { class: "figure" }, String(flood.peak)), h("td", { class: "figure" }, String(flood.alarms)))))));
}

const positionTable = (quality) => h("div", { class: "scrolls" }, h("table", {}, h("thead", {}, h("tr", {}, ["position", "seats", "rate", "maximum", "flood"].map((name) => h("th", { scope: "col" }, t(`quality.column.${name}`))))),
  h("tbody", {}, quality.positions.map((each) => h("tr", {}, h("th", { scope: "row" }, each.name || each.id), h("td", { class: "figure" }, String(each.seats)), ...["rate", "maximum", "flood"].map((name) => h("td", { class: `figure ${each[name].verdict ?? ""}` }, h("i", { "aria-hidden": true }, MARKS[each[name].verdict] ?? ""), ` ${shown(each[name].value, each[name].unit)}`)))))));
