// Where a hazard stands: the five phases, what runs beside them, the due date, and whose turn it is.
import { h } from "./dom.js";
import { COUNTERPART, GROUPS, may, primaryOf, waited } from "./hazard_next.js";
import { card, peopleOf, postName, rulingLine } from "./hazard_words.js";
import { dueIn, isOver, moment, now } from "./time.js";
import { said, t } from "./words.js";

const PHASES = ["confirm", "rectify", "accept", "close", "closed"];
const PHASE_OF = { proposed: 0, confirmed: 1, planned: 1, rectifying: 1, claimed: 2, accepted: 3, closed: 4 };

/** 确认 › 整改 › 验收 › 销号: done ✓, here ●, to come ○, each also in words for those who hear the page. */
export function phases(hazard) {
  const at = PHASE_OF[hazard.state];
  if (at === undefined) return h("p", { class: "phases ended" }, h("b", {}, `— ${said(hazard.state_name)}`));
  const steps = PHASES.slice(0, 4).map((name, n) => {
    const place = n < at ? "done" : n === at ? "here" : "ahead";
    return h("li", { class: place, "aria-current": place === "here" ? "step" : null }, h("i", { "aria-hidden": true }, { done: "✓", here: "●", ahead: "○" }[place]), t(`hazard.phase.${name}`),
      place === "here" ? h("b", {}, said(hazard.state_name)) : null, h("span", { class: "visually-hidden" }, t(`hazard.place.${place}`)));
  });
  return h("ol", { class: "phases", "aria-label": t("hazard.phases") }, steps, at === 4 ? h("li", { class: "here" }, h("i", { "aria-hidden": true }, "✓"), h("b", {}, said(hazard.state_name))) : null);
}

// What somebody waits for is hollow, what stands over the hazard is a bar, what is done is ticked; only what is late is in an alarm's colour.
const WAITING = ["filed", "returned", "requested", "granted", "to_department", "to_congress"];
const STANDING = { "listing.listed": "on", "supervision.supervised": "on", "summons.due": "late", "referral.referred": "on", "extension.filed": "done", "extension.refused": "no", "plan.returned": "no" };
const MARKS = { on: "▌", late: "!", done: "✓", no: "✕", waits: "○" };
const lookOf = (track, at) => STANDING[`${track}.${at}`] ?? (WAITING.includes(at) ? "waits" : "done");
const chip = (look, text) => h("li", { class: `track ${look}` }, h("i", { "aria-hidden": true }, MARKS[look]), text);

/** Tracks, repeats, measures in force and late, as words with a mark. */
export function trackChips(hazard, tracks = Object.keys(hazard.tracks)) {
  return [hazard.alarm_since_claim ? chip("late", t("hazard.alarm_since_claim")) : null, hazard.repeated ? chip("on", t("hazard.repeated")) : null, ...tracks.filter((track) => hazard.tracks[track]).map((track) => chip(lookOf(track, hazard.tracks[track]), trackWord(hazard, track)))].filter(Boolean);
}
const trackWord = (hazard, track) => said(hazard.track_names?.[track]) || t(`hazard.track.${track}.${hazard.tracks[track]}`);

/** The measures in force, on top of everything: what is stopped or closed now. */
export function inForce(hazard) {
  const standing = hazard.measures.filter((m) => !m.ended_at);
  if (!standing.length) return null;
  return h("ul", { class: "in-force", "aria-label": t("hazard.in_force") }, standing.map((m) => h("li", {}, h("i", { "aria-hidden": true }, "■"), h("strong", {}, said(m.kind_name)), h("span", {}, m.authority),
    h("span", { class: m.until && Date.parse(m.until) < now() ? "past" : "muted" }, m.until ? t(Date.parse(m.until) < now() ? "hazard.measure_past" : "hazard.measure_until", { time: moment(m.until) }) : t("hazard.measure_since", { time: moment(m.start) })))));
}

