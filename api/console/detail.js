// One incident in full: the picture, the facts, what to do, the merged alarms with their reasons, the record.
import { loadZoneHazards, tickDue } from "./both_ways.js";
import { askEnd, askSilence } from "./declaration_forms.js";
import { cueLine } from "./cue_words.js";
import { lineOf, whatOf } from "./declarations.js";
import { fill, h, stateBox } from "./dom.js";
import { EvidenceView } from "./evidence.js";
import { askHold } from "./evidence_holds.js";
import { isForbidden } from "./incident_forms.js";
import { gradeChip, kindsOf, raisedNote, severityWord } from "./list.js";
import { call } from "./net.js";
import { responseSheet } from "./response_sheet.js";
import { glyph, isNeverSuppressed, isUnacknowledged, standingOf } from "./severity.js";
import { absolute, length, since } from "./time.js";
import { said, t } from "./words.js";

export class Detail {
  /** `calls`: command(name), propose(), showHazard(id), showRule(id), toast(text), back(). `me`: who is signed in. */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.incident = null;
    this.element = h("section", { class: "detail", "aria-label": t("list.column.what") });
    this.none();
  }

  none() {
    this.incident = null;
    this.evidence?.stop();
    this.element.classList.remove("open");
    fill(this.element, stateBox(t("detail.none"), t("detail.none_note")));
  }

  /** Show `incident`; `open` brings it to the front on a phone. */
  show(incident, open = false) {
    const other = this.incident?.id !== incident.id;
    const samePicture = !other && this.incident.snapshot_url === incident.snapshot_url;
    if (!other && this.element.contains(document.fullscreenElement)) return this.afterFullScreen(incident);
    this.incident = incident;
    if (open) this.element.classList.add("open");
    if (other) { this.sheet = h("div", { class: "sheet-place" }); this.alarms = h("div"); this.record = h("div"); this.hazards = h("span"); this.zone = h("div", { class: "zone" }); this.declared = h("span"); this.declarations = []; this.page = null; this.element.scrollTop = 0; }
    if (!samePicture) this.picture = this.makePicture(incident);
    if (other) { this.evidence?.stop(); this.evidence = this.makeEvidence(incident); } else if (!samePicture) this.evidence.instead(this.picture);
    this.sinceElement = h("span", { class: "since" });
    fill(this.element, this.head(incident), h("div", { class: "look" }, this.evidence.element, this.facts(incident)), this.actions(incident), this.sheet,
      h("div", { class: "story" }, this.alarms, this.record));
    this.tick();
    this.loadStory(incident);
    this.evidence.follow(incident);
  }

  /** A clip that fills the screen is not torn away by what changes meanwhile. */
  afterFullScreen(incident) {
    if (!this.later) document.addEventListener("fullscreenchange", () => { const { later } = this; this.later = null; if (this.incident?.id === later.id) this.show(later); }, { once: true });
    this.later = incident;
  }

  makeEvidence(incident) {
    return new EvidenceView(this.picture, { nameOf: (kind) => said(this.incident.kind_names.find((each) => each.kind === kind)?.name) || kind,
      mark: () => (incident.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, t("app.synthetic")) : null) });
  }

  head(incident) {
    return h("header", { class: "head" },
      h("button", { class: "plain back", onclick: () => this.calls.back(), "aria-label": t("detail.back") }, "‹"),
      glyph(incident.severity, standingOf(incident), severityWord(incident.severity), true),
      h("h2", {}, kindsOf(incident)),
      h("span", { class: `word${isUnacknowledged(incident) ? " unacknowledged" : ""}` }, `${severityWord(incident.severity)} · ${said(incident.annunciation_name)}`));
  }

  makePicture(incident) {
    const mark = incident.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, t("app.synthetic")) : null;
    const figure = h("figure", { class: incident.snapshot_url ? "picture" : "picture none" });
    if (!incident.snapshot_url) return fill(figure, stateBox(t("detail.no_picture"), t("detail.no_picture_note")), mark);
    const alt = t("detail.picture_of", { device: incident.devices[0] ?? "" });
    const image = h("img", { src: incident.snapshot_url, alt, onerror: () => fill(figure, stateBox(t("detail.picture_failed"), ""), mark) });
    this.caption = h("figcaption", {}, incident.devices[0] ?? "");
    return fill(figure, image, this.caption, mark);
  }

  facts(incident) {
    const rows = [
      ["since", [this.sinceElement]],
      ["where", [gradeChip(incident.zone_grade), incident.zone === "unassigned" ? t("zone.unassigned") : incident.zone_name,
        incident.zone_grade ? h("small", {}, t(`grade.${incident.zone_grade}`)) : null]],
      ["enterprise", incident.enterprise_name ? [incident.enterprise_name] : null],
      ["devices", [incident.devices.slice(0, 6).join("，") + (incident.devices.length > 6 ? " …" : "")]],
      ["message", incident.message ? [incident.message] : null],
      ["certainty", [h("strong", {}, said(incident.certainty_name)), incident.corroboration ? h("span", { class: "sentence" }, said(incident.corroboration.sentence)) : null]],
      ["responsible", [incident.assigned_to ? t("detail.assigned", { to: incident.assigned_to }) : t("detail.unassigned")]],
      ["why", [said(incident.why)]],
      ["hazard", [this.hazards]],
      ["zone_hazards", incident.zone === "unassigned" ? null : [this.zone]],
      ["declared", [this.declared]],
    ];
    return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(`detail.${name}`)), h("dd", {}, value)]), this.standing(incident));
  }

  standing(incident) {
    const lines = [];
    if (incident.acknowledged_at) lines.push(t("detail.acknowledged", { by: incident.acknowledged_by, time: absolute(incident.acknowledged_at) }));
    if (incident.shelved_until) lines.push(t("detail.shelved", { by: incident.shelved_by, time: absolute(incident.shelved_until), reason: incident.shelve_reason }));
    if (incident.cleared_at) lines.push(t(LAPSES.includes(incident.reason) ? "detail.lapsed" : "detail.cleared", { time: absolute(incident.cleared_at) }));
    if (incident.closed_at) lines.push(t("detail.closed", { time: absolute(incident.closed_at) }));
    return lines.length ? [h("dt", {}, t("filter.state")), h("dd", {}, h("div", {}, lines.map((line) => h("div", {}, line))))] : [];
  }

  actions(incident) {
    const may = (name) => this.me.commands.includes(name);
    const button = (name, key, done = false) => (may(name)
      ? h("button", { class: name === "acknowledge" ? "primary" : null, disabled: done || isForbidden(name, incident), title: isForbidden(name, incident) ? t(`do.never.${name}`) : null, onclick: () => this.calls.command(name) },
        t(done ? "do.acknowledged" : `do.${name}`), key && !done ? h("kbd", {}, key) : null)
      : null);
    const closed = incident.state === "closed";
    const buttons = [
      button("acknowledge", "a", !canAcknowledge(incident)), button("assign"), button("comment"),
      this.me.hazard_commands.includes("propose") ? h("button", { onclick: () => this.calls.propose() }, t("do.hazard"), h("kbd", {}, "h")) : null,
      incident.shelved_until ? button("unshelve", "s") : closed ? null : button("shelve", "s"),
      ["active", "cleared"].includes(incident.state) ? button("close") : null,
      this.me.holds_evidence && incident.zone !== "unassigned" ? h("button", { onclick: () => this.hold(incident) }, t("hold.enter")) : null,
    ].filter(Boolean);
    const never = ["shelve", "close"].find((name) => may(name) && !closed && isForbidden(name, incident));
    if (never) buttons.push(h("small", { class: "muted never" }, t(isForbidden("close", incident) ? "do.never.both" : "do.never.shelve")));
    return h("div", { class: "actions" }, buttons.length ? buttons : h("span", { class: "muted" }, t("error.permission_note", { role: t(`role.${this.me.role}`) })));
  }

  /** Keep what its zone's cameras showed of it from being thrown away. */
  async hold(incident) {
    const made = await askHold({ zone: incident.zone, begins: incident.opened_at, ends: incident.closed_at ?? incident.updated_at });
    if (!made) return;
    this.calls.toast(t("hold.entered", { zone: made.zone_name }));
    this.evidence.follow(this.incident);
  }

  async loadStory(incident) {
    const key = `${incident.id} ${incident.version}`;
    this.storyOf = key;
    const [alarms, record] = await Promise.all(["alarms", "events"].map((name) => call("GET", `/incidents/${encodeURIComponent(incident.id)}/${name}?limit=200`)
      .then(({ body }) => body, () => null)));
    if (this.storyOf !== key) return;
    this.showHazards(incident);
    loadZoneHazards(this.zone, incident, this.calls.showHazard, () => this.storyOf === key);
    this.loadDeclared(incident);
    this.showSheet(incident);
    this.showAlarms(incident, alarms);
    if (record?.items.some((event) => event.event === "reactivated")) { incident.again = true; this.tick(); }
    this.showRecord(record);
  }

  /** The hazards put down from it, each a way there. */
  async showHazards(incident) {
    const page = await call("GET", `/hazards?incident=${encodeURIComponent(incident.id)}`).then(({ body }) => body, () => null);
    if (this.incident?.id !== incident.id || !page) return;
    fill(this.hazards, page.items.length ? page.items.map((x) => h("button", { class: "plain link", onclick: () => this.calls.showHazard(x.id) }, `${said(x.grade_name)} · ${said(x.state_name)}`)) : "—");
  }

  /** What is declared of its zone now, and what was when it began. */
  async loadDeclared(incident) {
    const query = `/declarations?limit=50&zone=${encodeURIComponent(incident.zone)}`;
    const found = await Promise.all([`${query}&state=in_force`, `${query}&at=${encodeURIComponent(incident.opened_at)}`].map((path) => call("GET", path).then(({ body }) => body.items, () => null)));
    if (this.incident?.id !== incident.id || found.includes(null)) return;
    const known = new Map(found.flat().map((each) => [each.id, each]));
    this.declarations = [...known.values()].filter((each) => incident.state !== "closed" || Date.parse(each.starts_at) <= Date.parse(incident.opened_at));
    const about = this.declarations.filter((each) => !SILENCING.includes(each.kind) || (each.devices.some((device) => incident.devices.includes(device)) && each.standing === "in_force"));
    fill(this.declared, about.length ? about.map(lineOf) : "—");
    if (this.page) this.showAlarms(incident, this.page);
  }

  /** The button that silences an alarm, or ends its silence; null for who may not. */
  silencing(alarm, incident) {
    if (!SILENCING.some((kind) => this.me.declares.includes(kind)) || isNeverSuppressed(alarm.kind)) return null;
    const silent = this.declarations.find((each) => SILENCING.includes(each.kind) && each.standing === "in_force" && each.devices.includes(alarm.device) && (!each.alarms.length || each.alarms.includes(alarm.kind)));
    if (silent && !silent.may_end) return null;
    const act = async () => {
      const made = silent ? await askEnd(silent, whatOf(silent)) : await askSilence(alarm, incident.zone, this.me.declares);
      if (!made) return;
      this.calls.toast(`${whatOf(made)} · ${said(made.standing_name)}`);
      this.loadDeclared(incident);
    };
    return h("button", { class: "silence", onclick: act }, silent ? t("declarations.end_silence", { what: said(silent.kind_name) }) : t("declarations.silence"));
  }

  /** What to do about it, by the rule of its gravest alarm. */
  async showSheet(incident) {
    const full = await call("GET", `/incidents/${encodeURIComponent(incident.id)}`).then(({ body }) => body, () => null);
    if (this.incident?.id !== incident.id || !full) return;
    fill(this.sheet, responseSheet(full.response, (id) => this.calls.showRule(id)));
  }

  showAlarms(incident, page) {
    this.page = page;
    const title = h("h3", {}, `${t("detail.alarms")} · ${incident.alarm_count}`);
    if (!page) return fill(this.alarms, title, h("p", { class: "muted" }, t("error.title")));
    const newest = page.items.toReversed();
    const pictured = newest.find((alarm) => alarm.snapshot_url === incident.snapshot_url && alarm.snapshot);
    if (pictured && this.caption) this.caption.textContent = `${pictured.device} · ${t("detail.picture_at", { time: absolute(pictured.at) })}`;
    return fill(this.alarms, title, h("ul", {}, newest.map((alarm, n) => alarmLine(alarm, newest.findIndex((other) => other.device === alarm.device && other.kind === alarm.kind) === n ? this.silencing(alarm, incident) : null))), page.next ? h("footer", { class: "muted" }, "…") : null);
  }

  showRecord(page) {
    const title = h("h3", {}, t("detail.record"));
    if (!page) return fill(this.record, title, h("p", { class: "muted" }, t("error.title")));
    if (!page.items.length) return fill(this.record, title, h("p", { class: "muted" }, t("detail.record_empty")));
    return fill(this.record, title, h("ol", {}, page.items.toReversed().map(recordLine)));
  }

  tick() {
    if (this.zone) tickDue(this.zone);
    if (this.incident && this.sinceElement) fill(this.sinceElement, `${absolute(this.incident.opened_at)} · ${since(this.incident.opened_at)}`, raisedNote(this.incident));
  }
}

