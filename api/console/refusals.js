// What the server refused, in the language of the page: by the rule that refused, by the field, else in the server's own (English) words.
import { h } from "./dom.js";
import { gateAnswer } from "./hazard_gate.js";
import { rulingLine } from "./hazard_words.js";
import { has, said, t } from "./words.js";

const FIELDS = ["document", "place", "taken_at", "until", "start", "into", "post", "grade", "zone", "kind", "origin", "held_at", "version", "sha256", "measure", "evidence", "posts", "starts_at", "ends_at", "work", "level", "guardian"];
/** Sentences of the server that a form's fields get, and the words for them; the groups are n, m. */
const SENTENCES = [
  [/^1 to (\d+) characters/, "wrong.longest"], [/^0 to (\d+) characters/, "wrong.longest"], [/at most (\d+) characters?/i, "wrong.longest"], [/at least (\d+) characters?/i, "wrong.shortest"],
  [/field required|^needed | needs this$/i, "wrong.needed"], [/valid (?:integer|number)|of type int/i, "wrong.a_number"], [/valid (?:datetime|date)/i, "wrong.a_time"],
  [/^methane over limit/, "wrong.methane"], [/^no device/, "wrong.device"], [/^no calibration/, "wrong.calibration"], [/^name at least one/, "wrong.needed"],
];
const LONG = /^(?:0|1) to \d+ characters|characters?$/;

/** The words for one wrong field. `found`: {pointer, detail} of the server; `problem`: the whole. */
export function wrongWord({ pointer, detail }, problem = {}) {
  const paper = problem.gate?.papers.find((each) => each.where === pointer);
  if (paper) return said(paper.why_name);
  if (problem.ruling) return has(`wrong.rule.${problem.rule}`) ? t(`wrong.rule.${problem.rule}`) : said(problem.ruling.text);
  const steps = (pointer ?? "").split("/").filter((step) => step && !/^\d+$/.test(step));
  const sentence = SENTENCES.find(([pattern]) => pattern.test(detail ?? ""));
  if (sentence && LONG.test(detail)) return t(sentence[1], { n: detail.match(sentence[0])[1] });
  const field = steps.at(-1);
  if (FIELDS.includes(field)) return t(`wrong.${field}`);
  if (sentence) return t(sentence[1], { n: detail.match(sentence[0])[1] ?? "" });
  return t("wrong.other", { detail: detail ?? "" });
}

/** Refusals that many rules have in common: a role that is not meant, a hazard that stands elsewhere. */
const COMMON = [[/^the role \S+ may not /, "refused.role"], [/^a hazard (?:that is|whose) /, "refused.state"], [/^work is stopped /, "refused.stopped"]];
const WITH_OWN = ["refused.state", "refused.stopped"];

function keyOf({ rule, detail }) {
  const common = rule === "provisional_clock" ? null : COMMON.find(([pattern]) => pattern.test(detail ?? ""));
  return common ? common[1] : `refused.${rule}`;
}

/** Refusals of what is done to an incident, and the words for them. */
const OF_INCIDENTS = [[/^methane over its limit is never shelved/, "do.never.shelve"], [/^methane over its limit is never closed/, "do.never.close"],
  [/^the incident is closed/, "refused.incident_closed"], [/^the incident is not shelved/, "refused.not_shelved"], [/^already acknowledged by (.+)$/, "error.already_acknowledged"]];

/** The words for a refusal that has no rule; null where there are none. */
export function refusalWord({ detail = "" }) {
  const found = OF_INCIDENTS.find(([pattern]) => pattern.test(detail));
  return found ? t(found[1], { by: detail.match(found[0])[1] ?? "" }) : null;
}

/** A refusal above the buttons: in words, the server's own where there are none, the gate's answer, the rule. `text`: what is said without a better word. */
export function refusalBlock(problem, text) {
  const { ruling, gate } = problem;
  const key = keyOf(problem);
  const own = [problem.detail, problem.hint].filter(Boolean).join("; ");
  return h("div", { class: "refusal", role: "alert" }, gate ? gateAnswer(gate) : h("p", { class: "verdict" }, has(key) ? t(key) : refusalWord(problem) ?? text),
    own && !gate && (WITH_OWN.includes(key) || !has(key)) ? h("p", { class: "muted", lang: "en" }, own) : null, ruling ? h("p", {}, rulingLine(ruling)) : null);
}
