// The evidence gate: what the zone's own devices and the papers say to the next step, each piece with its link; and who went on against it.
import { h } from "./dom.js";
import { by, card, rulingLine } from "./hazard_words.js";
import { glyph } from "./severity.js";
import { absolute, moment } from "./time.js";
import { has, said, t } from "./words.js";

/** What the gate would say now. */
export function gateBlock(gate, showIncident = null) {
  if (!gate) return null;
  return h("section", { class: "gate", "data-verdict": gate.verdict }, h("h3", {}, `${t("hazard.gate")} · ${t(`hazard.question.${gate.question}`)}`), gateAnswer(gate, showIncident), rulingLine(gate.ruling));
}

/** The verdict, why, and each piece of evidence; `showIncident` makes incidents links. */
export function gateAnswer(gate, showIncident = null) {
  const part = (name, pieces) => (pieces.length ? [h("h4", {}, t(`gate.part.${name}`)), h("ul", { class: `evidence ${name}` }, pieces)] : null);
  const link = (id) => (showIncident ? h("button", { type: "button", class: "plain link", onclick: () => showIncident(id) }, t("hazard.to_incident")) : null);
  return [h("p", { class: "verdict" }, said(gate.verdict_name)), h("p", { class: "muted" }, gate.why.map(said).join("；"), gate.since === gate.at ? null : ` · ${t("gate.between", { since: moment(gate.since), at: moment(gate.at) })}`),
    part("incidents", gate.evidence.map((e) => incident(e, link))), part("sensors", gate.sensors.toSorted((a, b) => b.against - a.against).map(sensor)),
    part("watchers", gate.watchers.map((w) => watcher(gate, w, link))), gate.seen_ruling && gate.watchers.some((w) => w.why === "blind_since") ? rulingLine(gate.seen_ruling) : null,
    part("papers", gate.papers.map(paper))];
}

const sign = (mark, text) => h("span", { class: "sign" }, h("i", { "aria-hidden": true }, mark), text);
const away = (url, text) => h("a", { href: url, target: "_blank", rel: "noopener" }, text);

/** An incident that speaks against it, with its picture. */
function incident(e, link) {
  return h("li", { class: "against" }, h("div", { class: "top" }, glyph(e.severity, "acts"), h("strong", {}, e.kind_names.map((k) => said(k.name)).join(" · ")), h("span", { class: "muted" }, e.devices.join("，")), h("time", {}, absolute(e.last_at ?? e.opened_at))),
    h("div", {}, said(e.why_name), e.raised ? ` · ${t("hazard.raised", { n: e.raised })}` : null, link(e.incident)),
    e.snapshot ? h("a", { href: e.snapshot, target: "_blank", rel: "noopener" }, h("img", { class: "paper", src: e.snapshot, alt: t("gate.snapshot"), loading: "lazy", onerror: (event) => event.target.remove() })) : null);
}

/** What one sensor's readings say, with the limit that was met and what it measured since. */
function sensor(s) {
  const unit = has(`unit.${s.unit}`) ? t(`unit.${s.unit}`) : s.unit;
  const measured = (value) => (value === null ? "—" : `${Number(value.toPrecision(5))} ${unit}`);
  const facts = [s.bound !== null ? t("gate.limit", { limit: t(`gate.limit.${s.limit}`), bound: measured(s.bound) }) : null, s.value !== null ? t("gate.met", { value: measured(s.value), at: moment(s.at) }) : null,
    s.newest !== null ? t("gate.newest", { value: measured(s.newest), at: moment(s.newest_at) }) : null, s.lowest !== null && s.start !== s.end ? t("gate.range", { lowest: measured(s.lowest), highest: measured(s.highest) }) : null].filter(Boolean);
  return h("li", { class: s.against ? "against" : null }, h("div", { class: "top" }, h("strong", {}, `${s.device} · ${said(s.metric_name)}`), sign(s.against ? "✕" : s.says === "within_limits" ? "✓" : "○", said(s.says_name))),
    facts.length ? h("div", { class: "muted" }, facts.join(" · ")) : null, away(s.url, t("gate.readings")));
}

/** A device that can tell: whether it counts as seeing, how long it saw, by what it was blind. */
function watcher(gate, w, link) {
  const metric = gate.sensors.find((s) => s.device === w.device && s.metric === w.by);
  const tells = metric ? said(metric.metric_name) : has(`gate.by.${w.by}`) ? t(`gate.by.${w.by}`) : w.by;
  const blind = [...new Set([w.blind, ...w.incidents].filter(Boolean))];
  return h("li", {}, h("div", { class: "top" }, h("strong", {}, w.device), h("span", { class: "muted" }, tells), sign(w.sees ? "✓" : "○", w.sees ? t("gate.sees") : said(w.why_name))),
    h("div", { class: "muted" }, gate.since === gate.at ? null : t("gate.seen", { n: w.seen }), blind.length ? [gate.since === gate.at ? "" : " · ", t("gate.blind_by", { n: blind.length }), blind.map(link)] : null));
}

/** A photo or document, and whether it counts. */
function paper(p) {
  return h("li", {}, h("div", { class: "top" }, sign(p.counts ? "✓" : "○", said(p.why_name)), h("time", {}, moment(p.taken_at))),
    h("div", {}, [p.document, p.place].filter(Boolean).join(" · "), p.kept_at ? h("span", { class: "muted" }, ` · ${t("gate.kept", { at: moment(p.kept_at) })}`) : null, p.url ? [" ", away(p.url, t("hazard.file"))] : null));
}

/** What the gate refused, and by which devices. */
export const refusedBy = ({ command, gate }) => t("hazard.refused_by", { command: t(`hazard.command.${command}`), devices: [...new Set(gate.evidence.flatMap((e) => e.devices))].join("，") });

/** Who went on against the evidence, why, and what the evidence had said. */
export function overrides(hazard) {
  return card(t("hazard.overrides"), hazard.overrides.toReversed().map((o) => h("div", { class: "override" }, h("strong", {}, t(`hazard.overridden.${o.question}`)), h("span", { class: "muted" }, t(`gate.verdict.${o.verdict}`)),
    h("div", { class: "note" }, o.reason), h("div", { class: "muted" }, by(o.by, o.at)))));
}
