// The record of a hazard: every entry with who, when, what was said, its rule and its digest.
import { fill, h } from "./dom.js";
import { refusedBy } from "./hazard_gate.js";
import { chosen, postName, rulingLine, when, who } from "./hazard_words.js";
import { pointWord } from "./hazard_standing.js";
import { call } from "./net.js";
import { absolute } from "./time.js";
import { said, t } from "./words.js";

/** Fill `element` with the record; `isCurrent()` tells whether it is still wanted when the answer comes. */
export async function loadRecord(element, hazard, isCurrent) {
  const title = h("h3", {}, t("hazard.record"));
  const retry = () => loadRecord(element, hazard, isCurrent);
  try {
    const entries = await entriesOf(hazard.id);
    if (isCurrent()) fill(element, title, h("ol", {}, entries.toReversed().map((entry) => line(hazard, entry))));
  } catch (failure) {
    if (failure.status !== 401 && isCurrent()) fill(element, title, h("p", { class: "muted" }, t(failure.status === 0 ? "error.no_network" : "error.title")), h("button", { onclick: retry }, t("error.retry")));
  }
}

/** Every entry, in order. Throws Failure. */
async function entriesOf(id) {
  const found = [];
  let cursor = "";
  do {
    const { body } = await call("GET", `/hazards/${encodeURIComponent(id)}/events?limit=500${cursor}`);
    found.push(...body.items);
    cursor = body.next ? `&cursor=${encodeURIComponent(body.next)}` : null;
  } while (cursor);
  return found;
}

/** "确认定级（zhao，10:15:30）；…": what others did meanwhile. */
export const inWords = (entries) => entries.map((e) => t("hazard.done_by", { event: said(e.event_name), by: who(e.actor), time: absolute(e.at) })).join("；");

const TIMES = ["due_before", "due_at", "until", "held_at", "start"];
const SHOWN = ["device", "clock", "before", "grade", "post", "posts", "days", "cause", "number", "supervisor", "to", "recipient", "place", "with_whom", "item", "experts", "kind", "point", "into", "duplicate", "reference", ...TIMES, "override_reason"];
const VALUE = {
  grade: (x, v) => said(x.grades.find((g) => g.grade === v)?.name) || v,
  before: (x, v) => said(x.grades.find((g) => g.grade === v)?.name) || v,
  cause: (x, v) => chosen(x.choices.causes, v), item: (x, v) => chosen(x.choices.waivers, v), post: postName, posts: (x, v) => v.map((post) => postName(x, post)).join("、"),
  clock: (x, v) => said(x.clocks?.find((c) => c.clock === v)?.name) || t(`hazard.clock.${v}`),
  kind: (x, v) => said(x.measure_kinds.find((m) => m.kind === v)?.name) || said(x.measures.find((m) => m.kind === v)?.kind_name) || v, experts: (_, v) => v.join("、"), days: (_, v) => t("hazard.days", { n: v }), point: (_, v) => pointWord(v),
  to: (_, v) => (["department", "staff_congress"].includes(v) ? t(`hazard.report.${v}`) : v),
  ...Object.fromEntries(TIMES.map((name) => [name, (_, v) => when(v)])),
};

function line(hazard, entry) {
  const { details } = entry;
  const note = details.reason ?? details.text ?? details.note ?? (entry.event === "proposed" ? details.description : details.because ? said(details.because) : null);
  const has = (name) => details[name] !== undefined && details[name] !== null && details[name] !== "" && details[name].length !== 0 && typeof details[name] !== "object" || Array.isArray(details[name]) && details[name].length;
  const shown = SHOWN.filter((name) => has(name) && !(name === "before" && entry.event !== "regraded") && !(name === "kind" && entry.event === "proposed"))
    .map((name) => h("span", {}, h("small", {}, t(`hazard.detail.${name}`)), " ", (VALUE[name] ?? ((_, v) => String(v)))(hazard, details[name])));
  const item = details.criterion ? chosen(hazard.choices.criteria[details.grade], details.criterion) : null;
  return h("li", {}, h("div", { class: "top" }, h("strong", {}, said(entry.event_name)),
    h("span", { class: "muted" }, who(entry.actor), entry.role === "platform" ? null : ` · ${t(`role.${entry.role}`)}`), h("time", { datetime: entry.at }, absolute(entry.at))),
  shown.length ? h("div", { class: "particulars" }, shown) : null, item ? h("div", { class: "note" }, item === details.criterion ? item : `${details.criterion} ${item}`) : null, note ? h("div", { class: "note" }, note) : null,
  details.omitted?.length ? h("div", { class: "note" }, t("hazard.omitted", { what: details.omitted.map(said).join("；") })) : null,
  entry.event === "gate_refused" ? h("div", { class: "note" }, refusedBy(details)) : null, h("div", { class: "why" }, rulingLine(entry.ruling)),
  h("div", { class: "digest", title: t("hazard.digest_note") }, `#${entry.number} ${entry.digest.slice(0, 16)}`));
}
