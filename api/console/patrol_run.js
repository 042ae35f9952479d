// Going through one patrol round: each camera for some seconds with its latest picture, and what the person judges of it.
import { CameraPicture } from "./camera_picture.js";
import { fill, h } from "./dom.js";
import { Failure, call } from "./net.js";
import { t } from "./words.js";

const LOOK_AGAIN = 3; // seconds between pictures of the camera that is shown

export class PatrolRun {
  /** `calls`: toast(text, wrong), left(). */
  constructor(round, me, calls) {
    this.round = round;
    this.calls = calls;
    this.picture = new CameraPicture(me.synthetic);
    [this.at, this.left, this.paused, this.sending] = [-1, 0, false, false];
    this.note = h("textarea", { name: "note", rows: 2, maxlength: 1000, "aria-label": t("patrol.note"), placeholder: t("patrol.note"), oninput: () => this.say(null) });
    this.head = h("header", {});
    this.said = h("div", { class: "said", "aria-live": "assertive" });
    this.list = h("ol", { class: "patrol-list" });
    this.buttons = h("div", { class: "judge" });
    this.stage = h("div", { class: "stage" }, this.picture.element, this.note, this.said, this.buttons);
    this.element = h("div", { class: "patrol-run" }, this.head, h("div", { class: "patrol-body" }, this.stage, this.list));
  }

  get look() { return this.round.looks[this.at]; }

  begin() {
    this.done = false;
    this.show(this.round.looks.findIndex((look) => !look.judgement));
  }

  /** Show the camera at `at`; below 0: all have been shown. */
  show(at) {
    this.note.value = "";
    this.say(null);
    this.at = at;
    this.done = at < 0;
    this.stage.hidden = this.done;
    if (!this.done) {
      this.left = this.round.seconds;
      this.pictured = false;
      this.glance();
    }
    this.render();
  }

  async glance() {
    const { look } = this;
    const pictured = await this.picture.show({ id: look.camera, zone: look.zone });
    if (look?.camera === this.look?.camera) this.pictured ||= pictured;
  }

  /** On to the next camera that nobody has judged; after the last one it waits for a word. */
  next() { this.show(this.round.looks.findIndex((look, n) => n > this.at && !look.judgement)); }

  tick() {
    if (this.done || this.paused || this.sending || !this.element.isConnected || document.querySelector("dialog[open]")) return;
    if (this.note.value || document.activeElement === this.note) return; // who writes is not hurried
    this.left -= 1;
    if (this.left <= 0) return this.next();
    if ((this.round.seconds - this.left) % LOOK_AGAIN === 0) this.glance();
    this.renderHead();
  }

  key(name) {
    if (this.done || this.sending) return false;
    const act = { n: () => this.judge("normal"), x: () => this.abnormal(), j: () => this.next(), " ": () => this.pause() }[name];
    act?.();
    return Boolean(act);
  }

  pause() {
    this.paused = !this.paused;
    this.renderHead();
  }

  abnormal() {
    if (this.note.value.trim()) return this.judge("abnormal");
    this.say(t("patrol.note_needed"));
    this.note.focus();
  }

  say(words) { fill(this.said, typeof words === "string" ? h("p", { class: "refusal" }, words) : words); }

  async judge(judgement) {
    const { look } = this;
    this.sending = true;
    try {
      const { body } = await call("POST", `/patrol-rounds/${encodeURIComponent(this.round.id)}/looks`, { camera: look.camera, judgement, note: this.note.value.trim(), pictured: this.pictured });
      this.round = body;
      this.next();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 409) await this.refresh();
      else if (failure.status !== 401) this.say(t(failure.status === 0 ? "error.network" : "error.unavailable"));
      if (failure.status === 409) this.calls.toast(t("patrol.judged_already"), true);
    } finally { this.sending = false; }
  }

  /** Somebody else was first, or has ended it: show what is. */
  async refresh() {
    const fresh = await call("GET", `/patrol-rounds/${encodeURIComponent(this.round.id)}`).then(({ body }) => body, () => null);
    if (!fresh) return;
    this.round = fresh;
    if (fresh.ended_at) return this.calls.left();
    this.next();
  }

  async end() {
    try {
      await call("POST", `/patrol-rounds/${encodeURIComponent(this.round.id)}/end`);
      this.picture.forget();
      this.calls.toast(t("patrol.over"));
      this.calls.left();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status !== 401) this.calls.toast(t(failure.status === 0 ? "error.network" : "error.unavailable"), true);
    }
  }

  // --- how it looks ---
  render() {
    this.renderHead();
    const marks = { normal: "●", abnormal: "■", no_picture: "○" };
    fill(this.list, this.round.looks.map((look, n) => h("li", {}, h("button", { class: `plain${look.judgement === "abnormal" ? " abnormal" : ""}`, "aria-current": n === this.at ? "true" : "false", disabled: Boolean(look.judgement), onclick: () => this.show(n) },
      h("i", { "aria-hidden": true }, marks[look.judgement] ?? "·"), h("b", {}, look.camera), h("span", {}, look.zone_name), h("small", {}, t(`patrol.judged.${look.judgement ?? "unjudged"}`))))));
    fill(this.buttons, h("button", { class: "primary", onclick: () => this.judge("normal") }, t("patrol.normal"), h("kbd", {}, "n")), h("button", { onclick: () => this.abnormal() }, t("patrol.abnormal"), h("kbd", {}, "x")),
      h("button", { onclick: () => this.judge("no_picture") }, t("patrol.no_picture")), h("button", { class: "plain", onclick: () => this.next() }, t("patrol.next"), h("kbd", {}, "j")));
  }

  renderHead() {
    const { round, look } = this;
    const open = round.looks.filter((each) => !each.judgement).length;
    const title = this.done ? t("patrol.shown_all", { n: open }) : `${look.camera} · ${look.zone_name}`;
    const note = this.done ? null : h("span", { class: "muted left" }, t("patrol.of", { n: this.at + 1, all: round.looks.length }), " · ", this.paused ? t("patrol.paused") : t("camera.seconds", { n: this.left }));
    fill(this.head, h("h2", {}, title), note, this.done ? (open ? h("button", { onclick: () => this.begin() }, t("patrol.again")) : null) : h("button", { onclick: () => this.pause() }, t(this.paused ? "patrol.resume" : "patrol.pause")),
      h("button", { class: this.done ? "primary" : null, onclick: () => this.end() }, t("patrol.end")));
  }
}
