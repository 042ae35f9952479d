// Holds on evidence (证据封存) that stand, and those that were lifted.
import { fill, h, stateBox } from "./dom.js";
import { askLift, span } from "./evidence_holds.js";
import { who } from "./hazard_words.js";
import { Failure, call } from "./net.js";
import { moment } from "./time.js";
import { t } from "./words.js";

const LIFTED = 50;

export class Holds {
  /** `calls`: toast(text, wrong), enter(). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.element = h("section", { class: "pane holds", "aria-label": t("cameras.view.holds") });
  }

  async load() {
    const asking = this.asking = {};
    if (!this.found) fill(this.element, stateBox(t("hold.loading"), ""));
    try {
      const [standing, lifted] = await Promise.all([allStanding(), call("GET", `/evidence-holds?standing=false&limit=${LIFTED}`).then(({ body }) => body.items)]);
      if (asking !== this.asking) return;
      this.found = { standing, lifted };
      this.render();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking) return;
      fill(this.element, stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
  }

  async lift(hold) {
    const made = await askLift(hold);
    if (made) this.calls.toast(t("hold.lifted", { zone: made.zone_name }));
    this.load();
  }

  render() {
    const { standing, lifted } = this.found;
    const list = (name, holds) => h("section", { class: "hold-list", "data-list": name }, h("h3", {}, t(`hold.list.${name}`), h("small", {}, String(holds.length))),
      holds.length ? h("ul", {}, holds.map((hold) => this.row(hold))) : h("p", { class: "muted" }, t(`hold.none.${name}`)));
    fill(this.element, h("header", {}, h("h2", {}, t("cameras.view.holds")), this.me.holds_evidence ? h("button", { class: "primary", onclick: () => this.calls.enter() }, t("hold.enter")) : null),
      h("p", { class: "muted" }, t("hold.what")), list("standing", standing), lifted.length ? list("lifted", lifted) : null);
  }

  row(hold) {
    return h("li", { class: "hold", "data-id": hold.id }, h("span", {}, h("b", {}, hold.zone_name), h("small", {}, span(hold))), h("span", { class: "why" }, hold.reason),
      h("span", { class: "muted" }, who(hold.entered_by), h("small", {}, moment(hold.entered_at))),
      hold.lifted_at ? h("span", { class: "muted" }, `${t("hold.list.lifted")} · ${who(hold.lifted_by)}`, h("small", {}, `${moment(hold.lifted_at)} · ${hold.lifted_reason}`))
        : h("span", { class: "do" }, this.me.holds_evidence ? h("button", { onclick: () => this.lift(hold) }, t("hold.lift")) : null));
  }
}

async function allStanding() {
  const found = [];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await call("GET", `/evidence-holds?standing=true&limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    found.push(...body.items);
    cursor = body.next;
  }
  return found;
}
