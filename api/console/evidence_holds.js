// Holds (证据封存): the dialogs that enter and lift one, and how one is shown.
import { h } from "./dom.js";
import { choice, text, time } from "./hazard_fields.js";
import { allZones, openForm } from "./hazard_forms.js";
import { refusalBlock } from "./refusals.js";
import { call } from "./net.js";
import { moment, now, wallClock } from "./time.js";
import { t } from "./words.js";

const MINUTE = 60_000;
/** A name for this request: repeated by a broken line, it is still one hold. */
const requestName = () => `console-${Date.now()}-${Math.random().toString(36).slice(2)}`;

/** Enter a hold; resolves with it, or null. `given`: the zone and the times (ISO) that are proposed. */
export async function askHold({ zone = "", begins = null, ends = null } = {}) {
  const zones = await allZones();
  const where = choice("zone", t("ledger.column.where"), [["", t("ask.choose")], ...zones.map((each) => [each.id, each.name])], { value: zone, needed: true });
  const from = time("begins", t("hold.begins"), { value: wallClock((begins ? Date.parse(begins) : now() - 60 * MINUTE) - MINUTE), needed: true });
  const until = time("ends", t("hold.ends"), { value: wallClock((ends ? Date.parse(ends) : now()) + 2 * MINUTE), needed: true,
    check: (value) => (value && from.read() && Date.parse(value) < Date.parse(from.read()) ? t("wrong.ends_at") : null) });
  const why = text("reason", t("hold.reason"), { rows: 2, longest: 1000, needed: true });
  const name = requestName();
  return openForm(t("hold.enter"), [where, from, until, why], { label: t("hold.enter"), about: h("p", { class: "muted" }, t("hold.note")),
    send: async (asked) => (await call("POST", "/evidence-holds", { command_id: name, ...asked })).body });
}

/** Lift `hold`; resolves with it, or null. */
export function askLift(hold) {
  const why = text("reason", t("hold.lift_reason"), { rows: 2, longest: 1000, needed: true });
  return openForm(t("hold.lift"), [why], { label: t("hold.lift"), about: [h("strong", {}, `${hold.zone_name} · ${span(hold)}`), h("div", { class: "muted" }, hold.reason)],
    send: async (given) => (await call("POST", `/evidence-holds/${encodeURIComponent(hold.id)}/lift`, given)).body,
    answerTo: async (failure, form) => {
      if (failure.status !== 409) return false;
      form.show(refusalBlock(failure.problem, t("hold.lifted_already")));
      return true;
    } });
}

/** "11-22 23:59 – 11-23 01:00" */
export const span = (hold) => `${moment(hold.begins)} – ${moment(hold.ends)}`;
