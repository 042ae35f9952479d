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

/** "3 min": how long ago. */
export function since(text) {
  const seconds = Math.max(0, Math.floor((now() - new Date(text).getTime()) / 1000));
  if (seconds < 5) return t("since.now");
  if (seconds < 60) return t("since.seconds", { n: seconds });
  if (seconds < 3600) return t("since.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return t("since.hours", { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) });
  return t("since.days", { d: Math.floor(seconds / 86400), h: Math.floor((seconds % 86400) / 3600) });
}