/** The due date: counted down in words, absolute, and by which rule. `element` is what ticks. */
export function dueBlock(hazard, element) {
  if (!hazard.due_at || isOver(hazard)) return null;
  const moved = hazard.extensions.filter((e) => e.granted_at).reduce((days, e) => days + e.days, 0);
  return h("section", { class: "due-block" }, h("h3", {}, t("hazard.fact.due")), element, h("div", {}, moment(hazard.due_at), hazard.confirmed ? null : h("em", {}, t("hazard.provisional")),
    moved ? h("span", { class: "muted" }, t("hazard.moved", { days: moved })) : null, hazard.state === "accepted" ? h("span", { class: "muted" }, t("hazard.clock_stopped")) : null), rulingLine(hazard.due_ruling));
}

/** Whose turn it is, the one step that this person takes, its counterpart, and the way to everything else. */
export function nextBlock(hazard, me, calls) {
  const [turns, mine] = [waited(hazard), primaryOf(hazard, me)];
  const name = (command) => said(hazard.commands.find((c) => c.command === command).name);
  const button = (command, primary) => h("button", { class: primary ? "primary" : null, "data-command": command, onclick: () => calls.command(command) }, name(command), primary ? h("kbd", {}, "a") : null);
  const first = turns.find(({ command }) => command === mine) ?? turns[0];
  const others = turns.filter((turn) => turn !== first);
  const rest = Object.values(GROUPS).flat().filter((command) => may(hazard, command, me));
  const other = mine && COUNTERPART[mine] && may(hazard, COUNTERPART[mine], me) ? COUNTERPART[mine] : null;
  const more = rest.filter((command) => command !== mine && command !== other);
  const line = (turn) => [h("b", {}, name(turn.command)), " ", h("span", {}, peopleOf(hazard, turn.roles))];
  return h("section", { class: "next-block" }, h("h3", {}, t("hazard.next")),
    first ? h("p", { class: "turn" }, mine ? h("b", {}, t("hazard.your_turn", { command: name(mine) })) : [t("hazard.waits_for", { who: peopleOf(hazard, first.roles) }), " ", h("b", {}, name(first.command))]) : h("p", { class: "turn muted" }, t(isOver(hazard) ? "hazard.nothing_left" : "hazard.nothing_waited")),
    others.length ? h("ul", { class: "turns" }, others.map((turn) => h("li", {}, h("i", { "aria-hidden": true }, "○"), line(turn)))) : null,
    h("div", { class: "actions" }, mine ? button(mine, true) : null, other ? button(other, false) : null,
      more.length ? h("button", { class: "more-actions", "data-more": more.join(" "), onclick: () => calls.more() }, t("hazard.more", { n: more.length }), h("kbd", {}, "o")) : null,
      rest.length ? null : h("span", { class: "muted" }, t("error.permission_note", { role: t(`role.${me.role}`) }))));
}

/** The clocks that run, with the points at which people are told. */
export function clocks(hazard) {
  if (!hazard.clocks?.length) return null;
  return card(t("hazard.clocks"), h("ul", { class: "clocks" }, hazard.clocks.map((clock) => {
    const late = Date.parse(clock.due_at) < now();
    return h("li", {}, h("div", { class: "top" }, h("strong", {}, said(clock.name)), h("span", { class: late ? "due late" : "due" }, dueIn(clock.due_at)), h("time", {}, moment(clock.due_at))),
      h("ol", { class: "points" }, clock.points.map((point) => h("li", { class: point.passed ? "done" : "ahead", title: point.tells.map((post) => postName(hazard, post)).join(t("hazard.and")) }, h("i", { "aria-hidden": true }, point.passed ? "✓" : "○"), pointWord(point.name), h("small", {}, moment(point.at))))));
  })));
}

/** "half" and "-3d" in words. */
export function pointWord(name) {
  const [, sign, count, unit] = /^([+-])(\d+)([dh])$/.exec(name) ?? [];
  if (!sign) return t(`hazard.point.${name}`);
  return t(`hazard.point.${sign === "-" ? "before" : "after"}`, { time: t(unit === "d" ? "hazard.point.days" : "hazard.point.hours", { n: count }) });
}
