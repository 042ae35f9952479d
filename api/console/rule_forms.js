// The dialogs of alarm rules: changing one with a live check of what it would mean, withdrawing, restoring an older version.
import { h } from "./dom.js";
import { blocks, choice, decimal, field, heading, names, several, text } from "./hazard_fields.js";
import { CONFLICT, allZones, openForm } from "./hazard_forms.js";
import { inWords } from "./hazard_record.js";
import { call } from "./net.js";
import { loadPack } from "./pack.js";
import { differencesTable } from "./rule_detail.js";
import { clockOf, dayWord, differences, unitWord, wrongOfRule } from "./rule_words.js";
import { said, t } from "./words.js";

const MICROS = 1_000_000;
const MINUTE = 60 * MICROS;
const COMPARES = ["high_high", "high", "low", "low_low", "rising", "deviation", "state", "stale", "consumption"];
const DURING = ["key_period", "shutdown", "stop_order", "permit", "calibration"];
const GRADES = ["red", "orange", "yellow", "blue"];
const OWN = "*"; // no metric's name
/** The name of a metric, as `hazards.metrics.METRIC_PATTERN`. */
const METRIC = /^[a-z][a-z0-9_]{0,53}$/;
const EMPTY = { id: "", name: { zh: "", en: "" }, metric: "temperature", compares: "high", limit: null, reference: null, unit: "", kind: "", severity: null, deadband: 0, on_delay: 0, off_delay: 0, latching: false, schedule: [], during: [],
  key_period_limit: null, zones: [], grades: [], overrides: {}, enabled: true, response: { cause: { zh: "", en: "" }, consequence: { zh: "", en: "" }, action: { zh: "", en: "" }, within: 0, call: [] } };
const pathOf = (id) => `/alarm-rules/${encodeURIComponent(id)}`;

/** Change `shown`, or make a new rule (null). `metrics`: the known ones; resolves with the rule afterwards, or null. */
export async function askRule(shown, metrics, { zoneName, refresh }) {
  const before = shown?.rule ?? EMPTY;
  const posts = await postWords();
  const fields = ruleFields(before, metrics, shown === null, await allZones(), posts);
  const tried = h("div", { class: "tried", "aria-live": "polite" }, h("p", {}, t("rules.trying")));
  fields.push({ ...heading(""), element: tried }, reasonField());
  let version = shown?.version ?? 0;
  const live = async (given) => {
    const rule = ruleOf(given, before, posts);
    if (given.overrides.some((each) => isTwice(each.zone, given.overrides) && each.zone)) return tried.replaceChildren(h("p", {}, `${t("rule.field.override")}：${t("rule.wrong.twice")}`), h("p", {}, t("rules.not_yet")));
    const answer = await call("POST", "/alarm-rules/check", { rule }).then(({ body }) => tryWords(body), (failure) => failureWords(failure, fields));
    const changed = shown ? differences(before, rule, zoneName) : [];
    tried.replaceChildren(...answer, ...(changed.length ? [differencesTable(changed)] : []));
  };
  const send = async ({ reason, ...given }) => {
    const rule = ruleOf(given, before, posts);
    return (await call("PUT", pathOf(rule.id), { rule, version, reason })).body;
  };
  const answerTo = async (failure, form) => {
    if (failure.problem?.type !== CONFLICT) return false;
    if (!shown) { form.fields[0].wrong(t("rules.id_taken")); form.fields[0].focus(); return true; }
    version = (await refresh(shown.id))?.version ?? version;
    form.show(conflict(failure.problem));
    form.label(t("hazard.again"));
    return true;
  };
  return openForm(t(shown ? "rules.edit_of" : "rules.new", { rule: shown ? said(shown.name) : "" }), fields, { wide: "wide pairs", send, answerTo, place: placeIn(fields), word: wrongOfRule, live });
}

/** Take back what the console made of `shown`. */
export function askWithdraw(shown, { zoneName, refresh }) {
  const changed = shown.file ? differences(shown.rule, shown.file, zoneName) : [];
  const about = h("div", {}, h("p", {}, t(shown.file ? "rules.withdraw_to_file" : "rules.withdraw_ends")), changed.length ? differencesTable(changed) : null);
  return askReason(shown, "withdraw", {}, about, refresh);
}

