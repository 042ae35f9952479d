// The dialogs of declarations: entering one of each kind, ending one, silencing a single alarm. What is checked here is checked by the server again.
import { h } from "./dom.js";
import { answer, choice, several, text, time } from "./hazard_fields.js";
import { allZones, openForm } from "./hazard_forms.js";
import { refusalBlock } from "./refusals.js";
import { call } from "./net.js";
import { now, wallClock } from "./time.js";
import { said, t } from "./words.js";

/** What is entered on the page; a single alarm is shelved where it is seen. */
export const ENTERED_HERE = ["permit", "calibration", "shutdown", "key_period", "out_of_service"];
/** Of these the devices are named. */
const DEVICES_OF = ["calibration", "out_of_service"];
const HOUR = 3_600_000;
const LONGEST = { calibration: 4 };
const USUAL = { calibration: 2, shutdown: 24, key_period: 24 * 7 };

/** A name for this request: repeated by a broken line, it is still one declaration. */
const requestName = () => `console-${Date.now()}-${Math.random().toString(36).slice(2)}`;

const noneOf = () => [["", t("ask.choose")]];

/** Enter a declaration of `kind`; resolves with it, or null. */
export async function enter(kind) {
  const [zones, works, devices] = await Promise.all([allZones(), kind === "permit" ? call("GET", "/works").then(({ body }) => body.items) : [], DEVICES_OF.includes(kind) ? allDevices() : []]);
  const everywhere = kind === "key_period" ? [["", t("zone.whole_site")]] : noneOf();
  const zone = choice("zone", t("ledger.column.where"), [...everywhere, ...zones.map((each) => [each.id, each.name])], { needed: kind !== "key_period" });
  if (kind !== "key_period" && zones.length === 1) zone.input.value = zones[0].id;
  const fields = [zone, ...(kind === "permit" ? ofWork(works) : []), ...(DEVICES_OF.includes(kind) ? [ofDevices(zone, devices)] : []), ...ofTime(kind), reasonOf(kind)];
  if (kind === "permit") limitTo(fields, works);
  const name = requestName();
  return openForm(t(`declarations.enter.${kind}`), fields, { label: t("declarations.submit"), wide: true, about: h("p", { class: "muted" }, t(`declarations.note.${kind}`)),
    send: async (given) => (await call("POST", "/declarations", { kind, command_id: name, ...given })).body });
}

function ofWork(works) {
  const work = choice("work", t("declarations.work"), [...noneOf(), ...works.map((each) => [each.work, said(each.name)])], { needed: true });
  const level = choice("level", t("declarations.level"), []);
  level.element.hidden = true;
  return [work, level, text("guardian", t("declarations.guardian_name"), { needed: true, hint: t("declarations.guardian_hint") })];
}

function ofTime(kind) {
  const [start, usual] = [now(), USUAL[kind]];
  const endless = ["shutdown", "out_of_service"].includes(kind);
  const from = time("starts_at", t("declarations.from"), { hint: t("declarations.from_now") });
  const until = time("ends_at", t("declarations.until"), { value: usual && kind !== "shutdown" ? wallClock(start + usual * HOUR) : "", needed: !endless, hint: endless ? t("declarations.endless") : null,
    check: (value) => checkSpan(beginOf(from), value, LONGEST[kind]) });
  return [from, until];
}

/** When it begins: now, where nothing is said. */
const beginOf = (from) => from.read() || new Date(now()).toISOString();

function checkSpan(from, until, longest) {
  if (!until) return null;
  const length = Date.parse(until) - Date.parse(from);
  if (length <= 0 || Date.parse(until) <= now()) return t("wrong.ends_at");
  return longest && length > longest * HOUR ? t("wrong.too_long", { longest: spoken(longest) }) : null;
}

const spoken = (hours) => (hours > 48 && hours % 24 === 0 ? t("declarations.days", { n: hours / 24 }) : t("do.hours", { n: hours }));

const reasonOf = (kind) => text("reason", t(kind === "key_period" ? "declarations.period_name" : kind === "permit" ? "declarations.content" : "declarations.reason"), { rows: 2, longest: 1000, needed: !["permit", "calibration"].includes(kind) });

