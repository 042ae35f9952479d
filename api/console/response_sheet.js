// The response sheet (处置卡) of an alarm: why it comes, what follows, what to do, within what time, whom to call.
import { h } from "./dom.js";
import { said, t } from "./words.js";

/** `response` as the server sends it; null where nobody wrote one. `open(rule)` makes its rule a way there. */
export function responseSheet(response, open = null) {
  if (!response) return null;
  const line = (name, content) => [h("dt", {}, t(`response.${name}`)), h("dd", {}, content)];
  const rule = response.rule ? (open ? h("button", { class: "plain link", onclick: () => open(response.rule) }, said(response.rule_name)) : said(response.rule_name)) : null;
  return h("section", { class: "sheet", "aria-label": t("response.title") },
    h("h3", {}, t("response.title"), rule ? h("small", {}, t("response.of_rule"), " ", rule) : null),
    h("p", { class: "action" }, said(response.action)),
    h("p", { class: "within" }, h("span", {}, t("response.within")), h("b", {}, said(response.within))),
    h("p", { class: "call" }, h("span", {}, t("response.call")), h("b", {}, response.call.map(said).join(t("hazard.and")))),
    h("dl", { class: "facts" }, line("cause", said(response.cause)), line("consequence", said(response.consequence))));
}
