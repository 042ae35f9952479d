// One chain, walked both ways: from an incident to the open hazards of its zone with their clocks, from a hazard to its incidents.
import { fill, h } from "./dom.js";
import { gradeMark } from "./hazard_words.js";
import { kindsOf, severityWord } from "./list.js";
import { call } from "./net.js";
import { loadPack } from "./pack.js";
import { glyph, standingOf } from "./severity.js";
import { absolute, dueIn, isOverdue } from "./time.js";
import { said, t } from "./words.js";

/** Fill `element` with the open hazards of the incident's zone as they are now: what is due first, and what the alarms speak of, on top. */
export async function loadZoneHazards(element, incident, showHazard, isCurrent) {
  const [found] = await Promise.all([call("GET", `/incidents/${encodeURIComponent(incident.id)}`).then(({ body }) => body, () => null), loadPack().catch(() => null)]);
  if (!isCurrent()) return;
  const mark = JSON.stringify(found && [found.hazards, found.open_hazards, found.overdue_hazards]);
  if (element.mark === mark) return; // nothing changes under the pointer
  element.mark = mark;
  if (!found) { fill(element, t("error.title")); return; }
  if (!found.hazards.length) { fill(element, h("span", { class: "muted" }, t("detail.zone_hazards_none"))); return; }
  const more = found.open_hazards > found.hazards.length ? h("li", { class: "muted" }, t("detail.zone_hazards_more", { n: found.open_hazards, late: found.overdue_hazards })) : null;
  fill(element, h("ul", { class: "zone-hazards" }, found.hazards.map((hazard) => zoneHazard(hazard, showHazard)), more));
}

function zoneHazard(hazard, showHazard) {
  const due = h("span", { class: "due", "data-due": hazard.due_at ?? "", "data-state": hazard.state });
  const line = h("li", { "data-hazard": hazard.id }, gradeMark(hazard), h("div", {},
    h("button", { class: "plain link", onclick: () => showHazard(hazard.id) }, hazard.title),
    h("div", { class: "clock" }, due, h("span", {}, said(hazard.state_name)), hazard.same ? h("b", {}, t("detail.same_kind")) : null)));
  tickDue(line);
  return line;
}

/** Count the due dates within `element` down, in words. */
export function tickDue(element) {
  for (const due of element.querySelectorAll("[data-due]")) {
    const clock = { due_at: due.dataset.due, state: due.dataset.state };
    const text = !clock.due_at || clock.state === "accepted" ? "—" : dueIn(clock.due_at);
    due.classList.toggle("late", isOverdue(clock));
    if (due.textContent !== text) due.textContent = text;
  }
}

/** Fill `element` with the hazard's incidents, newest first, each with why it is one and a way there. */
export async function loadIncidents(element, hazard, showIncident, isCurrent, cursor = "") {
  const page = await call("GET", `/hazards/${encodeURIComponent(hazard.id)}/incidents?limit=20${cursor && `&cursor=${encodeURIComponent(cursor)}`}`).then(({ body }) => body, () => null);
  if (!isCurrent()) return;
  if (!cursor) fill(element, h("h3", {}, t("hazard.incidents")), h("ul", { class: "own-incidents" }));
  const list = element.querySelector("ul");
  element.querySelector("footer")?.remove();
  if (!page) element.append(h("footer", { class: "muted" }, t("error.title"), h("button", { onclick: () => loadIncidents(element, hazard, showIncident, isCurrent, cursor) }, t("error.retry"))));
  else if (!page.items.length && !cursor) list.append(h("li", { class: "muted" }, t("hazard.incidents_none")));
  else list.append(...page.items.map((item) => incidentLine(item, showIncident)));
  if (page?.next) element.append(h("footer", {}, h("button", { class: "plain link", onclick: () => loadIncidents(element, hazard, showIncident, isCurrent, page.next) }, t("hazard.incidents_more"))));
}

function incidentLine({ incident, why, why_name: name }, showIncident) {
  return h("li", { "data-incident": incident.id, "data-why": why }, h("div", { class: "top" }, glyph(incident.severity, standingOf(incident), severityWord(incident.severity)),
    h("button", { class: "plain link", onclick: () => showIncident(incident.id) }, kindsOf(incident)), h("span", {}, said(incident.annunciation_name)), h("time", { datetime: incident.opened_at }, absolute(incident.opened_at))),
  h("div", { class: "why" }, said(name)));
}