/** Let `old`, a version of `shown`, hold again. */
export function askRestore(shown, old, { zoneName, refresh }) {
  const changed = differences(shown.rule, old.rule, zoneName);
  const about = h("div", {}, h("p", {}, t("rules.restore_of", { n: old.version })), changed.length ? differencesTable(changed) : h("p", { class: "muted" }, t("rules.same")));
  return askReason(shown, "restore", { number: old.version }, about, refresh);
}

function askReason(shown, name, more, about, refresh) {
  let { version } = shown;
  const send = async (given) => (await call("POST", `${pathOf(shown.id)}/${name}`, { ...more, ...given, version })).body;
  const answerTo = async (failure, form) => {
    if (failure.problem?.type !== CONFLICT || !failure.problem.changes) return false;
    version = (await refresh(shown.id))?.version ?? version;
    form.show(conflict(failure.problem));
    form.label(t("hazard.again"));
    return true;
  };
  return openForm(t(`rules.${name}`), [reasonField()], { about, wide: true, label: t(`rules.${name}`), send, answerTo, place, word: wrongOfRule });
}

/** Posts of the pack by their words, and back: people write 值班员, the rule says control_room. */
async function postWords() {
  const posts = await loadPack().then((pack) => pack.posts, () => []);
  return { word: (name) => { const post = posts.find((each) => each.post === name); return post && !/[,，、;；]/.test(said(post.name)) ? said(post.name) : name; },
    name: (word) => posts.find((each) => [each.name.zh, each.name.en].includes(word))?.post ?? word };
}

const reasonField = () => text("reason", t("rules.reason"), { rows: 2, longest: 1000, needed: true, hint: t("rules.reason_hint") });

function conflict(problem) {
  const others = inWords(problem.changes ?? []);
  return h("div", { class: "refusal conflict", role: "alert" }, h("p", { class: "verdict" }, t("rules.conflict")), others ? h("p", {}, others) : null, h("p", { class: "muted" }, t("rules.conflict_note")));
}

/** Where a pointer of the server is in the form: "/rule/response/cause/zh" is the field cause_zh. */
function place(pointer) {
  const steps = pointer.replace(/^\/rule(?=\/)/, "").split("/").slice(1);
  if (steps[0] === "response") steps.shift();
  if (["name", "cause", "consequence", "action"].includes(steps[0])) return `/${steps[0]}_${steps[1] ?? "zh"}`;
  return `/${steps.join("/")}`;
}

/** The field of a metric that the platform does not know is another one. */
const placeIn = (fields) => (pointer) => (place(pointer) === "/metric" && fields.find((each) => each.name === "metric").read() === OWN ? "/own_metric" : place(pointer));

// --- what the live check says ---
function tryWords(found) {
  const off = found.reach.filter((each) => !each.enabled).length;
  return [h("p", {}, said(found.meaning)), h("p", {}, t("rules.would_hold", { zones: found.reach.length, sensors: found.sensors }), off ? ` ${t("rules.would_be_off", { n: off })}` : "")];
}

function failureWords(failure, fields) {
  if (failure.status !== 422) return [h("p", {}, t(failure.status === 0 ? "error.no_network" : "error.unavailable"))];
  const { problem } = failure;
  const found = problem.errors?.[0] ?? { pointer: problem.pointer, detail: problem.detail };
  const name = placeIn(fields)(found.pointer ?? "").split("/")[1];
  const label = fields.find((each) => each.name === name)?.label;
  return [h("p", {}, [label, wrongOfRule(found, problem)].filter(Boolean).join("：")), h("p", {}, t("rules.not_yet"))];
}

// --- the form and the rule ---
const half = (made) => { made.element.classList.add("half"); return made; };
const seconds = (micros) => (micros ? micros / MICROS : "");
const micros = (given) => Math.round((given || 0) * MICROS);
const numberOrNull = (given) => (given === "" || given === undefined ? null : given);

