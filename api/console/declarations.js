// The page 作业票与申报: what is in force now by zone, what has yet to begin, what was; entering and ending it.
import { fill, h, stateBox } from "./dom.js";
import { askEnd, enter, ENTERED_HERE } from "./declaration_forms.js";
import { who } from "./hazard_words.js";
import { Failure, call } from "./net.js";
import { absolute, dueIn, moment, now } from "./time.js";
import { said, t } from "./words.js";

const PAGE = 50;
const MOST = 500;
const OVER = "state=ended&state=expired&state=withdrawn";

export class Declarations {
  /** `calls`: toast(text, wrong), showHazard(id). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.shown = null;
    this.kind = "";
    this.element = h("main", { class: "desk declarations", tabindex: -1 });
  }

  async load() {
    const asking = this.asking = {}; // an answer to an earlier question comes too late
    if (!this.shown) fill(this.element, stateBox(t("declarations.loading"), ""));
    try {
      const [force, entered, over] = await Promise.all([`state=in_force&limit=${MOST}`, `state=entered&limit=${MOST}`, `${OVER}&limit=${PAGE}${this.narrowed()}`]
        .map((query) => call("GET", `/declarations?${query}`)));
      if (asking !== this.asking) return;
      this.shown = { force: force.body.items, entered: entered.body.items, over: over.body.items, next: over.body.next };
      this.render();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking || this.shown) return;
      fill(this.element, stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
  }

  narrowed() { return this.kind ? `&kind=${this.kind}` : ""; }

  async more() {
    const { body } = await call("GET", `/declarations?${OVER}&limit=${PAGE}${this.narrowed()}&cursor=${encodeURIComponent(this.shown.next)}`);
    this.shown.over.push(...body.items);
    this.shown.next = body.next;
    this.render();
  }

  /** Somebody declared something, or ended it: others hear of it on every page. */
  take(notice) {
    if (notice.actor !== this.me.id) this.calls.toast(t("declarations.told", { event: said(notice.event_name), what: whatOf(notice.declaration), zone: said(notice.declaration.zone_name) }));
  }

  tick() {
    for (const element of this.element.querySelectorAll("[data-until]")) element.textContent = dueIn(element.dataset.until);
    const due = this.shown?.force.some((each) => each.ends_at && Date.parse(each.ends_at) <= now()) || this.shown?.entered.some((each) => Date.parse(each.starts_at) <= now());
    if (due && !this.turning) { // time alone begins and ends it; the server's clock may be a moment behind
      this.turning = setTimeout(() => { this.turning = null; this.load(); }, 2000);
    }
  }

  async enter(kind) {
    const made = await enter(kind);
    if (!made) return;
    this.calls.toast(t("declarations.entered", { what: whatOf(made), zone: said(made.zone_name) }));
    await this.load();
  }

  async end(declaration) {
    const after = await askEnd(declaration, whatOf(declaration), () => this.load());
    if (!after) return;
    this.calls.toast(`${whatOf(after)} · ${said(after.standing_name)}`);
    await this.load();
  }

  // --- how it looks ---
  render() {
    const { force, entered, over, next } = this.shown;
    const { scrollTop } = this.element;
    const kinds = ENTERED_HERE.filter((kind) => this.me.declares.includes(kind));
    const buttons = kinds.map((kind) => h("button", { class: ["permit", "key_period"].includes(kind) && kind === kinds[0] ? "primary" : null, "data-kind": kind, onclick: () => this.enter(kind) }, t(`declarations.enter.${kind}`)));
    fill(this.element, h("div", { class: "declaration-page" },
      h("header", {}, h("h1", {}, t("declarations.title")), h("div", { class: "buttons" }, buttons)),
      h("section", { class: "declaration-list force", "aria-label": t("declarations.force") }, h("h2", {}, t("declarations.force"), h("small", {}, String(force.length))),
        force.length ? byZone(force).map(([zone, found]) => h("section", { class: "zone" }, h("h3", {}, zone), h("ul", {}, found.map((each) => this.row(each))))) : h("p", { class: "muted none" }, t("declarations.none_force"))),
      entered.length ? h("section", { class: "declaration-list entered", "aria-label": t("declarations.soon") }, h("h2", {}, t("declarations.soon"), h("small", {}, String(entered.length))),
        h("ul", {}, entered.toSorted((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at)).map((each) => this.row(each, true)))) : null,
      h("section", { class: "declaration-list over", "aria-label": t("declarations.over") }, h("h2", {}, t("declarations.over"), this.filter()),
        over.length ? h("ul", {}, over.map((each) => this.row(each, true))) : h("p", { class: "muted none" }, t("declarations.none_over")),
        next ? h("button", { onclick: () => this.more() }, t("list.more")) : null)));
    this.element.scrollTop = scrollTop;
    this.tick();
  }

