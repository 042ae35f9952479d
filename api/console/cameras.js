// The page of cameras (摄像机): how each is, zones that nobody sees on top; and beside it the holds on evidence and the patrol rounds.
import { drawAreas } from "./camera_areas.js";
import { CameraDetail } from "./camera_detail.js";
import { TROUBLES, figureWord, rate, seconds, seesNote, seesWord, signedSeconds, troublesOf } from "./camera_words.js";
import { fill, h, stateBox, stepFrom } from "./dom.js";
import { askHold } from "./evidence_holds.js";
import { Holds } from "./holds.js";
import { allZones } from "./hazard_forms.js";
import { gradeChip } from "./list.js";
import { Failure, call } from "./net.js";
import { Patrols } from "./patrols.js";
import { absolute, now } from "./time.js";
import { t } from "./words.js";

const AGAIN = 5_000; // ms until a page that is shown asks again
const SITE_AGAIN = 120_000; // ms until it asks again for what the site file says
const VIEWS = ["cameras", "holds", "patrols"];

export class Cameras {
  /** `calls`: toast(text, wrong), showIncidents(search, zone). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.unwatched = [];
    [this.all, this.blind, this.shown, this.chosen, this.view] = [null, [], [], null, "cameras"];
    this.wanted = { trouble: null, zone: null };
    this.facets = h("nav", { class: "facets", "aria-label": t("cameras.title") });
    this.alert = h("div", { class: "blind-zones", role: "alert", hidden: true });
    this.gaps = h("div", { class: "unwatched-zones", hidden: true });
    this.rows = h("div", { class: "rows", role: "listbox", tabindex: 0, "aria-label": t("cameras.title") });
    this.asOf = h("p", { class: "end-of-list" });
    const columns = ["camera", "sees", "rates", "age", "reconnects", "drift"].map((name) => h("span", {}, t(`cameras.column.${name}`)));
    this.list = h("section", { class: "list", "aria-label": t("cameras.title") }, this.alert, this.gaps, h("div", { class: "columns camera-columns", "aria-hidden": true }, columns), this.rows);
    this.detail = new CameraDetail(me, { hold: (zone) => this.hold(zone), draw: (camera) => this.draw(camera), showIncidents: (camera) => calls.showIncidents(camera.id, camera.zone), back: () => this.detail.element.classList.remove("open") });
    this.holds = new Holds(me, { toast: calls.toast, enter: () => this.hold() });
    this.patrols = new Patrols(me, { toast: calls.toast, cameras: () => this.all ?? [] });
    this.element = h("main", { class: "desk camera-page" }, this.facets, this.list, this.detail.element);
  }

  /** Shown: in the view it was left in. */
  async open() {
    await this.load();
    this.panel()?.load();
  }

  panel() { return { holds: this.holds, patrols: this.patrols }[this.view] ?? null; }

  show(view) {
    this.view = view;
    const panel = this.panel();
    this.element.replaceChildren(this.facets, ...(panel ? [panel.element] : [this.list, this.detail.element]));
    this.renderFacets();
    panel?.load();
  }

