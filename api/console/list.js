// The rows. Live updates patch single rows; the order changes only when the operator is not in the middle of something.
import { fill, h, stateBox, stepFrom } from "./dom.js";
import { glyph, isUnacknowledged, standingOf } from "./severity.js";
import { absolute, since } from "./time.js";
import { said, t } from "./words.js";

/** The risk colour of a zone, with its letter: never colour alone. */
export const gradeChip = (grade) => h("span", { class: "grade", "data-grade": grade ?? "", title: grade ? t(`grade.${grade}`) : null }, grade ? t(`grade.letter.${grade}`) : "");
/** "明火 · 烟雾": the kinds of an incident, the gravest first as the API gives them, so that a narrow row cuts off the least. */
export const kindsOf = (incident) => incident.kind_names.map((kind) => said(kind.name)).join(" · ");
export const severityWord = (severity) => `${severity} ${t(`severity.${severity}`)}`;

export class List {
  /** `calls`: choose(id), more(), release(). */
  constructor(store, calls) {
    this.store = store;
    this.calls = calls;
    this.chosen = null;
    this.elements = new Map();
    this.pointerMovedAt = 0;
    this.arrivals = h("button", { class: "arrivals", hidden: true, onclick: () => calls.release(), title: t("list.waiting_hint") });
    this.flood = h("div", { class: "flood", role: "group", "aria-label": t("list.flood_title"), hidden: true });
    this.rows = h("div", { class: "rows", role: "listbox", tabindex: 0, "aria-label": t("list.title") });
    this.rows.addEventListener("pointermove", () => { this.pointerMovedAt = performance.now(); });
    this.rows.addEventListener("scroll", () => { if (this.isAtTop() && store.held.size) calls.release(); });
    const columns = ["", "what", "where", "state", "since"].map((name) => h("span", {}, name && t(`list.column.${name}`)));
    this.element = h("section", { class: "list", "aria-label": t("list.title") },
      h("div", { class: "columns", "aria-hidden": true }, columns, h("span", { class: "end" }, t("list.column.count")), h("span", { class: "picture-column" })),
      this.flood, this.arrivals, this.rows);
  }

  isAtTop() { return this.rows.scrollTop < 8; }

  /** Scrolled down, or the pointer is about to hit something. */
  isBusy() { return !this.isAtTop() || (this.rows.matches(":hover") && performance.now() - this.pointerMovedAt < 4000); }

  loading() {
    fill(this.rows, h("p", { class: "visually-hidden" }, t("list.loading")), Array.from({ length: 10 }, (_, n) =>
      h("div", { class: "row waiting", "aria-hidden": true }, h("i"), h("i", { class: n % 2 ? "" : "short" }), h("i"), h("i"), h("i"), h("i"))));
  }

  failed(title, note, retry) {
    fill(this.rows, stateBox(title, note, retry ? h("button", { onclick: retry }, t("error.retry")) : null));
  }

  render() {
    const { store } = this;
    this.renderFlood();
    if (!store.shown.length && store.flood && store.condensed().length) { // all of it waits in the rows of the flood
      fill(this.rows);
      this.elements.clear();
    } else if (!store.shown.length) {
      const filtered = store.filter !== "open" || store.severity !== null || store.search;
      fill(this.rows, filtered
        ? stateBox(t("list.none_match"), t("list.none_match_note"), h("button", { onclick: () => this.calls.clearFilters() }, t("list.clear_filters")))
        : stateBox(t("list.empty"), t("list.empty_note")));
      this.elements.clear();
    } else {
      const kept = new Map();
      const rows = store.shown.map((id) => {
        const incident = store.known.get(id);
        const old = this.elements.get(id);
        const row = old?.version === incident.version ? old : { version: incident.version, element: this.row(incident) };
        kept.set(id, row);
        return row.element;
      });
      this.elements = kept;
      fill(this.rows, rows, h("p", { class: "end-of-list" }, store.next
        ? h("button", { onclick: () => this.calls.more() }, t("list.more"))
        : t("list.end")));
      this.mark();
    }
    this.renderArrivals();
  }

  /** In a flood a row for each zone; a press shows its incidents one by one, another puts them together again. */
  renderFlood() {
    const { store } = this;
    this.flood.hidden = !store.flood;
    if (!store.flood) { store.opened.clear(); return; }
    const rows = store.condensed().map(([zone, incidents]) => h("button", { class: "group", "data-zone": zone, "aria-expanded": String(store.opened.has(zone)), onclick: () => this.toggle(zone) },
      incidents.length ? glyph(incidents[0].severity, "quiet", severityWord(incidents[0].severity)) : null,
      h("strong", {}, this.zoneName(zone)), h("span", {}, incidents.length ? summary(incidents) : t("list.flood_opened"))));
    fill(this.flood, h("p", { title: t("list.flood_hint") }, t("list.flood", { since: absolute(store.flood) })), rows);
  }

