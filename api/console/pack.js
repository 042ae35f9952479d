// The policy pack in force: grades, kinds and rules. Asked for once a visit.
import { call } from "./net.js";

let asked = null;
let grades = ["general", "serious", "major"]; // until the pack has answered; gravest last

/** The pack; asked for again when it could not be had. Throws Failure. */
export function loadPack() {
  asked ??= call("GET", "/policy").then(({ body }) => { grades = body.grades.map((grade) => grade.grade); return body; }).catch((failure) => { asked = null; throw failure; });
  return asked;
}

/** How many grades are graver. */
export const rankOf = (grade) => (grades.includes(grade) ? grades.length - 1 - grades.indexOf(grade) : 0);