  filter() {
    const kinds = ["permit", "calibration", "shutdown", "key_period", "shelved", "out_of_service", "stop_order", "measure"];
    const select = h("select", { "aria-label": t("declarations.by_kind"), onchange: () => { this.kind = select.value; this.load(); } },
      h("option", { value: "" }, t("declarations.all_kinds")), kinds.map((kind) => h("option", { value: kind }, t(`declaration.kind.${kind}`))));
    select.value = this.kind;
    return select;
  }

  row(each, withZone = false) {
    const open = ["entered", "in_force"].includes(each.standing);
    const facts = [each.guardian ? t("declarations.guardian", { name: each.guardian }) : null, listOf(each.devices), listOf(each.alarm_names.map(said)), said(each.reason)].filter(Boolean);
    const ended = each.ended_by ? t("declarations.ended_by", { by: who(each.ended_by), time: moment(each.ended_at), why: each.ended_why }) : null;
    return h("li", { class: "declaration", "data-id": each.id, "data-kind": each.kind },
      h("span", { class: "what" }, h("b", {}, whatOf(each)), withZone ? h("small", {}, said(each.zone_name)) : null),
      h("span", { class: "when" }, spanOf(each), open ? each.standing === "in_force" && each.ends_at ? h("small", { "data-until": each.ends_at }) : null : h("small", {}, said(each.standing_name))),
      h("span", { class: "facts-of" }, facts.join(" · "), ended ? h("small", {}, ended) : null),
      h("span", { class: "by" }, each.enterprise_name ?? "", h("small", {}, each.entered_by ? who(each.entered_by) : "")),
      h("span", { class: "do" }, each.may_end ? h("button", { onclick: () => this.end(each) }, t(each.standing === "entered" ? "declarations.withdraw" : "declarations.end"))
        : each.hazard ? h("button", { class: "plain link", onclick: () => this.calls.showHazard(each.hazard) }, t("declarations.hazard")) : null));
  }
}

/** In order of the zones' names, what is of the whole site first. */
function byZone(found) {
  const zones = new Map();
  for (const each of found.toSorted((a, b) => Number(a.zone !== "") - Number(b.zone !== "") || said(a.zone_name).localeCompare(said(b.zone_name)))) {
    const name = said(each.zone_name);
    zones.set(name, [...zones.get(name) ?? [], each]);
  }
  return [...zones];
}

const listOf = (names) => (names.length > 4 ? `${names.slice(0, 4).join(t("hazard.and"))} …` : names.join(t("hazard.and")));

/** "作业票 动火 一级", "停止令 停产停业整顿". */
export const whatOf = (declaration) => [declaration.kind_name, declaration.work_name, declaration.level_name, declaration.measure_name].filter(Boolean).map(said).join(" ");

/** "10:00:00–18:00:00": from when until when; without an end "自 …". */
export function spanOf(declaration) {
  if (!declaration.ends_at) return t("declarations.since", { time: moment(declaration.starts_at) });
  const [from, until] = [moment(declaration.starts_at), moment(declaration.ends_at)];
  return `${from}–${from.slice(0, -5) === until.slice(0, -5) ? until.slice(-5) : until}`;
}

/** One line for an incident: "作业票 动火 11-26 10:00–18:00 监护人 王五". */
export function lineOf(declaration) {
  const parts = [whatOf(declaration), spanOf(declaration), declaration.guardian ? t("declarations.guardian", { name: declaration.guardian }) : null, declaration.kind === "permit" ? null : said(declaration.reason) || null];
  const over = declaration.standing === "in_force" ? null : h("small", {}, said(declaration.standing_name));
  return h("div", { class: "declared", "data-kind": declaration.kind, title: t("declarations.entered_by", { by: declaration.entered_by ? who(declaration.entered_by) : "—", time: declaration.entered_at ? absolute(declaration.entered_at) : "—" }) }, parts.filter(Boolean).join(" "), over);
}
