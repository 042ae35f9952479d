// What runs beside the rectification: extension, the two boards, reports, publication, summons, referral, waiver, repeats and duplicates.
import { h } from "./dom.js";
import { by, card, chosen, postName, rows, when } from "./hazard_words.js";
import { absolute, daysAfter, moment } from "./time.js";
import { t } from "./words.js";

const mark = (text, sign) => h("span", { class: "sign" }, h("i", { "aria-hidden": true }, sign), text);

/** Every request for more days, newest first: signatures given and missing, the due date before and after. */
export function extensions(hazard) {
  return card(t("hazard.extension"), hazard.extensions.toReversed().map((extension) => one(hazard, extension)));
}

/** The request that waits or was decided last, as those see it who are asked to sign, refuse or file it. */
export const lastExtension = (hazard) => one(hazard, hazard.extensions.at(-1));

function one(hazard, extension) {
  const standing = extension.refused_at ? "refused" : extension.filed_at ? "filed" : extension.granted_at ? "granted" : "requested";
  const signed = extension.signatures.map((s) => h("li", { class: "done" }, h("i", { "aria-hidden": true }, "✓"), h("b", {}, postName(hazard, s.post)), h("span", {}, s.name || s.by), h("time", {}, absolute(s.at))));
  const missing = standing === "requested" ? hazard.choices.signing_posts.filter((post) => !extension.signatures.some((s) => s.post === post)) : [];
  const before = extension.due_before ?? hazard.due_at;
  const after = before ? daysAfter(typeof before === "number" ? before / 1000 : before, extension.days) : null;
  const natural = hazard.grades.find((g) => g.grade === hazard.grade)?.counting === "natural_days";
  return h("div", { class: "extension", "data-standing": standing }, h("div", { class: "top" }, h("strong", {}, t("hazard.days", { n: extension.days })), h("span", {}, chosen(hazard.choices.causes, extension.cause)), h("span", { class: "word" }, t(`hazard.track.extension.${standing}`))),
    h("div", { class: "note" }, extension.reason), h("div", { class: "muted" }, by(extension.by, extension.at)),
    h("ul", { class: "signatures", "aria-label": t("hazard.signatures") }, signed, missing.map((post) => h("li", { class: "missing" }, h("i", { "aria-hidden": true }, "○"), h("b", {}, postName(hazard, post)), h("span", {}, t("hazard.unsigned"))))),
    before ? h("div", { class: "moves" }, t("hazard.fact.due"), " ", h("b", {}, when(before)), natural && !extension.refused_at ? [" → ", h("b", {}, moment(after)), extension.granted_at ? null : h("span", { class: "muted" }, t("hazard.if_granted"))] : null,
      standing === "requested" || standing === "refused" ? h("span", { class: "muted" }, t("hazard.due_stands")) : null) : null,
    extension.refused_at ? h("div", {}, mark(`${extension.refused_for} · ${by(extension.refused_by, extension.refused_at)}`, "✕")) : null,
    extension.filed_at ? h("div", {}, mark(`${t("hazard.filing")} ${extension.filing} · ${by(extension.filed_by, extension.filed_at)}`, "✓")) : null);
}

const board = (entry) => h("div", { class: `board${entry.lifted_at ? " lifted" : ""}` }, h("strong", {}, entry.number), h("span", {}, t("hazard.supervisor", { name: entry.supervisor })),
  h("span", { class: "muted" }, t("hazard.since", { time: moment(entry.at) })), entry.lifted_at ? mark(t("hazard.lifted", { by: by(entry.lifted_by, entry.lifted_at) }), "✓") : null, entry.note ? h("div", { class: "note" }, entry.note) : null);

/** 挂牌整改 and 挂牌督办 are two things: two boards, each by its own name. */
export const boards = (hazard) => [card(t("hazard.listing"), hazard.listings.toReversed().map(board)), card(t("hazard.supervision"), hazard.supervisions.toReversed().map(board))];

/** The double report, and where it was published. */
export function publicity(hazard) {
  const listed = hazard.confirmed && hazard.grades.find((g) => g.grade === hazard.grade)?.listed;
  if (!listed && !hazard.reports.length && !hazard.publications.length) return null;
  const reportOf = (to) => hazard.reports.filter((r) => r.to === to).map((r) => h("div", {}, mark(`${r.recipient} · ${by(r.by, r.at)}`, "✓"), r.note ? h("div", { class: "note" }, r.note) : null));
  const missing = () => (listed ? mark(t("hazard.not_yet"), "○") : null);
  const published = hazard.publications.map((p) => h("div", {}, mark(`${p.place} · ${by(p.by, p.at)}`, "✓"), p.until ? h("span", { class: "muted" }, t("hazard.measure_until", { time: moment(p.until) })) : null));
  const or = (found) => (found.length ? found : missing());
  return card(t("hazard.publicity"), rows([[t("hazard.report.department"), or(reportOf("department"))], [t("hazard.report.staff_congress"), or(reportOf("staff_congress"))], [t("hazard.publication"), or(published)]]));
}

/** Summons, referral, and the waiver that never waives the rectification. */
export function consequences(hazard) {
  const summons = hazard.summons.toReversed().map((s) => h("li", {}, h("div", { class: "top" }, s.held_at ? h("strong", {}, t("hazard.summons_held", { post: postName(hazard, s.held_by), person: s.with_whom })) : mark(t("hazard.summons_due", { time: moment(s.due_at) }), "!"),
    s.held_at ? h("time", {}, moment(s.held_at)) : null), s.place ? h("div", { class: "muted" }, s.place) : null, s.note ? h("div", { class: "note" }, s.note) : null));
  const { referral, waiver } = hazard;
  return [card(t("hazard.summons"), summons.length ? h("ul", {}, summons) : null),
    referral ? card(t("hazard.referral"), rows([[t("hazard.to"), referral.to], [t("hazard.number"), referral.number], [t("hazard.reason"), referral.reason], [t("hazard.by"), by(referral.by, referral.at)]])) : null,
    waiver ? card(t("hazard.waiver"), h("p", {}, h("strong", {}, chosen(hazard.choices.waivers, waiver.item))), h("p", { class: "note" }, waiver.reason), h("p", {}, mark(t("hazard.waiver_note"), "!")), h("p", { class: "muted" }, by(waiver.by, waiver.at))) : null];
}

/** Other hazards that belong to this one, as links. */
export function related(hazard, showHazard) {
  const link = (id) => h("button", { class: "plain link", onclick: () => showHazard(id) }, id.slice(0, 14));
  return card(t("hazard.related"), rows([[t("hazard.merged_into"), hazard.merged_into ? link(hazard.merged_into) : null], [t("hazard.repeat_of"), hazard.repeat_of.map(link)], [t("hazard.duplicates"), hazard.duplicates.map(link)]]));
}