  toggle(zone) {
    const { opened } = this.store;
    if (!opened.delete(zone)) opened.add(zone);
    this.store.arrange();
    this.render();
  }

  zoneName(zone) {
    if (zone === "unassigned") return t("zone.unassigned");
    return [...this.store.known.values()].find((incident) => incident.zone === zone)?.zone_name ?? zone;
  }

  renderArrivals() {
    const waiting = this.store.held.size;
    this.arrivals.hidden = waiting === 0;
    this.arrivals.textContent = t("list.waiting", { n: waiting });
  }

  row(incident) {
    const unacknowledged = isUnacknowledged(incident);
    const row = h("div", { class: `row${unacknowledged ? " unacknowledged" : ""}${incident.state === "closed" ? " over" : ""}`, role: "option",
      "aria-selected": "false", "data-id": incident.id, "data-severity": incident.severity, onclick: () => this.calls.choose(incident.id, true) },
      glyph(incident.severity, standingOf(incident), severityWord(incident.severity)),
      h("span", { class: "what", title: kindsOf(incident) }, h("span", { class: "kinds" }, kindsOf(incident)),
        h("small", { class: "certainty", "data-certainty": incident.certainty, title: said(incident.corroboration?.sentence) || null }, said(incident.certainty_name))),
      h("span", { class: "where" }, gradeChip(incident.zone_grade), h("span", { title: incident.devices.join(", ") },
        incident.zone === "unassigned" ? `${t("zone.unassigned")} ${incident.devices[0] ?? ""}` : incident.zone_name)),
      stateCell(incident),
      h("span", { class: "since" }, sinceText(incident)),
      h("span", { class: "count" }, String(incident.alarm_count)),
      incident.snapshot_url ? h("img", { class: "thumb", src: incident.snapshot_url, alt: "", loading: "lazy", decoding: "async", onerror: (e) => e.target.remove() }) : null);
    return row;
  }

  /** One row anew, in its place. */
  patch(incident, confirmed = false) {
    const old = this.elements.get(incident.id);
    if (!old) return;
    const element = this.row(incident);
    if (confirmed) {
      element.classList.add("confirmed");
      setTimeout(() => element.classList.remove("confirmed"), 2000);
    }
    old.element.replaceWith(element);
    this.elements.set(incident.id, { version: incident.version, element });
    this.mark();
  }

  choose(id) {
    this.chosen = id;
    this.mark();
    this.elements.get(id)?.element.scrollIntoView({ block: "nearest" });
  }

  mark() {
    for (const [id, { element }] of this.elements) element.setAttribute("aria-selected", String(id === this.chosen));
  }

  /** The id `step` rows from the chosen one. */
  neighbour(step) { return stepFrom(this.store.shown, this.chosen, step); }

  /** Time passes: only the texts change. */
  tick() {
    for (const [id, { element }] of this.elements) fill(element.querySelector(".since"), sinceText(this.store.known.get(id)));
  }
}

/** "12 起：2 紧急 3，3 一般 9". */
function summary(incidents) {
  const counts = new Map();
  for (const { severity } of incidents) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  return t("list.flood_zone", { n: incidents.length, counts: [...counts].map(([severity, n]) => `${severityWord(severity)} ${n}`).join(" · ") });
}

/** The state in a word; with labels both have one line, so that the row holds them. */
function stateCell(incident) {
  const [word, labels] = [said(incident.annunciation_name), labelsOf(incident)];
  if (!labels.length) return h("span", { class: "word", title: word }, word);
  const all = [word, ...labels.map((label) => label.textContent)].join(" · ");
  return h("span", { class: "word labelled", title: all }, h("span", {}, word), h("span", { class: "labels" }, labels));
}

/** Why an alarm of it is quieter than it would be, where the word does not say so. */
export const labelsOf = (incident) => incident.labels.filter(({ label }) => label !== incident.annunciation)
  .map(({ label, name }) => h("small", { class: "label", "data-label": label }, said(name)));

function sinceText(incident) {
  return [h("b", {}, absolute(incident.opened_at)), ` · ${since(incident.opened_at)}`, raisedNote(incident)];
}

/** "graver", "again 00:32:06" when it was last raised well after it began; "received" when that may only be an old time of the device. */
export function raisedNote(incident) {
  if (!incident.raised_at || Date.parse(incident.raised_at) - Date.parse(incident.opened_at) <= 60_000) return null;
  return h("small", { class: "raised" }, t(incident.graver ? "since.graver" : incident.again ? "since.again" : "since.received", { time: absolute(incident.raised_at) }));
}
