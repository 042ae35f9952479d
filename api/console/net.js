// Requests to the API. Errors are problem details; a session that is over sends the person to the sign-in.
import { learnClock } from "./time.js";

let csrf = "";
let onSignedOut = () => {};

/** What went wrong: `status` 0 is no network; `problem` is RFC 9457. */
export class Failure extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.problem = problem;
  }
}

export const useCsrf = (token) => { csrf = token ?? ""; };
export const whenSignedOut = (call) => { onSignedOut = call; };

/** JSON in, {body, headers} out. Throws Failure. */
export async function call(method, path, body = undefined, { quiet = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Failure(0);
  }
  learnClock(answer.headers.get("Date"));
  const json = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (answer.ok) return { body: json, headers: answer.headers, status: answer.status };
  if (answer.status === 401 && !quiet) onSignedOut();
  throw new Failure(answer.status, json);
}

/** Send a file as it is; the answer's body. Throws Failure. */
export async function upload(path, file) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method: "POST", headers: { "Content-Type": file.type, "X-CSRF-Token": csrf }, body: file, credentials: "same-origin" });
  } catch {
    throw new Failure(0);
  }
  const json = await answer.json().catch(() => ({}));
  if (answer.ok) return json;
  if (answer.status === 401) onSignedOut();
  throw new Failure(answer.status, json);
}

/** A picture as it is now: {url, taken}, `url` to be revoked by who asked, `taken` null where the server does not say; null where there is none. Throws Failure. */
export async function picture(path) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { credentials: "same-origin" });
  } catch {
    throw new Failure(0);
  }
  if (answer.status === 401) onSignedOut();
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Failure(answer.status);
  return { url: URL.createObjectURL(await answer.blob()), taken: answer.headers.get("Last-Modified") };
}
