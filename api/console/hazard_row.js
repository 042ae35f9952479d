// One row of the list of hazards: grade, what, where, state with its marks, the due date counted down.
import { h } from "./dom.js";
import { trackChips } from "./hazard_standing.js";
import { gradeMark } from "./hazard_words.js";
import { gradeChip } from "./list.js";
import { dueIn, isOver, isOverdue, moment } from "./time.js";
import { said } from "./words.js";

const IN_A_ROW = ["summons", "supervision", "listing", "extension"];
const WORTH = { summons: ["due"], supervision: ["supervised"], listing: ["listed"], extension: ["requested", "granted"] };

export function hazardRow(hazard, onclick) {
  const due = h("span", { class: "due", "data-due": "" });
  const chips = isOver(hazard) ? [] : trackChips(hazard, IN_A_ROW.filter((track) => WORTH[track].includes(hazard.tracks[track])));
  const row = h("div", { class: `row hazard${isOver(hazard) ? " over" : ""}`, role: "option", "aria-selected": "false", "data-id": hazard.id, onclick },
    gradeMark(hazard), h("span", { class: "what", title: hazard.title }, h("span", { class: "kinds" }, hazard.title), h("small", {}, said(hazard.kind_name))),
    h("span", { class: "where" }, gradeChip(hazard.zone_grade), h("span", {}, hazard.zone_name)), h("span", { class: "stand", title: chips.map((chip) => chip.lastChild.textContent).join(" · ") || null }, h("span", { class: "word" }, said(hazard.state_name)), chips.length ? h("ul", { class: "tracks" }, chips) : null),
    h("span", { class: "when" }, due, hazard.due_at && !isOver(hazard) ? h("small", {}, moment(hazard.due_at)) : null));
  dueText(due, hazard);
  return row;
}

/** "剩 2 天 4 小时", or in the alarm's colour and in words "已超期 6 小时"; nothing once it is accepted. */
export function dueText(element, hazard) {
  const late = isOverdue(hazard);
  element.classList.toggle("late", late);
  element.closest(".row")?.classList.toggle("late", late);
  const text = hazard.due_at && !isOver(hazard) && hazard.state !== "accepted" ? dueIn(hazard.due_at) : "";
  if (element.textContent !== text) element.textContent = text;
}
