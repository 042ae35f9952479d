// The page of duties (履职): what each body has to do in each period, until when, who did it last; and recording that it was done.
import { fill, h, stateBox } from "./dom.js";
import { openForm } from "./hazard_forms.js";
import { text } from "./hazard_fields.js";
import { basisOf, rulingLine, who } from "./hazard_words.js";
import { Failure, call } from "./net.js";
import { dueIn, moment, now } from "./time.js";
import { said, t } from "./words.js";

const PAGE = 200;
const isLate = (duty) => !duty.done_at && Date.parse(duty.due_at) < now();

export class Duties {
  /** `calls`: toast(text, wrong), waiting(count): how many of one's own want to be done, because a point has passed. */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.duties = null;
    this.element = h("main", { class: "desk duties", tabindex: -1 });
  }

  async load() {
    const asking = this.asking = {}; // an answer to an earlier question comes too late
    if (!this.duties) fill(this.element, stateBox(t("duties.loading"), ""));
    try {
      const [open, done] = await Promise.all(["open", "done"].map((state) => call("GET", `/duties?state=${state}&limit=${PAGE}`)));
      if (asking !== this.asking) return;
      this.duties = { open: open.body.items.toReversed(), done: done.body.items.toSorted((a, b) => Date.parse(b.done_at) - Date.parse(a.done_at)) };
      this.render();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401 || asking !== this.asking || this.duties) return;
      fill(this.element, failure.status === 403 ? stateBox(t("error.permission"), t("error.permission_note", { role: t(`role.${this.me.role}`) }))
        : stateBox(t("error.title"), t(failure.status === 0 ? "error.no_network" : "error.unavailable"), h("button", { onclick: () => this.load() }, t("error.retry"))));
    }
  }

  /** A point of a duty has passed: those who are to be told are. */
  take(notice) {
    if (notice.roles.includes(this.me.role)) this.calls.toast(t(`duties.told.${notice.event}`, { duty: said(notice.name), period: periodWord(notice.period), post: said(notice.post_name), due: moment(notice.due_at) }), notice.event === "overdue");
    this.load();
  }

  tick() {
    for (const element of this.element.querySelectorAll(".due[data-due]")) dueText(element);
  }

  async finish(duty) {
    const label = t("duties.record");
    const about = [h("strong", {}, `${said(duty.name)} · ${periodWord(duty.period)}`), h("div", { class: "muted" }, `${said(duty.post_name)} · ${t("duties.until", { time: moment(duty.due_at) })}`)];
    const note = text("note", t("duties.ask.note"), { rows: 4, needed: true, hint: t("duties.ask.note_hint") });
    const after = await openForm(label, [note], { about, label, rules: duty.ruling ? [duty.ruling] : [],
      send: async (given) => (await call("POST", `/duties/${encodeURIComponent(duty.id)}/commands`, { command: "done", ...given })).body,
      answerTo: async (failure, form) => {
        if (failure.status !== 409) return false;
        await this.load();
        const other = this.duties?.done.find((each) => each.id === duty.id);
        form.show(h("p", { class: "refusal", role: "alert" }, t("duties.done_already", { by: other ? who(other.done_by) : "—" })));
        return true;
      } });
    if (after === null) return;
    this.calls.toast(t("duties.recorded", { duty: said(after.name), standing: said(after.standing_name) }));
    await this.load();
  }

  // --- how it looks ---
  render() {
    const { open, done } = this.duties;
    this.calls.waiting(open.filter((duty) => duty.may_finish && duty.points.some((point) => Date.parse(point.at) <= now())).length);
    const section = (title, name, duties, row) => h("section", { class: `duty-list ${name}`, "aria-label": title }, h("h2", {}, title, h("small", {}, String(duties.length))),
      h("div", { class: "duty head", "aria-hidden": true }, ["what", "post", "due", ...(name === "done" ? ["by", "note"] : ["last", ""])].map((column) => h("span", {}, column ? t(`duties.column.${column}`) : ""))),
      duties.length ? h("ul", {}, duties.map(row)) : h("p", { class: "muted none" }, t(`duties.none_${name}`)));
    const { scrollTop } = this.element;
    fill(this.element, open.length || done.length ? h("div", { class: "duty-page" }, section(t("duties.open"), "open", open, (duty) => this.openRow(duty)), section(t("duties.done"), "done", done, doneRow))
      : stateBox(t("duties.empty"), t("duties.empty_note")));
    this.element.scrollTop = scrollTop;
    this.tick();
  }

  openRow(duty) {
    const first = this.duties.open.find((each) => each.may_finish && isLate(each)); // one primary action a page
    const last = this.duties.done.find((each) => each.duty === duty.duty && each.body === duty.body);
    const told = duty.points.map((point) => h("li", { class: Date.parse(point.at) <= now() ? "past" : null }, h("i", { "aria-hidden": true }, Date.parse(point.at) <= now() ? "●" : "○"), `${moment(point.at)} ${t("duties.tells", { posts: point.tells_names.map(said).join(t("hazard.and")) })}`));
    return h("li", { class: "duty", "data-id": duty.id }, what(duty, told), h("span", { class: "post" }, said(duty.post_name)),
      h("span", { class: "when" }, h("b", { class: "due", "data-due": duty.due_at }), h("small", {}, moment(duty.due_at))),
      h("span", { class: "last" }, last ? [h("span", { class: "only-phone" }, `${t("duties.column.last")} `), who(last.done_by), h("small", {}, `${periodWord(last.period)} · ${moment(last.done_at)}`)] : h("span", { class: "muted" }, t("duties.never"))),
      h("span", { class: "do" }, duty.may_finish ? h("button", { class: duty === first ? "primary" : null, onclick: () => this.finish(duty) }, t("duties.record")) : null));
  }
}

const what = (duty, told = []) => h("span", { class: "what" }, h("b", {}, said(duty.name)), h("small", {}, periodWord(duty.period), duty.ruling ? ` · ${basisOf(duty.ruling)}` : null),
  told.length ? h("details", {}, h("summary", {}, t("duties.points")), duty.ruling ? rulingLine(duty.ruling) : null, h("ul", { class: "points" }, told)) : null);

function doneRow(duty) {
  return h("li", { class: "duty", "data-id": duty.id }, what(duty), h("span", { class: "post" }, said(duty.post_name)),
    h("span", { class: "when" }, h("span", { class: duty.standing === "late" ? "was-late" : null }, said(duty.standing_name)), h("small", {}, t("duties.until", { time: moment(duty.due_at) }))),
    h("span", { class: "last" }, who(duty.done_by), h("small", {}, moment(duty.done_at))), h("span", { class: "note" }, duty.note));
}

/** "2026年11月", "2026年第四季度". */
export function periodWord(period) {
  const [year, part] = period.split("-");
  return part.startsWith("Q") ? t("duties.quarter", { year, n: part.slice(1) }) : t("duties.month", { year, n: Number(part) });
}

function dueText(element) {
  const late = Date.parse(element.dataset.due) < now();
  element.classList.toggle("late", late);
  element.closest(".duty").classList.toggle("late", late);
  const words = dueIn(element.dataset.due);
  if (element.textContent !== words) element.textContent = words;
}
