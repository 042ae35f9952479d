// Words and marks that every part of a hazard's page needs: grade, people, rules, documents, a row of a card.
import { h } from "./dom.js";
import { rankOf } from "./pack.js";
import { part } from "./severity.js";
import { absolute, moment } from "./time.js";
import { said, t } from "./words.js";

export const COMMITMENTS = ["responsibility", "measures", "funds", "time", "contingency"];

// The gravest grade is an octagon, the next a shield, all others a pill: none of them a shape of an alarm's severity.
const SHAPES = [
  ["polygon", { points: "9,2 21,2 28,9 28,19 21,26 9,26 2,19 2,9" }],
  ["path", { d: "M3,3 H27 V16 L15,26.5 L3,16 Z" }],
  ["rect", { x: 2, y: 6, width: 26, height: 17, rx: 8.5 }],
];
const short = (name) => (/^[a-z]/i.test(name) ? name.slice(0, 1).toUpperCase() : name.slice(0, 1));

/** The hazard's grade by shape, letter and colour; dashed and empty while it is only proposed. */
export function gradeMark(hazard) {
  const rank = rankOf(hazard.grade);
  const [tag, attributes] = SHAPES[Math.min(rank, 2)];
  const svg = part("svg", { viewBox: "0 0 30 28", class: `hazard-grade${hazard.confirmed ? "" : " proposed"}`, role: "img", "aria-label": gradeWord(hazard) });
  svg.dataset.rank = String(Math.min(rank, 2));
  svg.append(part("title", {}, gradeWord(hazard)), part(tag, { class: "shape", ...attributes }),
    part("text", { class: "letter", x: 15, y: rank === 1 ? 17.5 : 19 }, short(said(hazard.grade_name))));
  return svg;
}

/** "重大" or "拟定重大". */
export const gradeWord = (hazard) => (hazard.confirmed ? said(hazard.grade_name) : t("hazard.proposed_grade", { grade: said(hazard.grade_name) }));

/** Who acted: the platform, a person by name, a machine by the beginning of its token's id. */
export const who = (actor) => (actor === "bihuan" ? t("app.name") : actor.startsWith("token:") ? t("hazard.machine", { id: actor.slice(6, 12) }) : actor);

/** "zhao · 10:15:30", or null where nobody did it. */
export const by = (actor, at) => (actor ? `${who(actor)} · ${absolute(at)}` : null);

/** A time as the API has it, or as the record has it: microseconds. */
export const when = (value) => moment(typeof value === "number" ? value / 1000 : value);

/** The word of something of the pack by its name; a name that the pack no longer has shows itself. */
export const chosen = (list, name) => said(list?.find((each) => each.name === name)?.text) || name;
export const postName = (hazard, name) => chosen(hazard.choices.posts, name);

/** Whose turn it is, in words: "示例铝业", "园区攻坚指挥部、行业主管部门". */
export function peopleOf(hazard, roles) {
  return roles.map((role) => (role === "enterprise" && hazard.enterprise_name ? hazard.enterprise_name : t(`role.${role}`))).join(t("hazard.and"));
}

/** Who says a rule: "文件条款 001(16) 征求意见稿". */
export function basisOf(ruling) {
  const sources = (ruling.sources ?? []).map((s) => `${s.document}(${s.clause}) ${said(s.standing_name)}`);
  return [said(ruling.basis_name), ...sources].join(" · ");
}

/** The rule's sense and who says it. */
export const rulingLine = (ruling) => h("span", { class: "ruling" }, said(ruling.text),
  h("small", { title: (ruling.sources ?? []).map((s) => said(s.title)).join("；") }, basisOf(ruling)));

/** Term and description for every row that has something to say; null without any. */
export function rows(pairs) {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value.length !== 0);
  return told.length ? h("dl", { class: "facts" }, told.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])) : null;
}

/** A section of the page; null without content. */
export function card(title, ...content) {
  const inside = content.flat(Infinity).filter(Boolean);
  return inside.length ? h("section", { class: "card" }, h("h3", {}, title), inside) : null;
}

/** Photos and documents of a claim or an inspection. */
export function papersOf(papers) {
  if (!papers.length) return null;
  return h("ul", { class: "papers" }, papers.map((paper) => {
    const url = paper.url ?? (paper.sha256 ? `/api/v1/evidence/${paper.sha256}` : null);
    const picture = url ? h("img", { class: "paper", src: url, alt: paper.note || paper.place, loading: "lazy", onerror: (e) => e.target.replaceWith(t("hazard.file")) }) : null;
    return h("li", {}, h("div", { class: "top" }, h("strong", {}, t(`hazard.stage.${paper.stage}`)), h("span", {}, paper.place), h("time", {}, moment(paper.taken_at))),
      url ? h("a", { href: url, target: "_blank", rel: "noopener" }, picture) : null, paper.document ? h("div", {}, paper.document) : null,
      paper.note ? h("div", { class: "note" }, paper.note) : null);
  }));
}
