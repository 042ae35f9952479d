// The schedule of a rule as a week: a line a day, drawn where the rule is armed.
import { h } from "./dom.js";
import { clockOf, dayWord, windowWord } from "./rule_words.js";
import { part } from "./severity.js";
import { t } from "./words.js";

const DAY = 1440;

/** Minutes of each day of the week in which it is armed, as [from, to). */
export function armedOn(schedule) {
  const days = Array.from({ length: 7 }, () => []);
  for (const { days: named, start, until } of schedule) {
    for (const day of named) {
      days[day - 1].push([start, until > start ? until : DAY]);
      if (until <= start && until > 0) days[day % 7].push([0, until]);
    }
  }
  return schedule.length ? days : days.map(() => [[0, DAY]]);
}

/** The drawing; its words stand beside it for those who don't see it. */
export function weekStrip(schedule) {
  const words = schedule.length ? schedule.map(windowWord).join("；") : t("rule.always");
  const line = (windows, n) => {
    const svg = part("svg", { viewBox: `0 0 ${DAY} 12`, preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(part("rect", { class: "free", x: 0, y: 0, width: DAY, height: 12 }), ...windows.map(([from, to]) => part("rect", { class: "armed", x: from, y: 0, width: to - from, height: 12 })),
      ...[360, 720, 1080].map((x) => part("rect", { class: "hour", x: x - 1.5, y: 0, width: 3, height: 12 })));
    return [h("span", {}, dayWord(n + 1)), svg];
  };
  return h("figure", { class: "week", role: "img", "aria-label": words }, armedOn(schedule).map(line), h("span"), h("span", { class: "hours", "aria-hidden": true }, [0, 360, 720, 1080, DAY].map((each) => h("i", {}, clockOf(each)))), h("figcaption", {}, words));
}
