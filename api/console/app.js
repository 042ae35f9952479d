// Puts the page together: sign-in, then the desk. State lives in Store; List and Detail only show it.
import { fill, h } from "./dom.js";
import { showDesk } from "./desk.js";
import { Failure, call, useCsrf, whenSignedOut } from "./net.js";
import { showSignIn } from "./signin.js";
import { useTimeZone } from "./time.js";
import { loadWords, otherLanguage, t } from "./words.js";

const root = document.getElementById("app");
let desk = null;

function signedIn(me) {
  useCsrf(me.csrf);
  useTimeZone(me.time_zone);
  desk = showDesk(root, me, { signOut, switchLanguage: async () => { const { page } = desk; await loadWords(otherLanguage()); desk.stop(); signedIn(me); desk.showPage(page); } });
}

function signedOut() {
  if (!desk) return;
  desk.stop();
  desk = null;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  showSignIn(root, signedIn, true);
}

async function signOut() {
  await call("DELETE", "/session").catch(() => {});
  desk?.stop();
  desk = null;
  showSignIn(root, signedIn);
}

async function begin() {
  try {
    const { body } = await call("GET", "/session", undefined, { quiet: true });
    signedIn(body);
  } catch (failure) {
    if (failure instanceof Failure && failure.status === 401) showSignIn(root, signedIn);
    else fill(root, h("div", { class: "state" }, h("strong", {}, t("error.title")), h("p", {}, t(failure.status === 0 ? "login.unreachable" : "error.unavailable")),
      h("button", { onclick: begin }, t("error.retry"))));
  }
}

whenSignedOut(signedOut);
await loadWords();
await begin();
