// A severity is always shape + figure + colour: diamond 1, triangle 2, square 3, circle 4.
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  1: ["polygon", { points: "12,1.5 22.5,12 12,22.5 1.5,12" }, 16],
  2: ["polygon", { points: "12,2.5 22.5,21 1.5,21" }, 18.6],
  3: ["rect", { x: 3, y: 3, width: 18, height: 18 }, 16],
  4: ["circle", { cx: 12, cy: 12, r: 10 }, 16],
};

export function part(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

/** `standing`: "calls" (unacknowledged), "quiet" (acknowledged, shelved, pending), "over" (closed). Only 1 may blink, and only its outline. */
export function glyph(severity, standing, label, large = false) {
  const [tag, attributes, baseline] = SHAPES[severity];
  const svg = part("svg", { viewBox: "-3 -3 30 30", class: "glyph", role: "img", "aria-label": label });
  svg.dataset.severity = severity;
  if (large) svg.classList.add("large");
  if (standing === "quiet") svg.classList.add("quiet");
  if (standing === "over") svg.classList.add("quiet", "over");
  if (standing === "calls" && severity === 1) {
    svg.classList.add("calls");
    svg.append(part("polygon", { class: "halo", points: "12,-2.4 26.4,12 12,26.4 -2.4,12" }));
  }
  svg.append(part(tag, { class: "shape", ...attributes }), part("text", { class: "letter", x: 12, y: baseline }, String(severity)));
  return svg;
}

const STANDING = { unacknowledged: "calls", cleared_unacknowledged: "calls", acknowledged: "quiet", shelved: "quiet", pending: "quiet", closed: "over",
  suppressed_by_design: "quiet", out_of_service: "quiet", calibration: "quiet", permit: "quiet" };

/** How an incident calls for attention. */
export const standingOf = (incident) => STANDING[incident.annunciation];
/** Whether somebody still has to acknowledge it. */
export const isUnacknowledged = (incident) => standingOf(incident) === "calls";
/** Kinds that nobody silences and no flood takes: `hazards.kinds.never_suppressed`. */
export const isNeverSuppressed = (kind) => kind.startsWith("methane_high");
