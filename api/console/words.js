// Every visible text comes from a catalogue; a new language is a new file. The choice stays in this browser.
let words = {};
let chosen = "zh";

/** Load the catalogue of the chosen language. */
export async function loadWords(language = remembered()) {
  const answer = await fetch(`/console/catalogue/${language}.json`);
  if (!answer.ok) throw new Error(`catalogue ${language}: ${answer.status}`);
  words = await answer.json();
  chosen = language;
  try { localStorage.setItem("language", language); } catch { /* a locked-down browser: for this visit only */ }
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
}

function remembered() {
  try { return localStorage.getItem("language") === "en" ? "en" : "zh"; } catch { return "zh"; }
}

/** The language of this visit: zh or en. */
export const language = () => chosen;

/** The other language. */
export const otherLanguage = () => (chosen === "zh" ? "en" : "zh");

/** The text of a key; a key without text shows itself, so that the gap is seen. */
export function t(key, parameters = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => parameters[name] ?? "");
}

/** Whether there is a text for a key that is made of the server's own word. */
export const has = (key) => key in words;

/** A text that the server sent in both languages. */
export const said = (text) => text?.[chosen] ?? "";
