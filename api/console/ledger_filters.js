// What the list of hazards can be narrowed to, and its order.
import { isOver, isOverdue } from "./time.js";
import { language } from "./words.js";

export const OPEN = ["proposed", "confirmed", "planned", "rectifying", "claimed", "accepted"];
const among = (names) => ({ query: names.map((name) => `state=${name}`).join("&"), has: (x) => names.includes(x.state) });

/** One of these; `query` for the server, `has` for what the feed brings. */
export const FILTERS = {
  open: among(OPEN),
  proposed: among(["proposed"]),
  working: among(["confirmed", "planned", "rectifying"]),
  claimed: among(["claimed", "accepted"]),
  over: among(["closed", "dismissed", "merged"]),
  all: { query: "", has: () => true },
};

/** Any of these together. */
export const MARKS = {
  overdue: { query: "overdue=true", sign: "!", has: isOverdue },
  repeated: { query: "mark=repeated", sign: "▌", has: (x) => x.repeated },
  listed: { query: "mark=listed", sign: "▌", has: (x) => x.tracks.listing === "listed" },
  supervised: { query: "mark=supervised", sign: "▌", has: (x) => x.tracks.supervision === "supervised" },
  extension: { query: "mark=extension_requested", sign: "○", has: (x) => x.tracks.extension === "requested" },
  alarm_since_claim: { query: "mark=alarm_since_claim", sign: "!", has: (x) => x.alarm_since_claim },
  summons: { query: "mark=summons_due", sign: "!", has: (x) => x.tracks.summons === "due" },
};

const plain = ({ filterName, grade, marks }) => [FILTERS[filterName].query, grade ? `grade=${encodeURIComponent(grade)}` : "", ...[...marks].map((mark) => MARKS[mark].query)];

/** The query of `list` (its filterName, grade and marks). */
export const queryOf = (list) => plain(list).filter(Boolean).join("&");
/** The same for the export. */
export const exportQuery = (list) => ["format=xlsx", `language=${language()}`, ...plain(list)].filter(Boolean).join("&");
/** Whether `hazard` belongs to the list. */
export const shows = ({ filterName, grade, marks }, hazard) => FILTERS[filterName].has(hazard) && (!grade || hazard.grade === grade) && [...marks].every((mark) => MARKS[mark].has(hazard));

/** What is due first stands first; what is over, newest first. */
export function order(a, b) {
  const [overA, overB] = [isOver(a), isOver(b)];
  if (overA !== overB) return overA ? 1 : -1;
  const by = overA ? Date.parse(b.updated_at) - Date.parse(a.updated_at) : Date.parse(a.due_at) - Date.parse(b.due_at);
  return by || (a.id < b.id ? 1 : -1);
}
