// One camera in full: its latest picture, how it is, what its detectors count and what is wrong with them.
import { CameraPicture } from "./camera_picture.js";
import { bits, figureWord, rate, seconds, seesNote, seesWord, signedSeconds } from "./camera_words.js";
import { fill, h, stateBox } from "./dom.js";
import { gradeChip } from "./list.js";
import { absolute, since } from "./time.js";
import { said, t } from "./words.js";

export class CameraDetail {
  /** `calls`: hold(zone), draw(camera), showIncidents(camera), back(). */
  constructor(me, calls) {
    this.me = me;
    this.calls = calls;
    this.picture = new CameraPicture(me.synthetic);
    this.body = h("div", { class: "camera-body" });
    this.element = h("section", { class: "detail camera-detail", "aria-label": t("cameras.title") });
    this.none();
  }

  none() {
    this.camera = null;
    this.element.classList.remove("open");
    fill(this.element, stateBox(t("cameras.choose"), ""));
  }

  /** Show `camera`, as it is now; `open` brings it to the front on a phone. */
  show(camera, open = false) {
    const other = this.camera?.id !== camera.id;
    this.camera = camera;
    if (open) this.element.classList.add("open");
    if (other) { this.element.scrollTop = 0; fill(this.element, this.head = h("header", { class: "head" }), h("div", { class: "camera-look" }, this.picture.element, this.body), this.actions(camera)); }
    fill(this.head, h("button", { class: "plain back", onclick: () => this.calls.back(), "aria-label": t("detail.back") }, "‹"), h("h2", {}, camera.id), h("span", { class: `word${camera.troubles.length ? " unacknowledged" : ""}` }, seesWord(camera)));
    fill(this.body, this.facts(camera));
    this.picture.show(camera);
  }

  facts(camera) {
    const { status } = camera;
    const zone = [gradeChip(camera.grade), camera.zoneName];
    const rows = [["zone", zone], ["sees", [seesWord(camera), h("small", {}, seesNote(camera))]], ...(status ? this.figures(status) : [])];
    if (camera.troubles.length) rows.splice(1, 0, ["trouble", camera.troubles.map((name) => h("strong", { class: "trouble" }, t(`camera.trouble.${name}`)))]);
    return h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, t(`camera.fact.${name}`)), h("dd", {}, value)]));
  }

  figures(status) {
    const counted = Object.entries(status.figures);
    const problems = Object.entries(status.problems);
    return [
      ["raised", status.raised_kinds.length ? [status.raised_kinds.map((kind) => said(kind.name)).join(t("hazard.and"))] : ["—"]],
      ["figures", counted.length ? [counted.map(figureWord).join(" · ")] : null],
      ["problems", problems.length ? problems.map(([name, why]) => h("span", { class: "problem" }, `${name}: ${why}`)) : null],
      ["rates", [t("camera.rates", { received: rate(status.received_rate), analysed: rate(status.analysed_rate) }), h("small", {}, [bits(status.bitrate), status.width ? `${status.width}×${status.height}` : null].filter(Boolean).join(" · "))]],
      ["last", status.last_frame_at ? [absolute(status.last_frame_at), h("small", {}, since(status.last_frame_at))] : ["—"]],
      ["age", [seconds(status.age), h("small", {}, t("camera.dropped", { n: status.dropped }))]],
      ["reconnects", [String(status.reconnects), h("small", {}, t("camera.decode_errors", { n: status.decode_errors }))]],
      ["drift", [signedSeconds(status.drift), h("small", {}, t("camera.clock_jumps", { n: status.clock_jumps }))]],
      ["noted", [absolute(status.noted_at), h("small", {}, t("camera.cost", { n: (100 * status.cost).toFixed(1) }))]],
    ].filter(([, value]) => value);
  }

  actions(camera) {
    return h("div", { class: "actions" }, h("button", { onclick: () => this.calls.showIncidents(camera) }, t("camera.incidents")),
      this.me.holds_evidence ? h("button", { onclick: () => this.calls.hold(camera.zone) }, t("hold.enter")) : null,
      this.me.role === "administrator" ? h("button", { onclick: () => this.calls.draw(camera) }, t("areas.draw")) : null);
  }
}
