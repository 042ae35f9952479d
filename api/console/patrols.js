// Patrol rounds (在线远程巡查): starting one over chosen zones, going through it, and what was judged in earlier ones.
import { fill, h, stateBox } from "./dom.js";
import { number, several } from "./hazard_fields.js";
import { openForm } from "./hazard_forms.js";
import { who } from "./hazard_words.js";
import { Failure, call } from "./net.js";
import { PatrolRun } from "./patrol_run.js";
import { moment } from "./time.js";
import { t } from "./words.js";

const PAGE = 50;
const SECONDS = 15;
/** A name for this request: repeated by a broken line, it is still one round. */
const requestName = () => `console-${Date.now()}-${Math.random().toString(36).slice(2)}`;
const path = (round) => `/patrol-rounds/${encodeURIComponent(round.id)}`;

export class Patrols {
  /** `calls`: toast(text, wrong), cameras(): all of them, with their zone's name. */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.run = null;
    this.element = h("section", { class: "pane patrols", "aria-label": t("cameras.view.patrols") });
  }

  async load() {
    if (this.run) return;
    const asking = this.asking = {};
    if (!this.rounds) fill(this.element, stateBox(t("patrol.loading"), ""));
    try {
      const { body } = await call("GET", `/patrol-rounds?limit=${PAGE}`);
      if (asking !== this.asking || this.run) return;
      this.rounds = body.items;
      this.render();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking) return;
      fill(this.element, stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
  }

  async start() {
    const zones = [...new Map(this.calls.cameras().map((camera) => [camera.zone, camera.zoneName])).entries()].sort((a, b) => (a[1] < b[1] ? -1 : 1));
    const where = several("zones", t("patrol.zones"), zones, { hint: t("patrol.zones_hint") });
    const seconds = number("seconds", t("patrol.seconds"), { least: 3, most: 600, needed: true });
    seconds.input.value = SECONDS;
    const name = requestName();
    const round = await openForm(t("patrol.start"), [where, seconds], { label: t("patrol.start"), about: h("p", { class: "muted" }, t("patrol.what")),
      send: async (given) => (await call("POST", "/patrol-rounds", { command_id: name, ...given })).body });
    if (round) this.go(round);
  }

  /** Through `round`, from the first camera that nobody has judged. */
  go(round) {
    this.run = new PatrolRun(round, this.me, { toast: this.calls.toast, left: () => { this.run = null; this.load(); } });
    fill(this.element, this.run.element);
    this.run.begin();
  }

  tick() { this.run?.tick(); }

  key(name) { return this.run?.key(name) ?? false; }

  async whole(round) {
    try { return (await call("GET", path(round))).body; } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
      return null;
    }
  }

  async goOn(round) {
    const whole = await this.whole(round);
    if (whole) this.go(whole);
  }

  // --- how it looks ---
  render() {
    fill(this.element, h("header", {}, h("h2", {}, t("cameras.view.patrols")), this.me.patrols ? h("button", { class: "primary", onclick: () => this.start() }, t("patrol.start")) : null),
      h("p", { class: "muted" }, t("patrol.what")),
      this.rounds.length ? h("ul", { class: "rounds" }, this.rounds.map((round) => this.row(round))) : h("p", { class: "muted none" }, t("patrol.none")));
  }

  row(round) {
    const looks = h("div", {});
    const counts = ["normal", "abnormal", "no_picture", "unjudged"].filter((name) => round[name] || name === "normal").map((name) => h("span", { class: name === "abnormal" ? "abnormal" : null }, t(`patrol.count.${name}`, { n: round[name] })));
    const details = h("details", { ontoggle: async (event) => {
      if (!event.target.open || looks.childElementCount) return;
      const whole = await this.whole(round);
      if (whole) fill(looks, h("ul", { class: "looks" }, whole.looks.map(lookLine)));
    } }, h("summary", {}, t("patrol.cameras", { n: round.cameras })), looks);
    return h("li", { class: "round", "data-id": round.id }, h("span", {}, h("b", {}, moment(round.started_at)), h("small", {}, who(round.started_by))), h("span", { class: "counts" }, counts), details,
      h("span", { class: "do" }, round.ended_at ? h("span", { class: "muted" }, t("patrol.ended", { time: moment(round.ended_at) })) : this.me.patrols ? h("button", { onclick: () => this.goOn(round) }, t("patrol.go_on")) : h("span", { class: "muted" }, t("patrol.goes_on"))));
  }
}

/** One camera of a round: what was judged, by whom, when. */
export const lookLine = (look) => h("li", { class: look.judgement === "abnormal" ? "abnormal" : null, "data-camera": look.camera }, h("b", {}, look.camera), h("span", { class: "muted" }, look.zone_name),
  h("span", {}, t(`patrol.judged.${look.judgement ?? "unjudged"}`), look.note ? ` · ${look.note}` : null, look.judgement && !look.pictured ? h("small", {}, ` ${t("patrol.unpictured")}`) : null),
  h("span", { class: "muted" }, look.judged_by ? `${who(look.judged_by)} · ${moment(look.judged_at)}` : ""));