/** Why an alarm ended though nobody knows that all is normal: `hazards.messages.Lapse`. */
const LAPSES = ["window_ended", "rule_removed", "sensor_removed", "sensor_moved"];

/** Declarations that silence an alarm; never methane over limit, which the server refuses. */
const SILENCING = ["shelved", "out_of_service"];

/** Unacknowledged, or shelved before anybody acknowledged it. */
export const canAcknowledge = (incident) => isUnacknowledged(incident) || (["shelved", "pending", "permit", "calibration", "suppressed_by_design", "out_of_service"].includes(incident.annunciation) && !incident.acknowledged_at);

function alarmLine(alarm, button) {
  return h("li", {},
    h("div", { class: "top" }, h("strong", {}, said(alarm.kind_name.name)), h("span", {}, t(alarm.action === "cleared" && LAPSES.includes(alarm.details.reason) ? "action.lapsed" : `action.${alarm.action}`)), h("span", { class: "muted" }, alarm.device),
      alarm.score === null ? null : h("span", { class: "muted" }, t("detail.score", { score: alarm.score.toFixed(2) })),
      button, h("time", { datetime: alarm.at }, absolute(alarm.at))),
    h("div", { class: "why" }, said(alarm.why)),
    cueLine(alarm.details),
    alarm.message ? h("div", { class: "note" }, alarm.message) : null,
    lateNote(alarm),
    ["wrong", "corrected"].includes(alarm.clock) ? h("div", { class: "flag" }, t(`detail.clock_${alarm.clock}`, { time: alarm.sent_at.slice(0, 19).replace("T", " ") })) : null);
}

function recordLine(event) {
  const { details } = event;
  const note = rise(event) ?? details.text ?? details.to ?? (event.event === "shelved" || (event.event === "closed" && event.actor !== "bihuan") ? details.reason : null);
  return h("li", {},
    h("div", { class: "top" }, h("strong", {}, said(event.event_name)), h("span", { class: "muted" }, event.actor === "bihuan" ? t("app.name") : event.actor),
      h("time", { datetime: event.at }, absolute(event.at))),
    note ? h("div", { class: "note" }, note) : null,
    event.why ? h("div", { class: "why" }, said(event.why)) : null,
    lateNote(event));
}

/** "received 2 h 3 min late"; null for what was not. */
const lateNote = ({ late_seconds: seconds }) => (seconds ? h("div", { class: "flag" }, t("detail.late", { time: length(seconds) })) : null);

/** "待核实 → 已印证" for what became surer or graver; null for other events. */
function rise({ event, details: { from, to } }) {
  if (event === "certainty_raised") return t("detail.rose", { from: t(`certainty.${from}`), to: t(`certainty.${to}`) });
  if (event === "severity_raised" && to) return t("detail.rose", { from: severityWord(from), to: severityWord(to) });
  return null;
}
