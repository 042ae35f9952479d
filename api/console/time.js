// Time is always shown as absolute, in the site's time zone, and as "since".
import { t } from "./words.js";

let zone = "Asia/Shanghai";
let skew = 0; // server's clock minus ours, in ms: "since" must not lie on a machine whose clock is off
let clock, day;

export function useTimeZone(name) {
  zone = name;
  const options = { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  try {
    clock = new Intl.DateTimeFormat("sv-SE", options);
    day = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  } catch { useTimeZone("UTC"); }
}
useTimeZone(zone);

/** Learn the server's clock from an answer's Date header. */
export function learnClock(date) {
  const server = Date.parse(date ?? "");
  if (!Number.isNaN(server) && Math.abs(server - Date.now()) > 2000) skew = server - Date.now();
}

export const now = () => Date.now() + skew;

/** "10:15:30", with the date before it when it is not today. */
export function absolute(text) {
  const at = new Date(text);
  const date = day.format(at);
  return date === day.format(now()) ? clock.format(at) : `${date.slice(5)} ${clock.format(at)}`;
}

/** "11-22 23:59": a moment that need not be near. */
export function moment(text) {
  const at = new Date(text);
  const date = day.format(at);
  return `${date.slice(0, 4) === day.format(now()).slice(0, 4) ? date.slice(5) : date} ${clock.format(at).slice(0, 5)}`;
}

/** The site's wall clock at `at` (ms) as an input of type datetime-local has it. */
export const wallClock = (at) => `${day.format(at)}T${clock.format(at).slice(0, 5)}`;

/** The moment (ISO) at which the site's wall clock shows `value`, whatever zone this machine is in. */
export function ofWallClock(value) {
  const wanted = Date.parse(`${value}:00Z`);
  let at = wanted;
  for (let n = 0; n < 2; n += 1) at += wanted - Date.parse(`${wallClock(at)}:00Z`); // twice: the offset may change in between
  return new Date(at).toISOString();
}

const RUNNING = ["proposed", "confirmed", "planned", "rectifying", "claimed"];

/** The moment `days` later by the site's wall clock. */
export function daysAfter(text, days) {
  const later = new Date(Date.parse(`${wallClock(new Date(text).getTime())}:00Z`) + days * 86_400_000);
  return ofWallClock(later.toISOString().slice(0, 16));
}

/** Whether a hazard is off the list: closed, dismissed or merged. */
export const isOver = (hazard) => ["closed", "dismissed", "merged"].includes(hazard.state);

/** Whether a hazard's due date has passed while its clock runs. */
export const isOverdue = (hazard) => Boolean(hazard.due_at) && RUNNING.includes(hazard.state) && Date.parse(hazard.due_at) < now();

/** "2 d 4 h left", or "6 h overdue". */
export function dueIn(text) {
  const seconds = Math.floor((Date.parse(text) - now()) / 1000);
  return t(seconds < 0 ? "due.over" : "due.left", { time: length(Math.abs(seconds)) });
}

/** "2 h 3 min": that many seconds, to the minute. */
export function length(seconds) {
  if (seconds < 3600) return t("since.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return t("since.hours", { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) });
  return t("since.days", { d: Math.floor(seconds / 86400), h: Math.floor((seconds % 86400) / 3600) });
}

/** "3 min": how long ago. */
export function since(text) {
  const seconds = Math.max(0, Math.floor((now() - new Date(text).getTime()) / 1000));
  if (seconds < 5) return t("since.now");
  return seconds < 60 ? t("since.seconds", { n: seconds }) : length(seconds);
}
