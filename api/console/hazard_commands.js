// Every command as a row: its fields in order, and the further rules that its form shows. The forms are made from this table.
import { lastExtension, publicity } from "./hazard_boards.js";
import { plan } from "./hazard_facts.js";
import { answer, choice, names, number, papers, several, text, time } from "./hazard_fields.js";
import { gateBlock } from "./hazard_gate.js";
import { COMMITMENTS, postName } from "./hazard_words.js";
import { call } from "./net.js";
import { rankOf } from "./pack.js";
import { isOver } from "./time.js";
import { said, t } from "./words.js";

const label = (name) => t(`hazard.ask.${name}`);
const note = () => text("note", label("note"), { rows: 2 });
const reason = () => text("reason", label("reason"), { rows: 3, needed: true, longest: 1000 });
const line = (name, more = {}) => text(name, label(name), { needed: true, ...more });
const listed = (list) => list.map((each) => [each.name, said(each.text)]);
const optional = (word, options) => [["", word], ...options];

/** Grade, and the item of the criteria that belongs to it: chosen where the pack has items, written where it has none. */
function gradeAndCriterion(hazard, others) {
  const grades = hazard.grades.filter((g) => !others || g.grade !== hazard.grade);
  const grade = choice("grade", label("grade"), grades.map((g) => [g.grade, said(g.name)]), { value: others ? null : hazard.grade, needed: true });
  const byGrade = Object.fromEntries(grades.map((g) => {
    const items = hazard.choices.criteria[g.grade] ?? [];
    const made = items.length ? choice("criterion", label("criterion"), optional(t("ask.choose"), items.map((item) => [item.name, `${item.name} ${said(item.text)}`])), { needed: g.needs_criterion })
      : text("criterion", label("criterion"), { longest: 1000, needed: g.needs_criterion });
    return [g.grade, { made, shown: items.length > 0 || g.needs_criterion }];
  }));
  const follow = () => { for (const [name, { made, shown }] of Object.entries(byGrade)) made.element.hidden = name !== grade.input.value || !shown; };
  grade.input.addEventListener("change", follow);
  follow();
  return [grade, ...Object.values(byGrade).map(({ made }) => made)];
}

/** The open hazards of the same zone, enterprise and kind that are as grave and as far confirmed: only they go on. Throws Failure. */
async function alike(hazard) {
  const { body } = await call("GET", `/hazards?limit=500&zone=${encodeURIComponent(hazard.zone)}${hazard.enterprise ? `&enterprise=${encodeURIComponent(hazard.enterprise)}` : ""}`);
  return body.items.filter((x) => x.id !== hazard.id && x.kind === hazard.kind && x.enterprise === hazard.enterprise && !isOver(x) && rankOf(x.grade) <= rankOf(hazard.grade) && (x.confirmed || !hazard.confirmed));
}

const ownInspecting = (hazard) => hazard.choices.inspecting_posts.filter((post) => hazard.choices.own_posts.includes(post));
const missingPosts = (hazard) => hazard.choices.signing_posts.filter((post) => !hazard.extensions.at(-1).signatures.some((s) => s.post === post));

