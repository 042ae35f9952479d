// What is known of a hazard itself: facts, plan with its approval, measures, claim, inspections.
import { h } from "./dom.js";
import { COMMITMENTS, by, card, chosen, papersOf, postName, rows } from "./hazard_words.js";
import { absolute, moment } from "./time.js";
import { said, t } from "./words.js";

/** Where, what, how it was found, who decided. */
export function facts(hazard, calls) {
  const incident = (id) => h("button", { class: "plain link", onclick: () => calls.showIncident(id) }, t("hazard.to_incident"));
  const fact = (name, value) => [t(`hazard.fact.${name}`), value];
  const item = hazard.criterion ? chosen(hazard.choices.criteria[hazard.grade], hazard.criterion) : "";
  const further = hazard.incidents.filter((id) => id !== hazard.incident);
  return rows([
    fact("where", [hazard.zone_name, hazard.enterprise_name ? h("small", {}, h("button", { class: "plain link enterprise", onclick: () => calls.showEnterprise(hazard.enterprise) }, hazard.enterprise_name)) : null]),
    fact("kind", said(hazard.kind_name)),
    fact("description", hazard.description),
    fact("origin", [said(hazard.origin_name), h("small", {}, by(hazard.proposed_by, hazard.opened_at)), hazard.incident ? incident(hazard.incident) : null]),
    fact("incidents", further.map(incident)),
    fact("confirmed", hazard.confirmed_by ? [by(hazard.confirmed_by, hazard.confirmed_at), hazard.criterion ? h("small", {}, item === hazard.criterion ? item : `${hazard.criterion} ${item}`) : null] : null),
    fact("received", by(hazard.received_by, hazard.received_at)),
    fact("body", hazard.supervising_body),
    fact("overdue", hazard.overdue_at ? absolute(hazard.overdue_at) : null),
    fact("reopened", hazard.reopened_at ? absolute(hazard.reopened_at) : null),
    fact("accepted", by(hazard.accepted_by, hazard.accepted_at)),
    fact("closed", by(hazard.closed_by, hazard.closed_at)),
    fact("dismissed", hazard.dismissed_reason),
  ]);
}

/** The five commitments, and whether the plan is approved. */
export function plan(hazard) {
  const { plan: filed } = hazard;
  if (!filed) return null;
  const standing = filed.approved_by ? ["✓", t("hazard.plan_approved", { by: by(filed.approved_by, filed.approved_at) })]
    : filed.returned_for ? ["✕", t("hazard.plan_returned", { reason: filed.returned_for })]
      : hazard.grades.find((g) => g.grade === hazard.grade)?.needs_plan ? ["○", t("hazard.plan_waits")] : null;
  return card(`${t("hazard.plan")} · ${by(filed.filed_by, filed.filed_at)}`, standing ? h("p", { class: "sign" }, h("i", { "aria-hidden": true }, standing[0]), standing[1]) : null,
    rows(COMMITMENTS.map((name) => [t(`hazard.plan.${name}`), filed[name]])));
}

/** Every measure that was taken; those in force stand on top of the page as well. */
export function measures(hazard) {
  return card(t("hazard.measures"), hazard.measures.length ? h("ul", {}, hazard.measures.map((m) => h("li", {},
    h("div", { class: "top" }, h("strong", {}, said(m.kind_name)), h("span", { class: "muted" }, m.authority), h("time", {}, absolute(m.start))),
    h("div", { class: m.ended_at ? "muted" : null }, m.ended_at ? t("hazard.measure_ended", { time: absolute(m.ended_at) }) : m.until ? t("hazard.measure_until", { time: moment(m.until) }) : t("hazard.measure_on")),
    m.note ? h("div", { class: "note" }, m.note) : null))) : null);
}

/** The rectification as claimed. */
export function claim(hazard) {
  const { claim: made } = hazard;
  return made ? card(t("hazard.claim"), h("p", { class: "note" }, made.note), h("p", { class: "muted" }, `${by(made.by, made.at)} · ${t(`gate.verdict.${made.verdict}`)}`), papersOf(made.evidence)) : null;
}

/** Inspections before acceptance, with posts and experts. */
export function inspections(hazard) {
  return card(t("hazard.inspections"), hazard.inspections.toReversed().map((each) => h("div", { class: "inspection" },
    h("div", { class: "top" }, h("strong", { class: "sign" }, h("i", { "aria-hidden": true }, each.passed ? "✓" : "✕"), t(each.passed ? "hazard.passed" : "hazard.not_passed")), h("span", {}, each.posts.map((post) => postName(hazard, post)).join("、")), h("time", {}, absolute(each.at))),
    h("div", {}, each.experts.length ? t("hazard.experts", { names: each.experts.join("、") }) : t("hazard.no_experts")), h("div", { class: "note" }, each.note), papersOf(each.evidence))));
}
