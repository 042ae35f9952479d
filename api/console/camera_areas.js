// Drawing over a camera's picture: polygons in which no detector looks (屏蔽区), and one polygon a detector in which it looks. What comes
// out are lines for the site file; nothing is saved here.
import { ask } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { call, picture } from "./net.js";
import { part } from "./severity.js";
import { t } from "./words.js";

const MASKS = ""; // what is drawn where no detector is named
const MOST_MASKS = 50;
const fraction = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
const yamlOf = (points) => `[${points.map(([x, y]) => `[${x}, ${y}]`).join(", ")}]`;

/** The lines of the site file for what is drawn: `areas` by detector, `masks`. */
export function siteLines(areas, masks) {
  const whole = (points) => points.length > 2;
  const named = Object.entries(areas).filter(([, points]) => whole(points)).map(([name, points]) => `${name}: ${yamlOf(points)}`);
  const hidden = masks.filter(whole).map(yamlOf);
  return [named.length ? `areas: {${named.join(", ")}}` : null, hidden.length ? `masks: [${hidden.join(", ")}]` : null].filter(Boolean).join("\n");
}

/** Open the drawing of `camera`; throws Failure. False where there is no picture to draw on. */
export async function drawAreas(camera) {
  const [found, { body: device }] = await Promise.all([picture(`/cameras/${encodeURIComponent(camera.id)}/picture`), call("GET", `/devices/${encodeURIComponent(camera.id)}`)]);
  if (!found) return false;
  await ask(t("areas.title", { camera: camera.id }), (done) => new Drawing(found.url, device, done).element);
  URL.revokeObjectURL(found.url);
  return true;
}

class Drawing {
  constructor(url, device, done) {
    this.areas = Object.fromEntries(device.detectors.map((name) => [name, (device.areas[name] ?? []).map((point) => [...point])]));
    this.masks = [...(device.settings.masks ?? []).map((points) => points.map((point) => [...point])), []];
    this.what = MASKS;
    this.svg = part("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.stage = h("div", { class: "draw-on", onclick: (event) => this.add(event) }, h("img", { src: url, alt: t("camera.picture_of", { camera: device.id }) }), this.svg);
    this.lines = h("textarea", { readonly: true, rows: 3, "aria-label": t("areas.lines"), spellcheck: "false" });
    this.count = h("span", { class: "muted" });
    const choose = h("select", { "aria-label": t("areas.what"), onchange: (event) => { this.what = event.target.value; this.render(); } }, h("option", { value: MASKS }, t("areas.masks")), device.detectors.map((name) => h("option", { value: name }, t("areas.of", { detector: name }))));
    const button = (word, act) => h("button", { type: "button", onclick: () => { act(); this.render(); } }, t(word));
    this.copied = h("span", { class: "muted", "aria-live": "polite" });
    this.element = h("div", { class: "drawing" }, h("p", { class: "muted" }, t("areas.note")), h("div", { class: "draw-tools" }, choose, button("areas.undo", () => this.points().pop()), button("areas.next", () => this.next()), button("areas.clear", () => this.clear()), this.count),
      this.stage, h("label", {}, t("areas.lines"), this.lines), h("p", { class: "muted" }, t("areas.paste")),
      h("div", { class: "buttons" }, this.copied, h("button", { onclick: () => this.copy() }, t("areas.copy")), h("button", { class: "primary", onclick: () => done(null) }, t("help.close"))));
    this.render();
  }

  /** The polygon that is being drawn. */
  points() { return this.what === MASKS ? this.masks.at(-1) : this.areas[this.what]; }

  add(event) {
    const box = this.stage.getBoundingClientRect();
    const point = [fraction((event.clientX - box.left) / box.width), fraction((event.clientY - box.top) / box.height)];
    const last = this.points().at(-1);
    if (last && last[0] === point[0] && last[1] === point[1]) return; // a double click is one corner
    this.points().push(point);
    this.render();
  }

  /** Begin another mask; a detector has one area. */
  next() { if (this.what === MASKS && this.masks.at(-1).length > 2 && this.masks.length < MOST_MASKS) this.masks.push([]); }

  clear() {
    if (this.what === MASKS) this.masks = [[]];
    else this.areas[this.what] = [];
  }

  copy() {
    this.lines.select();
    const done = document.execCommand("copy"); // also where a page without TLS has no clipboard
    fill(this.copied, t(done ? "areas.copied" : "areas.copy_by_hand"));
  }

  render() {
    const shape = (points, kind) => (points.length ? [part(points.length > 2 ? "polygon" : "polyline", { class: kind, points: points.map((point) => point.join(",")).join(" ") })] : []);
    const corner = ([x, y]) => part("ellipse", { class: "corner", cx: x, cy: y, rx: 0.006, ry: 0.01 });
    this.svg.replaceChildren(...this.masks.flatMap((points) => shape(points, "mask")), ...Object.entries(this.areas).flatMap(([name, points]) => shape(points, name === this.what ? "area" : "other")), ...this.points().map(corner));
    this.lines.value = siteLines(this.areas, this.masks);
    fill(this.count, t("areas.corners", { n: this.points().length }));
    fill(this.copied);
  }
}
