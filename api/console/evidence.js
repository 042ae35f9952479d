// Pictures and clips (证据) of an incident's alarms, in the place of its picture: with the box, without it, moving; and what is signed of each.
import { fill, h, stateBox } from "./dom.js";
import { call } from "./net.js";
import { absolute, now } from "./time.js";
import { has, t } from "./words.js";

const ROLES = ["boxed", "plain", "clip"];
const PAUSES = [3, 4, 6, 10, 20, 40]; // seconds: a clip comes when its last seconds are over
const FRESH = 120_000; // ms after its last change in which something new may come for an incident

export class EvidenceView {
  /** `figure`: what is shown while there is no evidence. `nameOf(kind)`: a kind of alarm in words; `mark`: makes the mark of invented data, or null. */
  constructor(figure, { nameOf, mark }) {
    this.nameOf = nameOf;
    this.mark = mark;
    this.groups = [];
    this.known = "";
    [this.alarm, this.role, this.shown] = [null, null, ""]; // alarm and role: chosen by hand
    this.bar = h("div", { class: "evidence-bar", hidden: true });
    this.screen = h("div", {}, figure);
    this.element = h("div", { class: "evidence" }, this.screen, this.bar);
  }

  /** The picture without evidence is another one. */
  instead(figure) { if (!this.groups.length) fill(this.screen, figure); }

  /** Ask now, and some times more while something may still come. */
  follow(incident) {
    this.stop();
    const fresh = now() - Date.parse(incident.updated_at) < FRESH;
    const pauses = fresh ? [...PAUSES] : [];
    const again = async () => {
      if (this.element.isConnected) await this.load(incident.id);
      const pause = pauses.shift();
      if (pause && this.asking === again) this.timer = setTimeout(again, pause * 1000);
    };
    this.asking = again;
    again();
  }

  stop() {
    clearTimeout(this.timer);
    this.asking = null;
  }

  async load(id) {
    const files = await call("GET", `/incidents/${encodeURIComponent(id)}/evidence`).then(({ body }) => body.items, () => null);
    const known = JSON.stringify(files);
    if (!files?.length || known === this.known) return;
    this.known = known;
    const groups = new Map();
    for (const file of files) {
      const key = `${file.device} ${file.kind} ${file.onset}`;
      if (!groups.has(key)) groups.set(key, { key, device: file.device, kind: file.kind, onset: file.onset, files: {} });
      groups.get(key).files[file.role] = file;
    }
    this.groups = [...groups.values()].toReversed();
    this.render();
  }

  choose(change) {
    Object.assign(this, change);
    this.render();
  }

  // --- how it looks ---
  render() {
    const group = this.groups.find((each) => each.key === this.alarm) ?? this.groups[0];
    const role = (group.files[this.role] && this.role) ?? ROLES.find((name) => group.files[name]?.url) ?? ROLES.find((name) => group.files[name]);
    const file = group.files[role];
    const shown = `${group.key} ${role} ${file.url}`;
    if (shown !== this.shown) { this.shown = shown; fill(this.screen, this.figure(file)); }
    const focused = this.bar.contains(document.activeElement) ? document.activeElement.dataset.role : null;
    const button = (name) => {
      const own = group.files[name];
      return own ? h("button", { "data-role": name, class: own.url ? null : "gone", "aria-pressed": String(name === role), onclick: () => this.choose({ alarm: group.key, role: name }) }, t(`evidence.role.${name}`)) : null;
    };
    const alarms = this.groups.length > 1 ? h("select", { "aria-label": t("evidence.alarm"), onchange: (event) => this.choose({ alarm: event.target.value }) },
      this.groups.map((each) => h("option", { value: each.key, selected: each === group }, `${this.nameOf(each.kind)} · ${absolute(each.onset)} · ${each.device}`))) : null;
    this.bar.hidden = false;
    fill(this.bar, h("div", { class: "choices", role: "group", "aria-label": t("evidence.title") }, ROLES.map(button)), alarms,
      file.held ? h("span", { class: "held", title: t("evidence.held_note") }, t("evidence.held")) : null, this.signed(file));
    if (focused) this.bar.querySelector(`[data-role=${focused}]`)?.focus();
  }

  figure(file) {
    const span = file.begins === file.ends ? absolute(file.begins) : `${absolute(file.begins)} – ${absolute(file.ends)}`;
    const caption = h("figcaption", {}, `${file.device} · ${t(`evidence.role.${file.role}`)} · ${span}`);
    if (!file.url) {
      const why = has(`evidence.removed.${file.removed_for}`) ? t(`evidence.removed.${file.removed_for}`) : file.removed_for;
      return h("figure", { class: "picture none" }, stateBox(t("evidence.removed", { time: absolute(file.removed_at) }), why), caption);
    }
    const figure = h("figure", { class: "picture" });
    const failed = (text) => () => fill(figure, stateBox(text, "", h("a", { href: file.url, download: nameOf(file) }, t("evidence.download"))), caption);
    const content = file.role === "clip"
      ? h("video", { src: file.url, controls: true, preload: "metadata", playsinline: true, "aria-label": t("evidence.clip_of", { device: file.device }), onerror: failed(t("evidence.unplayable")) })
      : h("img", { src: file.url, alt: t("detail.picture_of", { device: file.device }), onerror: failed(t("detail.picture_failed")) });
    if (content.muted !== undefined) content.muted = true;
    return fill(figure, content, h("figcaption", { class: file.role === "clip" ? "above" : null }, [...caption.childNodes]), this.mark());
  }

  signed(file) {
    const row = (name, value) => [h("dt", {}, t(`evidence.${name}`)), h("dd", {}, h("code", {}, value))];
    return h("details", { class: "signed", open: Boolean(this.open), ontoggle: (event) => { this.open = event.target.open; } }, h("summary", {}, t("evidence.signed")),
      h("dl", {}, row("sha256", file.sha256), row("signature", file.signature), row("public_key", file.public_key), row("statement", file.statement)),
      h("p", {}, t("evidence.check")),
      h("div", { class: "buttons" }, file.url ? h("a", { href: file.url, download: nameOf(file) }, t("evidence.download")) : null,
        h("a", { href: `data:text/plain;charset=utf-8,${encodeURIComponent(file.statement)}`, download: `${nameOf(file)}.statement` }, t("evidence.download_statement"))));
  }
}

const ENDINGS = { "image/jpeg": "jpg", "image/png": "png", "video/mp4": "mp4" };

/** "CAM-1-flame-20261126T101530-clip.mp4" */
const nameOf = (file) => `${file.device}-${file.kind}-${file.onset.slice(0, 19).replace(/[-:]/g, "")}-${file.role}.${ENDINGS[file.media_type] ?? "bin"}`;
