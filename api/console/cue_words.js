// Which cues of a picture decided, in words, with their measured figures.
import { h } from "./dom.js";
import { has, language, t } from "./words.js";

/** "闪烁 6.1 次/秒": the cue `name` with its figure, if there is one; a cue without words keeps its name. */
export function cueFigure(name, value) {
  if (!has(`cue.${name}`)) return typeof value === "number" ? `${name} ${Number(value.toPrecision(6))}` : name;
  const unit = has(`cue.unit.${name}`) ? t(`cue.unit.${name}`) : "";
  if (typeof value !== "number") return t(`cue.${name}`);
  return `${t(`cue.${name}`)} ${unit === "%" ? `${(100 * value).toFixed(0)}%` : `${value.toFixed(1)} ${unit}`}`.trimEnd();
}

/** The line of an alarm that says what was seen; null where its detector says nothing of it. */
export function cueLine({ fired, cues }) {
  if (!Array.isArray(fired) || !fired.length) return null;
  const figures = typeof cues === "object" && cues !== null ? cues : {};
  const words = fired.filter((name) => typeof name === "string").map((name) => cueFigure(name, figures[name]));
  return h("div", { class: "cues" }, t("detail.cues", { cues: words.join(language() === "zh" ? "，" : ", ") }));
}
