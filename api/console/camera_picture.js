// The latest picture of one camera, asked for again while it is shown; the newest picture of an alarm where there is no other.
import { fill, h, stateBox } from "./dom.js";
import { call, picture } from "./net.js";
import { absolute, now, since } from "./time.js";
import { t } from "./words.js";

const OLD = 60_000; // ms: a picture is written about every ten seconds

export class CameraPicture {
  /** `synthetic`: whether everything here is invented. */
  constructor(synthetic) {
    this.synthetic = synthetic;
    this.camera = null;
    this.seen = null;
    this.element = h("figure", { class: "picture" });
  }

  /** Show `camera` ({id, zone}); resolves with whether that is how it looks now. */
  async show(camera) {
    const other = this.camera?.id !== camera.id;
    this.camera = camera;
    if (other) { this.forget(); this.state(t("camera.picture_loading")); }
    return this.refresh();
  }

  async refresh() {
    const { camera } = this;
    const asking = this.asking = {};
    const found = await picture(`/cameras/${encodeURIComponent(camera.id)}/picture`).then((made) => made, () => null);
    if (asking !== this.asking) { if (found) URL.revokeObjectURL(found.url); return false; }
    if (found) return this.put(found.url, captionOf(found), true) && !isOld(found);
    if (!this.alarm) this.alarm = newestOfAlarms(camera);
    const old = await this.alarm;
    if (asking !== this.asking) return false;
    if (old) return this.put(old.url, t("camera.picture_of_alarm", { time: absolute(old.at) }), false);
    this.forget();
    this.state(t("camera.no_picture"));
    return false;
  }

  put(url, words, ours) {
    const before = this.ours;
    this.ours = ours ? url : null;
    const caption = h("figcaption", {}, `${this.camera.id} · ${words}`);
    const image = h("img", { src: url, alt: t("camera.picture_of", { camera: this.camera.id }), onerror: () => this.state(t("camera.no_picture")) });
    this.element.classList.remove("none");
    fill(this.element, image, caption, this.mark());
    if (before) URL.revokeObjectURL(before);
    return ours;
  }

  state(words) {
    this.element.classList.add("none");
    fill(this.element, stateBox(words, ""), this.mark());
  }

  mark() { return this.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, t("app.synthetic")) : null; }

  forget() {
    if (this.ours) URL.revokeObjectURL(this.ours);
    this.ours = this.alarm = null;
  }
}

const isOld = ({ taken }) => taken !== null && now() - Date.parse(taken) > OLD;

function captionOf(found) {
  if (!found.taken) return t("camera.picture");
  return t(isOld(found) ? "camera.picture_old" : "camera.picture_at", { time: absolute(found.taken), since: since(found.taken) });
}

/** {url, at} of the newest picture of an alarm of `camera`, or null. */
async function newestOfAlarms(camera) {
  const found = await call("GET", `/incidents?limit=100&zone=${encodeURIComponent(camera.zone)}`).then(({ body }) => body.items, () => []);
  const own = found.find((incident) => incident.snapshot_url && incident.devices.length === 1 && incident.devices[0] === camera.id);
  return own ? { url: own.snapshot_url, at: own.raised_at ?? own.opened_at } : null;
}
