// What the list shows: incidents by id, the last raised first, filtered. New ones wait while the operator is busy.
import { isNeverSuppressed, isUnacknowledged } from "./severity.js";
import { said } from "./words.js";

export const FILTERS = {
  open: { query: "state=active&state=cleared", has: (i) => i.state === "active" || i.state === "cleared" },
  unacknowledged: { query: "state=active&state=cleared&acknowledged=false", has: isUnacknowledged },
  all: { query: "", has: () => true },
};

const raisedAt = (incident) => Date.parse(incident.raised_at ?? incident.opened_at);
/** The last raised first: what came in or came back just now stands on top. The id settles equal times, as in the API. */
const newestFirst = (a, b) => raisedAt(b) - raisedAt(a) || (a.id < b.id ? 1 : -1);
/** Whether what raised it last is known to have made it graver. */
const isGraver = (incident, before) => Boolean(before && (incident.severity < before.severity || (before.graver && raisedAt(incident) <= raisedAt(before))));
/** Whether it is known to have been raised once more; an acknowledgement of before tells it too. */
const isAgain = (incident, before) => Boolean(before?.again || incident.reason === "reactivated"
  || (before?.raised_at && raisedAt(incident) > raisedAt(before) && incident.severity >= before.severity) || (incident.acknowledged_at && Date.parse(incident.acknowledged_at) < raisedAt(incident)));

export class Store {
  constructor() {
    this.filter = "open";
    this.severity = null;
    this.search = "";
    this.flood = null; // since when this desk is in flood, by the server
    this.opened = new Set(); // zones whose incidents are shown one by one though it is in flood
    this.zone = null; // only with a search: what a search within one zone is narrowed to
    this.clear();
  }

  /** In a flood what is not of severity 1, and no methane, waits in one row a zone, unless somebody opened that or looks for something. */
  isCondensed(incident) {
    return Boolean(this.flood) && !this.opened.has(incident.zone) && this.severity === null && !this.search
      && incident.severity > 1 && !incident.kinds.some(isNeverSuppressed);
  }

  /** By zone what waits in a flood's rows, the gravest first; zones that were opened have an empty list. */
  condensed() {
    const zones = new Map([...this.opened].map((zone) => [zone, []]));
    for (const incident of this.known.values()) {
      if (!this.matches(incident) || !this.isCondensed(incident)) continue;
      if (!zones.has(incident.zone)) zones.set(incident.zone, []);
      zones.get(incident.zone).push(incident);
    }
    for (const incidents of zones.values()) incidents.sort((x, y) => x.severity - y.severity || newestFirst(x, y));
    return [...zones].sort(([, x], [, y]) => (x[0]?.severity ?? 5) - (y[0]?.severity ?? 5) || y.length - x.length);
  }

  clear() {
    this.known = new Map();
    this.shown = []; // ids in the order of the list
    this.held = new Set(); // ids that wait behind the button
    this.next = null;
  }

  /** A page of the API: `first` replaces everything. `gravest`: incidents that are known whatever page they are on. */
  takePage(page, first, gravest = []) {
    if (first) this.clear();
    for (const incident of [...page.items, ...gravest]) this.remember(incident);
    this.next = page.next;
    this.arrange();
  }

  remember(incident) {
    const before = this.known.get(incident.id);
    if (before && before.version > incident.version) return;
    incident.again = isAgain(incident, before);
    incident.graver = isGraver(incident, before);
    this.known.set(incident.id, incident);
  }

  /** One incident from the feed or an answer. Returns "patched", "added", "held" or "ignored". */
  take(incident, busy) {
    const before = this.known.get(incident.id);
    if (before && before.version >= incident.version) return "ignored";
    this.remember(incident);
    const isShown = this.shown.includes(incident.id);
    if (isShown && raisedAt(incident) <= raisedAt(before)) return "patched";
    if (!this.matches(incident)) { this.held.delete(incident.id); return isShown ? "patched" : "ignored"; }
    if (isShown && busy) { this.held.add(incident.id); return "patched"; } // it goes up with the others that wait
    if (this.isCondensed(incident)) return "condensed";
    if (busy) { this.held.add(incident.id); return "held"; }
    this.arrange();
    return "added";
  }

  matches(incident) {
    if (!FILTERS[this.filter].has(incident)) return false;
    if (this.severity !== null && incident.severity !== this.severity) return false;
    if (this.zone !== null && incident.zone !== this.zone) return false;
    if (!this.search) return true;
    const words = [incident.id, incident.zone, incident.zone_name, incident.enterprise_name, incident.message, incident.assigned_to,
      said(incident.family_name), ...incident.devices, ...incident.kinds, ...incident.kind_names.map((k) => said(k.name))];
    return words.some((word) => word && word.toLowerCase().includes(this.search));
  }

  /** Build the order anew; what waited is shown. */
  arrange() {
    this.held.clear();
    this.shown = [...this.known.values()].filter((i) => this.matches(i) && !this.isCondensed(i)).sort(newestFirst).map((i) => i.id);
  }

  /** Where to look first: the newest of the gravest that nobody acknowledged, else the newest. */
  gravest() {
    const calling = this.shown.map((id) => this.known.get(id)).filter(isUnacknowledged);
    return calling.sort((a, b) => a.severity - b.severity)[0]?.id ?? this.shown[0];
  }

  /** Unacknowledged ones by severity, of all that is known. */
  counts() {
    const counts = { 1: 0, 2: 0, 3: 0, 4: 0 };
    for (const incident of this.known.values()) if (isUnacknowledged(incident)) counts[incident.severity] += 1;
    return counts;
  }
}