function ruleFields(rule, metrics, fresh, zones, posts) {
  const isKnown = metrics.some((each) => each.metric === rule.metric);
  const measured = [...metrics.map((each) => [each.metric, `${said(each.name)}${unitWord(each.unit) ? ` (${unitWord(each.unit)})` : ""}`]), [OWN, t("rules.own_metric")]];
  const metric = half(choice("metric", t("rule.field.metric"), measured, { value: isKnown ? rule.metric : OWN }));
  const own = half(text("own_metric", t("rules.own_metric_name"), { value: isKnown ? "" : rule.metric, longest: 54, needed: true, hint: t("rules.own_metric_hint"), check: (value) => (METRIC.test(value) ? null : t("rule.wrong.own_metric")) }));
  const byMetric = () => { own.element.hidden = metric.read() !== OWN; };
  metric.input.addEventListener("change", byMetric);
  byMetric();
  const words = (name, rows) => ["zh", "en"].map((language) => half(text(`${name}_${language}`, `${t(`rule.field.${name}`)} · ${t(`rule.in.${language}`)}`, { rows, value: (rule.response[name] ?? rule.name)[language], needed: language === "zh", longest: rows ? 1000 : 200 })));
  const severities = [["", t("rule.by_kind")], ...[1, 2, 3, 4].map((n) => [String(n), `${n} ${t(`severity.${n}`)}`])];
  const switched = [["true", t("rules.state.on")], ["false", t("rules.state.off")]];
  const id = fresh ? [text("id", t("rule.field.id"), { needed: true, longest: 64, hint: t("rules.id_hint"), check: (value) => (/^[a-z][a-z0-9_.-]{0,63}$/.test(value) ? null : t("rule.wrong.id")) })] : [];
  const compares = half(choice("compares", t("rule.field.compares"), COMPARES.map((name) => [name, t(`rule.compares.${name}`)]), { value: rule.compares }));
  const reference = half(decimal("reference", t("rule.field.reference"), { value: rule.reference }));
  const unit = half(text("unit", t("rule.field.unit"), { value: rule.unit, longest: 20, hint: t("rules.unit_hint") }));
  const byCompares = () => { reference.element.hidden = compares.read() !== "deviation"; unit.element.hidden = compares.read() === "stale"; };
  compares.input.addEventListener("change", byCompares);
  byCompares();
  return [...id, ...words("name", 0),
    heading(t("rules.numbers")), metric, own, compares,
    half(decimal("limit", t("rule.field.limit"), { value: rule.limit, needed: true })), unit, reference, half(decimal("key_period_limit", t("rule.field.key_period_limit"), { value: rule.key_period_limit, hint: t("rules.key_period_hint") })),
    half(choice("severity", t("rule.field.severity"), severities, { value: String(rule.severity ?? "") })), half(text("kind", t("rule.field.kind"), { value: rule.kind, longest: 64, hint: t("rules.kind_hint") })),
    half(decimal("deadband", t("rule.field.deadband"), { value: rule.deadband || "", least: 0 })), half(decimal("on_delay", `${t("rule.field.on_delay")} (s)`, { value: seconds(rule.on_delay), least: 0 })), half(decimal("off_delay", `${t("rule.field.off_delay")} (s)`, { value: seconds(rule.off_delay), least: 0 })),
    half(choice("latching", t("rule.field.latching"), [["false", t("rule.no")], ["true", t("rule.yes")]], { value: String(rule.latching) })), half(choice("enabled", t("rule.field.enabled"), switched, { value: String(rule.enabled) })),
    heading(t("rules.when_and_where")), windowsField(rule.schedule), several("during", t("rule.field.during"), DURING.map((name) => [name, t(`rule.during.${name}`)]), { checked: rule.during, hint: t("rules.during_hint") }),
    several("grades", t("rule.field.grades"), GRADES.map((name) => [name, t(`grade.${name}`)]), { checked: rule.grades, hint: t("rules.grades_hint") }), zonesField(rule.zones, zones), overridesField(rule.overrides, zones, severities, switched),
    heading(t("response.title")), ...words("cause", 2), ...words("consequence", 2), ...words("action", 3), half(decimal("within", t("rules.within_minutes"), { value: rule.response.within ? rule.response.within / MINUTE : "", needed: true })),
    half(names("call", t("rule.field.call"), { value: rule.response.call.map(posts.word).join("\n"), rows: Math.max(2, rule.response.call.length + 1), needed: true, hint: t("rules.call_hint") }))];
}

function zonesField(chosen, zones) {
  const known = [...zones.map((zone) => [zone.id, zone.name]), ...chosen.filter((id) => !zones.some((zone) => zone.id === id)).map((id) => [id, id])];
  const made = several("zones", t("rule.field.zones"), known, { checked: chosen, hint: t("rules.zones_hint") });
  made.input.classList.add("scrolled");
  return made;
}

/** A time of the day as minutes. */
function minute(name, label, value) {
  const input = h("input", { name, type: "time", value: value === null ? "" : clockOf(value % 1440) });
  const read = () => { const [hours, minutes] = input.value.split(":").map(Number); return input.value ? hours * 60 + minutes : ""; };
  return field(name, label, input, read, { needed: true });
}