/** A permit's longest validity follows its work and level: shown, checked, and proposed for as long as nobody has written an end. */
function limitTo(fields, works) {
  const [work, level, from, until] = ["work", "level", "starts_at", "ends_at"].map((name) => fields.find((field) => field.name === name));
  const hint = h("small", { class: "longest" });
  until.element.append(hint);
  const longest = () => {
    const chosen = works.find((each) => each.work === work.read());
    return chosen?.levels.find((each) => each.level === level.read())?.longest_hours ?? chosen?.longest_hours;
  };
  let written = false;
  until.input.addEventListener("input", () => { written = until.input.value !== ""; });
  const wrongEnd = () => checkSpan(beginOf(from), until.read(), longest());
  const show = () => {
    const hours = longest();
    hint.textContent = hours ? t("declarations.longest", { longest: spoken(hours) }) : "";
    if (hours && !written) until.input.value = wallClock(Date.parse(beginOf(from)) + Math.min(hours, 8) * HOUR);
    until.wrong(wrongEnd());
  };
  work.input.addEventListener("change", () => {
    const levels = works.find((each) => each.work === work.read())?.levels ?? [];
    level.element.hidden = !levels.length;
    level.input.replaceChildren(...levels.map((each) => h("option", { value: each.level }, said(each.name))));
    show();
  });
  level.input.addEventListener("change", show);
  until.input.addEventListener("change", () => until.wrong(wrongEnd()));
  from.input.addEventListener("change", show);
  const own = until.check;
  until.check = () => {
    if (!own()) return false;
    until.wrong(wrongEnd());
    return wrongEnd() === null;
  };
}

/** The devices of the chosen zone, any of them. */
function ofDevices(zone, devices) {
  const made = several("devices", t("detail.devices"), devices.map((each) => [each.id, each.id]), { needed: true });
  const boxes = [...made.input.querySelectorAll("input")];
  const none = h("p", { class: "muted" });
  made.input.append(none);
  const show = () => {
    boxes.forEach((box, n) => {
      box.parentElement.hidden = devices[n].zone !== zone.read();
      if (box.parentElement.hidden) box.checked = false;
    });
    none.textContent = devices.some((device) => device.zone === zone.read()) ? "" : t(zone.read() ? "declarations.no_devices" : "declarations.zone_first");
    none.hidden = !none.textContent;
  };
  zone.input.addEventListener("change", show);
  show();
  return made;
}

async function allDevices() {
  const found = [];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await call("GET", `/devices?limit=500${cursor}`);
    found.push(...body.items.filter((device) => !device.shared));
    cursor = body.next ? `&cursor=${encodeURIComponent(body.next)}` : null;
  }
  return found;
}

/** End `declaration` before its time, or withdraw it; resolves with it afterwards, or null. */
export function askEnd(declaration, what, refresh) {
  const label = t(declaration.standing === "entered" ? "declarations.withdraw" : "declarations.end");
  const name = requestName();
  return openForm(label, [text("reason", t("declarations.why_end"), { rows: 2, longest: 1000, needed: true })], { label, about: h("strong", {}, `${what} · ${said(declaration.zone_name)}`),
    send: async (given) => (await call("POST", `/declarations/${encodeURIComponent(declaration.id)}/end`, { ...given, version: declaration.version, command_id: name })).body,
    answerTo: async (failure, form) => {
      if (failure.status !== 409) return false;
      await refresh?.();
      form.show(refusalBlock({}, t("declarations.over_already")));
      return true;
    } });
}

const MINUTES = [15, 30, 60, 120, 480, 1440];

/** Shelve one alarm for a limited time, or take it out of service; resolves with the declaration, or null. */
export function askSilence(alarm, zone, declares) {
  const kinds = ["shelved", "out_of_service"].filter((kind) => declares.includes(kind));
  const kind = answer("kind", t("declarations.how"), kinds.map((name) => [name, t(`declarations.silence.${name}`)]), { needed: true });
  kind.input.querySelector("input").checked = true;
  const minutes = choice("minutes", t("do.shelve_minutes"), MINUTES.map((n) => [n, n < 60 ? t("do.minutes", { n }) : t("do.hours", { n: n / 60 })]), { value: 30 });
  const until = time("ends_at", t("declarations.until"), { hint: t("declarations.endless"), check: (value) => (value ? checkSpan(new Date(now()).toISOString(), value) : null) });
  const show = () => { minutes.element.hidden = kind.read() !== "shelved"; until.element.hidden = kind.read() === "shelved"; };
  kind.input.addEventListener("change", show);
  show();
  const name = requestName();
  const about = [h("strong", {}, `${said(alarm.kind_name.name)} · ${alarm.device}`), h("p", { class: "muted" }, t("declarations.silence_note"))];
  return openForm(t("declarations.silence"), [kind, minutes, until, text("reason", t("declarations.reason"), { rows: 2, longest: 1000, needed: true })], { about, label: t("declarations.submit"),
    send: async ({ minutes: length, ...given }) => {
      const ends = given.kind === "shelved" ? { ends_at: new Date(now() + Number(length) * 60_000).toISOString() } : {};
      return (await call("POST", "/declarations", { zone, devices: [alarm.device], alarms: [alarm.kind], command_id: name, ...given, ...ends })).body;
    } });
}
