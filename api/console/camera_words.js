// What is wrong with a camera, and its figures in words. What must not go in: elements of the page.
import { now } from "./time.js";
import { has, said, t } from "./words.js";

const SILENT = 15_000; // ms after which what is known of a camera is old: it is written down every two seconds
const SLOW = 1; // seconds from a frame's arrival to its look
const ADRIFT = 5; // seconds

export const TROUBLES = ["blind", "unseen", "unheard", "slow", "clock", "detector"];

/** Names of what is wrong with `camera`, the worst first; none where all is well. `blind`: its zone is one that no camera shows. */
export function troublesOf(camera, blind) {
  const found = [];
  if (blind) found.push("blind");
  if (!camera.status) return [...found, "unheard"];
  const { status } = camera;
  if (!status.sees) found.push("unseen");
  if (now() - Date.parse(status.noted_at) > SILENT) found.push("unheard");
  if (status.age > SLOW) found.push("slow");
  if (Math.abs(status.drift) > ADRIFT) found.push("clock");
  if (Object.keys(status.problems).length) found.push("detector");
  return found;
}

/** Whether it shows its zone, in one word. */
export function seesWord({ status }) {
  if (!status) return t("camera.unheard");
  if (status.offline) return t("camera.offline");
  const hiding = status.raised_kinds.find((kind) => ["tamper", "frozen"].includes(kind.kind));
  if (hiding) return said(hiding.name);
  return said(status.state_name);
}

/** What follows it in small print: why not, or how closely it is watched. */
export const seesNote = ({ status }) => (!status ? t("camera.unheard_note") : status.what || (status.sees ? t(`camera.watching.${status.watching}`) : ""));

export const rate = (value) => value.toFixed(1);
export const seconds = (value) => t("camera.seconds", { n: Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0) });
export const signedSeconds = (value) => `${value > 0.05 ? "+" : ""}${seconds(value)}`;
export const bits = (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} Mbit/s` : `${(value / 1e3).toFixed(0)} kbit/s`);

/** "在场人数 3": a figure of its detectors. */
export const figureWord = ([name, value]) => `${has(`camera.figure.${name}`) ? t(`camera.figure.${name}`) : name} ${Number(value.toFixed(2))}`;