/** name: {about(hazard): what it is about, fields(hazard, me), rules: further ids of the pack, number: fields that are sent as numbers, rename: what a field is called in the API}. */
export const FORMS = {
  confirm: { fields: (x) => gradeAndCriterion(x, false), rules: ["clock_start", "criterion_for_major"] },
  regrade: { fields: (x) => [...gradeAndCriterion(x, true), reason()] },
  dismiss: { fields: () => [reason()] },
  receive: { fields: () => [note()] },
  measure: { fields: (x) => [choice("kind", label("measure"), x.measure_kinds.map((m) => [m.kind, said(m.name)]), { needed: true }), line("authority"), time("start", label("start"), { past: true }), time("until", label("until")), note()] },
  end_measure: { fields: (x) => [choice("measure", label("measure"), x.measures.filter((m) => !m.ended_at).map((m) => [String(m.number), `${said(m.kind_name)} · ${m.authority}`]), { needed: true }), note()], number: ["measure"] },
  report: { fields: (x) => [choice("to", label("to"), ["department", "staff_congress"].filter((to) => !x.reports.some((r) => r.to === to)).map((to) => [to, t(`hazard.report.${to}`)]), { needed: true }), line("recipient"), note()], rules: ["report_at_once"] },
  publish: { fields: () => [line("place", { longest: 200 }), time("until", label("until")), note()], rules: ["publication_in_time"] },
  list: { fields: () => [line("number"), line("supervisor"), note()], rules: ["listing_in_time"] },
  lift_listing: { fields: () => [note()], rules: ["lifted_before_closing"] },
  plan: { fields: (x) => COMMITMENTS.map((name) => text(name, t(`hazard.plan.${name}`), { rows: 2, needed: true, value: x.plan?.[name] ?? "" })), rules: ["plan_before_rectification"], wide: true },
  approve_plan: { about: plan, fields: () => [note()], wide: true },
  return_plan: { about: plan, fields: () => [reason()], wide: true },
  start_rectification: { fields: () => [note()] },
  request_extension: { fields: (x) => [number("days", t("hazard.ask.days", { n: x.choices.most_days }), { least: 1, most: x.choices.most_days, needed: true }), choice("cause", label("cause"), optional(t("ask.choose"), listed(x.choices.causes)), { needed: true }), reason()], rules: ["extension_signed", "extension_cap", "extension_in_time"] },
  sign_extension: { about: lastExtension, fields: (x, me) => [...(me.role === "administrator" ? [choice("post", label("post"), missingPosts(x).map((p) => [p, postName(x, p)]))] : []), note()], rules: ["signature"] },
  refuse_extension: { about: lastExtension, fields: () => [reason()], rules: ["extension_in_time"] },
  file_extension: { about: lastExtension, fields: () => [line("number"), note()] },
  supervise: { fields: () => [line("number"), line("supervisor"), note()] },
  lift_supervision: { fields: () => [note()] },
  summon: { fields: (x) => [line("with_whom"), choice("post", label("post"), optional(label("own_post"), listed(x.choices.posts))), time("held_at", label("held_at"), { past: true }), text("place", label("place_optional")), text("note", label("summons_note"), { rows: 3, needed: true })] },
  refer: { fields: () => [line("to_body"), line("number"), reason()], rename: { to_body: "to" } },
  waive_penalty: { fields: (x) => [choice("item", label("item"), optional(t("ask.choose"), listed(x.choices.waivers)), { needed: true }), reason()] },
  claim: { fields: () => [text("note", label("done"), { rows: 3, needed: true }), papers("evidence", label("papers"), ["after", "before"])], rules: ["evidence_gate", "evidence_instead"], wide: true },
  inspect: { fields: (x) => [answer("passed", label("passed"), [[true, t("hazard.passed")], [false, t("hazard.not_passed")]], { needed: true }), several("posts", label("posts"), listed(x.choices.posts.filter((post) => x.choices.own_posts.includes(post.name))), { checked: ownInspecting(x).length === 1 ? ownInspecting(x) : [], needed: x.choices.inspecting_posts.length > 0 }),
    names("experts", t("hazard.ask.experts", { n: x.choices.experts }), { needed: x.choices.experts > 0 }), text("note", label("found"), { rows: 3, needed: true }), papers("evidence", label("papers"), ["after", "before"])], rules: ["expert_acceptance"], wide: true },
  accept: { about: (x) => gateBlock(x.gate), fields: () => [note()], rules: ["evidence_gate", "second_person"] },
  refuse: { fields: () => [reason()] },
  close: { about: (x) => [gateBlock(x.gate), publicity(x)].filter(Boolean), fields: () => [note()], rules: ["evidence_gate", "lifted_before_closing"] },
  reopen: { fields: () => [reason()] },
  transfer: { fields: () => [line("to_body"), reason()], rename: { to_body: "to" } },
  merge: { fields: async (x) => [choice("into", label("into"), (await alike(x)).map((other) => [other.id, `${other.title} · ${said(other.state_name)}`]), { needed: true, hint: label("into_note") }), reason()] },
  comment: { fields: () => [text("text", t("do.comment_text"), { rows: 4, needed: true })] },
};

/** The commands that ask the evidence gate. */
export const GATED = ["claim", "accept", "close"];