  async load() {
    const asking = this.asking = {};
    this.askedAt = now();
    if (!this.all) fill(this.rows, stateBox(t("cameras.loading"), ""));
    try {
      if (!this.site || now() - this.site.at > SITE_AGAIN) this.site = { at: now(), zones: await allZones(), devices: await every("/devices") };
      const statuses = await every("/cameras");
      if (asking !== this.asking) return;
      this.take(statuses);
      this.wrong = false;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking) return;
      this.wrong = true;
      if (!this.all) return fill(this.rows, stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
    this.render();
  }

  take({ items, blind, unwatched }) {
    const zones = new Map(this.site.zones.map((zone) => [zone.id, zone]));
    const known = new Map(items.map((status) => [status.camera, status]));
    const registered = this.site.devices.items.filter((device) => device.type === "camera" && !device.shared);
    const own = [...registered.map((device) => ({ id: device.id, zone: device.zone })), ...items.filter((status) => !registered.some((device) => device.id === status.camera)).map((status) => ({ id: status.camera, zone: status.zone }))];
    [this.blind, this.unwatched] = [blind, unwatched].map((ids) => ids.map((id) => zones.get(id) ?? { id, name: id, grade: null }));
    this.all = own.map((camera) => {
      const zone = zones.get(camera.zone);
      const made = { ...camera, zoneName: zone?.name ?? camera.zone, grade: zone?.grade ?? null, status: known.get(camera.id) ?? null };
      return { ...made, troubles: troublesOf(made, blind.includes(camera.zone)) };
    });
  }

  tick() {
    this.patrols.tick();
    if (this.element.isConnected && !document.hidden && this.askedAt && now() - this.askedAt > AGAIN) this.load();
  }

  choose(id, open = false) {
    const camera = this.all?.find((each) => each.id === id);
    if (!camera) return;
    this.chosen = id;
    this.mark();
    this.detail.show(camera, open);
  }

  /** What a key does here; false where it does nothing. */
  key(name) {
    if (this.view !== "cameras") return this.panel().key?.(name) ?? false;
    const step = (n) => () => this.choose(stepFrom(this.shown.map((camera) => camera.id), this.chosen, n));
    const act = { j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1), Enter: () => this.detail.element.classList.add("open") }[name];
    act?.();
    return Boolean(act);
  }

  async hold(zone = "") {
    try {
      const made = await askHold({ zone });
      if (!made) return;
      this.calls.toast(t("hold.entered", { zone: made.zone_name }));
      this.holds.load();
    } catch (failure) {
      if (failure.status === undefined) throw failure;
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
    }
  }

  async draw(camera) {
    try {
      if (!await drawAreas(camera)) this.calls.toast(t("areas.no_picture"), true);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
    }
  }

  // --- how it looks ---
  fits(camera, but = "") {
    const { trouble, zone } = this.wanted;
    return (but === "trouble" || !trouble || (trouble === "any" ? camera.troubles.length > 0 : camera.troubles.includes(trouble))) && (but === "zone" || !zone || camera.zone === zone);
  }

  render() {
    const rank = (camera) => (camera.troubles.length ? TROUBLES.indexOf(camera.troubles[0]) : TROUBLES.length);
    const found = this.all.filter((camera) => this.fits(camera)).sort((a, b) => rank(a) - rank(b) || (a.zoneName < b.zoneName ? -1 : a.zoneName > b.zoneName ? 1 : a.id < b.id ? -1 : 1));
    const before = this.shown.map((camera) => camera.id);
    if (this.rows.matches(":hover") && found.length === before.length && found.every((camera) => before.includes(camera.id))) found.sort((a, b) => before.indexOf(a.id) - before.indexOf(b.id)); // nothing moves under the pointer
    this.shown = found;
    this.renderBlind();
    this.renderFacets();
    const { scrollTop } = this.rows;
    fill(this.asOf, this.wrong ? t("cameras.old", { time: absolute(this.askedAt) }) : t("cameras.count", { n: found.length }));
    fill(this.rows, found.length ? [found.map((camera) => this.row(camera)), this.asOf]
      : this.all.length ? stateBox(t("cameras.none_match"), "", h("button", { onclick: () => { this.wanted = { trouble: null, zone: null }; this.render(); } }, t("list.clear_filters"))) : stateBox(t("cameras.empty"), t("cameras.empty_note")));
    this.rows.scrollTop = scrollTop;
    const chosen = this.all.find((camera) => camera.id === this.chosen);
    if (chosen) this.detail.show(chosen);
    else if (found.length && matchMedia("(min-width: 901px)").matches) this.choose(found[0].id);
    this.mark();
  }

