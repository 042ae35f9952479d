// The sign-in page.
import { fill, h } from "./dom.js";
import { call } from "./net.js";
import { loadWords, otherLanguage, t } from "./words.js";

const MESSAGES = { 0: "login.unreachable", 401: "login.wrong", 429: "login.throttled" };

/** Show the sign-in in `root`; `onSignedIn(me)` is called after it. `ended`: the session before is over. */
export function showSignIn(root, onSignedIn, ended = false) {
  const name = h("input", { name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: 64 });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
  const button = h("button", { class: "primary", type: "submit" }, t("login.submit"));
  const message = h("p", { class: "message", role: "alert" }, ended ? t("login.ended") : "");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    button.textContent = t("login.working");
    message.textContent = "";
    try {
      const { body } = await call("POST", "/session", { name: name.value, password: password.value }, { quiet: true });
      onSignedIn(body);
    } catch (failure) {
      message.textContent = t(MESSAGES[failure.status] ?? "error.unavailable");
      button.disabled = false;
      button.textContent = t("login.submit");
      password.select();
    }
  };
  const language = h("button", { class: "plain", type: "button", onclick: async () => { await loadWords(otherLanguage()); showSignIn(root, onSignedIn, ended); } }, t("nav.language"));
  document.title = t("app.long");
  fill(root, h("form", { class: "signin", onsubmit: submit }, h("h1", {}, t("app.name")), h("p", {}, t("app.subtitle")),
    h("label", {}, t("login.name"), name), h("label", {}, t("login.password"), password), message, button, h("div", { class: "foot" }, language)));
  name.focus();
}
