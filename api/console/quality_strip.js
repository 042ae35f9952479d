// The strip of 10-minute rates: a bar a period, the limits as lines, floods as a band; read out by the arrow keys or the pointer.
import { h } from "./dom.js";
import { part } from "./severity.js";
import { moment } from "./time.js";
import { t } from "./words.js";

const WIDTH = 1440, HEIGHT = 160, PERIOD = 600_000, MOST = 144;
const LIMITS = [1, 2, 10];

/** `quality`: the answer of the API. Longer windows show the highest period of several in each bar. */
export function strip(quality) {
  const start = Date.parse(quality.start), end = Date.parse(quality.end);
  const bars = grouped(quality.counts.map((count) => count / quality.seats), Math.ceil(quality.counts.length / MOST));
  const top = Math.max(12, ...bars.map((bar) => bar.rate)) * 1.05;
  const y = (rate) => HEIGHT - rate / top * HEIGHT;
  const wide = WIDTH / bars.length;
  const svg = part("svg", { class: "strip", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: 0, "aria-label": summary(quality) });
  for (const flood of quality.floods) {
    const from = Math.max(0, (Date.parse(flood.start) - start) / (end - start)), to = flood.end ? Math.min(1, (Date.parse(flood.end) - start) / (end - start)) : 1;
    svg.append(part("rect", { class: "flood", x: from * WIDTH, y: 0, width: Math.max(2, (to - from) * WIDTH), height: HEIGHT }));
  }
  for (const limit of LIMITS) svg.append(part("line", { class: `limit at-${limit}`, x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit) }));
  bars.forEach((bar, n) => svg.append(part("rect", { class: `rate-bar ${band(bar.rate)}`, x: n * wide + wide * 0.1, y: y(bar.rate), width: wide * 0.8, height: HEIGHT - y(bar.rate) })));
  const cursor = part("rect", { class: "cursor", y: 0, width: wide, height: HEIGHT, visibility: "hidden" });
  svg.append(cursor);
  const said = h("p", { class: "readout", "aria-live": "polite" }, t("quality.strip_hint"));
  const read = (n) => {
    svg.dataset.at = n;
    cursor.setAttribute("x", n * wide);
    cursor.setAttribute("visibility", "visible");
    said.textContent = t(bars[n].periods > 1 ? "quality.read_several" : "quality.read", { from: moment(start + bars[n].first * PERIOD), to: moment(start + (bars[n].first + bars[n].periods) * PERIOD), n: number(bars[n].rate), band: t(`quality.band.${band(bars[n].rate)}`) });
  };
  svg.addEventListener("keydown", (event) => {
    const at = Number(svg.dataset.at ?? bars.length);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    read(Math.min(bars.length - 1, Math.max(0, to)));
  });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    read(Math.min(bars.length - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * bars.length))));
  });
  const scale = h("ul", { class: "scale", "aria-hidden": true }, LIMITS.map((limit) => h("li", { class: `at-${limit}` }, String(limit))));
  LIMITS.forEach((limit, n) => { scale.children[n].style.bottom = `${limit / top * 100}%`; }); // by script: the content policy has no inline styles
  const ends = h("p", { class: "ends" }, h("span", {}, moment(start)), h("span", {}, moment((start + end) / 2)), h("span", {}, moment(end)));
  return h("div", { class: "rates" }, h("div", { class: "plot" }, scale, svg), ends, said);
}

function grouped(rates, size) {
  const bars = [];
  for (let first = 0; first < rates.length; first += size) {
    const some = rates.slice(first, first + size);
    bars.push({ first, periods: some.length, rate: Math.max(...some) });
  }
  return bars;
}

const band = (rate) => (rate > 10 ? "flooding" : rate > 2 ? "much" : "fine");

/** At most one digit behind the point. */
export const number = (value) => String(Math.round(value * 10) / 10);

function summary(quality) {
  const of = Object.fromEntries(quality.figures.map((figure) => [figure.name, figure.value]));
  return t("quality.strip_summary", { average: number(of.rate_average), most: number(of.rate_maximum), floods: of.flood_count });
}