const windowsField = (schedule) => blocks("schedule", t("rule.field.schedule"), { given: schedule, word: t("rules.add_window"), hint: t("rules.schedule_hint"),
  make: (window) => ({ days: several("days", t("rule.field.days"), [1, 2, 3, 4, 5, 6, 7].map((day) => [String(day), dayWord(day)]), { checked: (window?.days ?? [1, 2, 3, 4, 5]).map(String), needed: true }),
    start: minute("start", t("rule.field.start"), window?.start ?? 480), until: minute("until", t("rule.field.until"), window?.until ?? 1080) }) });

function overridesField(overrides, zones, severities, switched) {
  const whole = overrideBlocks(overrides, zones, severities, switched, (zone) => (zone && isTwice(zone, whole.read()) ? t("rule.wrong.twice") : null));
  return whole;
}

/** Whether two exceptions are for one zone: only one of them could hold. */
const isTwice = (zone, given) => given.filter((each) => each.zone === zone).length > 1;

const overrideBlocks = (overrides, zones, severities, switched, check) => blocks("overrides", t("rule.field.override"), { given: Object.entries(overrides), word: t("rules.add_override"), hint: t("rules.override_hint"), at: (zone, given) => given.findIndex((each) => each.zone === zone),
  make: (entry) => {
    const [zone, own] = entry ?? ["", {}];
    const options = [["", t("ask.choose")], ...zones.map((each) => [each.id, each.name]), ...(zone && !zones.some((each) => each.id === zone) ? [[zone, zone]] : [])];
    return { zone: choice("zone", t("rules.column.zone"), options, { value: zone, needed: true, check }), limit: decimal("limit", t("rule.field.limit"), { value: own.limit }), deadband: decimal("deadband", t("rule.field.deadband"), { value: own.deadband, least: 0 }),
      on_delay: decimal("on_delay", `${t("rule.field.on_delay")} (s)`, { value: own.on_delay === null || own.on_delay === undefined ? "" : own.on_delay / MICROS, least: 0 }),
      off_delay: decimal("off_delay", `${t("rule.field.off_delay")} (s)`, { value: own.off_delay === null || own.off_delay === undefined ? "" : own.off_delay / MICROS, least: 0 }),
      severity: choice("severity", t("rule.field.severity"), [["", t("rule.as_rule")], ...severities.slice(1)], { value: String(own.severity ?? "") }), enabled: choice("enabled", t("rule.field.enabled"), [["", t("rule.as_rule")], ...switched], { value: own.enabled === null || own.enabled === undefined ? "" : String(own.enabled) }),
      reason: text("reason", t("rules.why_here"), { value: own.reason ?? "" }) };
  } });

/** The rule that the form says; what it has no field for stays as it was. */
function ruleOf(given, before, posts) {
  const words = (name) => ({ zh: given[`${name}_zh`] ?? "", en: given[`${name}_en`] ?? "" });
  const window = ({ days, start, until }) => ({ days: days.map(Number), start: start === "" ? 0 : start, until: until === 0 && start === 0 ? 1440 : until === "" ? 0 : until });
  const override = (each) => [each.zone, { limit: numberOrNull(each.limit), deadband: numberOrNull(each.deadband), on_delay: each.on_delay === "" ? null : micros(each.on_delay), off_delay: each.off_delay === "" ? null : micros(each.off_delay), severity: each.severity ? Number(each.severity) : null,
    enabled: each.enabled === "" ? null : each.enabled === "true", reason: each.reason }];
  return { ...before, id: given.id ?? before.id, name: words("name"), metric: given.metric === OWN ? given.own_metric ?? "" : given.metric, compares: given.compares, limit: numberOrNull(given.limit), unit: given.unit ?? "", kind: given.kind ?? "", severity: given.severity ? Number(given.severity) : null,
    reference: given.compares === "deviation" ? numberOrNull(given.reference) : null, key_period_limit: numberOrNull(given.key_period_limit), deadband: given.deadband || 0, on_delay: micros(given.on_delay), off_delay: micros(given.off_delay),
    latching: given.latching === "true", enabled: given.enabled === "true", schedule: given.schedule.map(window), during: given.during, zones: given.zones, grades: given.grades, overrides: Object.fromEntries(given.overrides.filter((each) => each.zone).map(override)),
    response: { cause: words("cause"), consequence: words("consequence"), action: words("action"), within: Math.round((given.within || 0) * MINUTE), call: given.call.map(posts.name) } };
}
