// The evidence gate: what the zone's own devices say to the next step, each piece as a link; and who went on against it.
import { h } from "./dom.js";
import { by, card, rulingLine } from "./hazard_words.js";
import { absolute } from "./time.js";
import { language, said, t } from "./words.js";

/** What the gate would say now. */
export function gateBlock(gate, showIncident) {
  if (!gate) return null;
  return h("section", { class: "gate", "data-verdict": gate.verdict }, h("h3", {}, `${t("hazard.gate")} · ${t(`hazard.question.${gate.question}`)}`), gateAnswer(gate, showIncident),
    gate.watchers.length ? h("p", { class: "muted" }, t("hazard.watchers", { devices: gate.watchers.map((w) => (w.blind ? t("hazard.blind", { device: w.device }) : w.device)).join("，") })) : null);
}

/** The verdict and its evidence. */
export const gateAnswer = (gate, showIncident = null) => [h("p", { class: "verdict" }, said(gate.verdict_name)),
  gate.evidence.length ? null : h("p", { class: "muted" }, gate.why.map(said).join("；")), gateEvidence(gate, showIncident)];

/** The incidents that speak against it; `showIncident` makes them links. */
function gateEvidence(gate, showIncident) {
  if (!gate.evidence.length) return null;
  return h("ul", { class: "evidence" }, gate.evidence.map((e) => h("li", {},
    h("div", { class: "top" }, h("strong", {}, e.kind_names.map((k) => said(k.name)).join(" · ")), h("span", { class: "muted" }, e.devices.join("，")), h("time", {}, absolute(e.last_at ?? e.opened_at))),
    h("div", {}, said(e.why_name), e.raised ? ` · ${t("hazard.raised", { n: e.raised })}` : null,
      showIncident ? h("button", { type: "button", class: "plain link", onclick: () => showIncident(e.incident) }, t("hazard.to_incident")) : null))));
}

/** What the gate refused, and by which devices. */
export const refusedBy = ({ command, gate }) => t("hazard.refused_by", { command: t(`hazard.command.${command}`), devices: [...new Set(gate.evidence.flatMap((e) => e.devices))].join("，") });

/** Who went on against the evidence, why, and what the evidence had said. */
export function overrides(hazard) {
  return card(t("hazard.overrides"), hazard.overrides.toReversed().map((o) => h("div", { class: "override" }, h("strong", {}, t(`hazard.overridden.${o.question}`)), h("span", { class: "muted" }, t(`gate.verdict.${o.verdict}`)),
    h("div", { class: "note" }, o.reason), h("div", { class: "muted" }, by(o.by, o.at)))));
}

/** The rule of a refusal and, where the gate refused, its answer. */
export function refusalBlock(problem, text) {
  const { ruling, gate } = problem;
  return h("div", { class: "refusal", role: "alert" }, gate ? gateAnswer(gate) : h("p", { class: "verdict" }, text), language() === "en" && problem.detail ? h("p", {}, [problem.detail, problem.hint].filter(Boolean).join("; ")) : null, ruling ? h("p", {}, rulingLine(ruling)) : null);
}