  renderBlind() {
    this.alert.hidden = !this.blind.length;
    this.gaps.hidden = !this.unwatched.length;
    const name = (zone) => [gradeChip(zone.grade), zone.name];
    fill(this.alert, h("strong", {}, t("cameras.blind", { n: this.blind.length })), h("ul", {}, this.blind.map((zone) => h("li", {}, h("button", { class: "plain", onclick: () => { this.wanted = { trouble: null, zone: zone.id }; this.render(); } }, name(zone))))));
    fill(this.gaps, h("strong", {}, t("cameras.unwatched", { n: this.unwatched.length })), this.unwatched.map((zone) => h("span", {}, name(zone))));
  }

  row(camera) {
    const { status, troubles } = camera;
    const grave = troubles.includes("blind") ? "blind" : troubles.includes("unseen") || troubles.includes("unheard") ? "unseen" : "";
    const counted = Object.entries(status?.figures ?? {});
    const figure = (name, value, small = "") => h("span", { class: name }, h("span", {}, value), small ? h("small", {}, small) : null);
    const wrong = (name) => (troubles.includes(name) ? " wrong" : "");
    return h("div", { class: `row camera ${grave}`, role: "option", "aria-selected": "false", "data-id": camera.id, onclick: () => this.choose(camera.id, true) },
      h("span", { class: "what" }, h("b", {}, camera.id), h("small", {}, gradeChip(camera.grade), ` ${camera.zoneName}`)),
      h("span", { class: "sees" }, h("span", { class: troubles.length ? "trouble" : null }, troubles.length && !["blind", "unseen", "unheard"].includes(troubles[0]) ? t(`camera.trouble.${troubles[0]}`) : seesWord(camera)), h("small", {}, counted.length ? counted.map(figureWord).join(" · ") : seesNote(camera))),
      h("span", { class: "rates" }, status ? [`${rate(status.received_rate)} / ${rate(status.analysed_rate)}`, h("span", { class: "only-phone" }, ` ${t("camera.per_second")}`)] : "—"),
      figure(`age${wrong("slow")}`, status ? seconds(status.age) : "—"), figure("reconnects", status ? String(status.reconnects) : "—"), figure(`drift${wrong("clock")}`, status ? signedSeconds(status.drift) : "—"));
  }

  mark() {
    for (const element of this.rows.querySelectorAll(".row")) element.setAttribute("aria-selected", String(element.dataset.id === this.chosen));
  }

  renderFacets() {
    const all = this.all ?? [];
    const facet = (group, value, word, count) => {
      const pressed = this.wanted[group] === value;
      return h("li", {}, h("button", { class: "facet", "aria-pressed": String(pressed), "data-facet": `${group}:${value}`, onclick: () => { this.wanted[group] = pressed ? null : value; this.render(); } }, word, h("span", { class: `figure${count ? "" : " none"}` }, String(count))));
    };
    const count = (group, test) => all.filter((camera) => this.fits(camera, group) && test(camera)).length;
    const section = (name, items) => h("section", {}, h("h2", {}, t(`cameras.by_${name}`)), h("ul", {}, items));
    const zones = [...new Map(all.map((camera) => [camera.zone, camera.zoneName])).entries()].sort((a, b) => (a[1] < b[1] ? -1 : 1));
    fill(this.facets, h("section", {}, h("ul", {}, VIEWS.map((name) => h("li", {}, h("button", { class: "facet", "data-view": name, "aria-pressed": String(this.view === name), onclick: () => this.show(name) }, t(`cameras.view.${name}`)))))),
      this.view === "cameras" ? [section("trouble", ["any", ...TROUBLES].map((name) => facet("trouble", name, t(`camera.trouble.${name}`), count("trouble", (camera) => (name === "any" ? camera.troubles.length > 0 : camera.troubles.includes(name)))))),
        section("zone", zones.map(([id, name]) => facet("zone", id, name, count("zone", (camera) => camera.zone === id))))] : null);
  }
}

/** Every row of a list, page by page, and the zones that it names. Throws Failure. */
async function every(path) {
  const items = [];
  let [blind, unwatched] = [[], []];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await call("GET", `${path}?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...body.items);
    [blind, unwatched] = [body.blind_zones ?? blind, body.unwatched_zones ?? unwatched];
    cursor = body.next;
  }
  return { items, blind, unwatched };
}
