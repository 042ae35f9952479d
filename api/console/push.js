// Failed pushes in the top bar: nothing while all goes well; else a count that opens the list, where a person can send again.
import { fill, h } from "./dom.js";
import { call } from "./net.js";
import { absolute } from "./time.js";
import { said, t } from "./words.js";

const EVERY = 30000;
const SHOWN = 50;
const MAY_SEE = ["administrator", "operator", "enterprise"];
const MAY_ACT = ["administrator", "operator"];

/** A button for the bar. `stop()` ends its looking. */
export class PushBadge {
  constructor(me) {
    this.me = me;
    this.element = h("button", { class: "plain push", hidden: true, onclick: () => this.open() });
    if (!MAY_SEE.includes(me.role)) return;
    this.ticking = setInterval(() => this.look(), EVERY);
    this.look();
  }

  stop() {
    clearInterval(this.ticking);
  }

  async look() {
    const answer = await call("GET", "/webhooks").catch(() => null); // the desk says it when nothing can be reached
    if (!answer) return;
    this.endpoints = answer.body.items;
    const failed = this.endpoints.reduce((sum, e) => sum + e.dead, 0);
    const broken = this.endpoints.filter(isBroken).length;
    this.element.hidden = failed + broken === 0;
    this.element.textContent = failed ? t("push.failed", { n: failed }) : t("push.broken", { n: broken });
  }

  async open() {
    const content = h("div", { class: "pushes" });
    const dialog = h("dialog", { "aria-label": t("push.title") }, h("h2", {}, t("push.title")), content,
      h("div", { class: "buttons" }, h("button", { class: "primary", autofocus: true, onclick: () => dialog.close() }, t("help.close"))));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    await this.fill(content);
  }

  async fill(content) {
    await this.look();
    const failed = await call("GET", `/deliveries?state=dead&limit=${SHOWN}`).catch(() => null);
    if (!failed || !this.endpoints) return void fill(content, h("p", {}, t("error.unavailable")));
    fill(content, this.endpoints.filter(isBroken).map((e) => this.endpoint(e, content)), failed.body.items.map((d) => this.delivery(d, content)),
      failed.body.items.length ? null : h("p", { class: "muted" }, t("push.none")));
  }

  endpoint(e, content) {
    const why = e.on ? e.trouble : t("push.off", { why: e.turned_off_why ?? "" });
    return h("p", {}, h("strong", {}, e.url), h("span", { class: "muted" }, why), e.on ? null : this.act(t("push.turn_on"), content, `/webhooks/${e.id}/commands`, { command: "turn_on" }));
  }

  delivery(d, content) {
    return h("p", {}, h("strong", {}, said(d.event_name)), h("span", { class: "muted" }, `${absolute(d.created_at)} · ${d.url} · ${d.last_error ?? ""}`),
      this.act(t("push.replay"), content, `/deliveries/${encodeURIComponent(d.id)}/replay`));
  }

  act(text, content, path, body) {
    if (!MAY_ACT.includes(this.me.role)) return null;
    return h("button", { onclick: async (event) => {
      event.target.disabled = true;
      await call("POST", path, body).catch(() => {});
      await this.fill(content);
    } }, text);
  }
}

const isBroken = (endpoint) => !endpoint.on || endpoint.trouble !== "";
