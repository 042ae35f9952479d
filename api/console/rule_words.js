// Words for alarm rules: values as people read them, what differs between two versions, what the server found wrong.
import { wrongWord } from "./refusals.js";
import { has, language, t } from "./words.js";

const MICROS = 1_000_000;
const SIZES = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
const clean = (value) => Number(value.toPrecision(10));

/** "℃" for "Cel". */
export const unitWord = (unit) => (has(`unit.${unit}`) ? t(`unit.${unit}`) : unit);
/** "80 ℃"; "—" for nothing. */
export const measured = (value, unit) => (value === null || value === undefined ? "—" : [String(clean(value)), unitWord(unit)].filter(Boolean).join(" "));
/** "3 分钟" of µs. */
export function lasting(micros) {
  const seconds = (micros ?? 0) / MICROS;
  const [name, size] = SIZES.find(([, each]) => seconds >= each && seconds % each === 0) ?? ["s", 1];
  return t(`rule.say.time.${name}`, { n: clean(seconds / size) });
}
/** "08:00" of a minute of the day. */
export const clockOf = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
export const dayWord = (day) => t(`rule.day.${day}`);
/** "周一 周二 08:00–18:00". */
export const windowWord = (window) => `${window.days.map(dayWord).join(" ")} ${clockOf(window.start)}–${clockOf(window.until)}`;
const both = (words) => [words?.zh, words?.en].filter(Boolean).join(" / ") || "—";
const yes = (value) => t(value ? "rule.yes" : "rule.no");
const list = (values, none) => (values.length ? values.join("、") : t(none));

/** What each field of a rule says, in the order in which people read it. `zoneName(id)`. */
function said_(rule, zoneName) {
  const unit = rule.compares === "stale" ? "s" : rule.unit;
  const { response } = rule;
  const override = ([zone, own]) => [`${t("rule.field.override")} ${zoneName(zone)}`, [own.enabled === false ? t("rule.off") : null, own.limit === null ? null : measured(own.limit, unit),
    own.deadband === null ? null : `${t("rule.field.deadband")} ${measured(own.deadband, unit)}`, own.on_delay === null ? null : `${t("rule.field.on_delay")} ${lasting(own.on_delay)}`,
    own.off_delay === null ? null : `${t("rule.field.off_delay")} ${lasting(own.off_delay)}`, own.severity === null ? null : `${t("rule.field.severity")} ${own.severity}`, own.reason || null].filter(Boolean).join("，")];
  return [
    ["name", both(rule.name)], ["metric", rule.metric], ["compares", t(`rule.compares.${rule.compares}`)], ["limit", measured(rule.limit, unit)], ["reference", measured(rule.reference, unit)], ["unit", rule.unit || "—"],
    ["key_period_limit", measured(rule.key_period_limit, unit)], ["kind", rule.kind || "—"], ["severity", rule.severity ?? "—"], ["deadband", measured(rule.deadband, unit)], ["on_delay", lasting(rule.on_delay)],
    ["off_delay", lasting(rule.off_delay)], ["latching", yes(rule.latching)], ["schedule", list(rule.schedule.map(windowWord), "rule.always")], ["during", list(rule.during.map((each) => t(`rule.during.${each}`)), "rule.always")],
    ["zones", list(rule.zones.map(zoneName), "rule.everywhere")], ["grades", list(rule.grades.map((each) => t(`grade.letter.${each}`)), "rule.every_grade")], ["enabled", yes(rule.enabled)], ["basis", t(`basis.${rule.basis}`)],
    ["cause", both(response.cause)], ["consequence", both(response.consequence)], ["action", both(response.action)], ["within", lasting(response.within)], ["call", response.call.join("、")],
  ].map(([name, value]) => [t(`rule.field.${name}`), String(value)]).concat(Object.entries(rule.overrides).map(override));
}

/** What is not the same in two rules: [field, before, after]. */
export function differences(before, after, zoneName) {
  const [old, fresh] = [before, after].map((rule) => new Map(said_(rule, zoneName)));
  return [...new Set([...old.keys(), ...fresh.keys()])].map((name) => [name, old.get(name) ?? "—", fresh.get(name) ?? "—"]).filter(([, a, b]) => a !== b);
}

// The server's sentences (hazards/rule_checks.py) and their words; other languages than English need them.
const SENTENCES = [
  [/methane over-limit is never suppressed.*above ([\d.e+-]+)/, "methane_ceiling"], [/methane over-limit is never suppressed/, "methane"], [/is missing: a rule without a whole response sheet/, "sheet"],
  [/^is missing: why/, "why_off"], [/^is missing/, "missing"], [/^an id is/, "id"], [/is no metric/, "metric"], [/is no kind of alarm/, "kind"], [/^\S+ does not show /, "not_shown"], [/is not consumed/, "not_consumed"], [/^says nothing/, "says_nothing"], [/^unit .* is not known|is not measured in/, "unit"],
  [/no finite number|number of at least 0/, "number"], [/is above 0 for/, "positive"], [/^not for /, "not_for"], [/not less than the limit/, "deadband"], [/is laxer than/, "laxer"], [/time of at least 0|time allowed for the action/, "time"],
  [/silence/, "silence"], [/the limit of stale/, "silence"], [/days are 1 to 7/, "days"], [/minute of the day/, "minute"], [/same as start/, "same"], [/is empty/, "call"], [/there is no zone/, "zone"], [/does not hold in this zone/, "not_here"],
  [/is not above|limit .* of .* in zone/, "order"], [/only a deviation/, "reference"], [/a severity is/, "severity"], [/is no grade/, "grade"],
];

/** The words for one wrong field of a rule. */
export function wrongOfRule(found, problem) {
  const detail = found.detail ?? "";
  const sentence = SENTENCES.find(([pattern]) => pattern.test(detail));
  const hint = problem.hint && language() === "en" ? ` (${problem.hint})` : "";
  if (language() === "en") return sentence ? `${detail}${hint}` : wrongWord(found, problem);
  return sentence ? t(`rule.wrong.${sentence[1]}`, { n: detail.match(sentence[0])[1] ?? "" }) : wrongWord(found, problem);
}
