// The desk of the control room: top bar, banner, facets, list, detail, keys, and the feed behind them.
import { Cameras } from "./cameras.js";
import { Declarations } from "./declarations.js";
import { Detail, canAcknowledge } from "./detail.js";
import { askPassword, showHelp } from "./dialogs.js";
import { fill, h, isTyping } from "./dom.js";
import { Duties } from "./duties.js";
import { Enterprises } from "./enterprises.js";
import { Feed } from "./feed.js";
import { askCommand, commandIncident, isForbidden } from "./incident_forms.js";
import { Ledger } from "./ledger.js";
import { List } from "./list.js";
import { call } from "./net.js";
import { PushBadge } from "./push.js";
import { AlarmQuality } from "./quality.js";
import { refusalWord } from "./refusals.js";
import { Rules } from "./rules.js";
import { glyph } from "./severity.js";
import { FILTERS, Store } from "./store.js";
import { absolute, now, since } from "./time.js";
import { t } from "./words.js";

const PAGE = 100;

/** Shows the desk in `root` for `me`; returns {stop}. `calls`: signOut(), switchLanguage(). */
export function showDesk(root, me, calls) {
  const desk = new Desk(root, me, calls);
  desk.load(true);
  return desk;
}

class Desk {
  constructor(root, me, calls) {
    this.me = me;
    this.store = new Store();
    this.behind = null;
    this.list = new List(this.store, { choose: (id, open) => this.choose(id, open), more: () => this.load(false), release: () => this.release(),
      clearFilters: () => this.filter({ filter: "open", severity: null, search: "", zone: null }) });
    this.detail = new Detail(me, { command: (name) => this.command(name), propose: () => this.propose(), toast, showHazard: (id) => this.showHazard(id), showRule: (id) => this.showRule(id), back: () => this.detail.element.classList.remove("open") });
    this.ledger = new Ledger(me, { toast, showIncident: (id) => this.showIncident(id), showEnterprise: (id) => { this.showPage("enterprises"); this.enterprises.open(id); } });
    this.enterprises = new Enterprises(me, { showHazard: (id) => this.showHazard(id) });
    this.quality = new AlarmQuality(me, { showIncidents: (search, zone) => this.showIncidents(search, zone) });
    this.rules = new Rules(me, { toast });
    this.cameras = new Cameras(me, { toast, showIncidents: (search, zone) => this.showIncidents(search, zone) });
    this.duties = new Duties(me, { toast, waiting: (count) => this.waitingDuties(count) });
    this.declarations = new Declarations(me, { toast, showHazard: (id) => this.showHazard(id) });
    this.feed = new Feed({ incident: (incident) => this.take(incident), hazard: (hazard) => { this.ledger.take(hazard); this.enterprises.take(hazard); if (hazard.event.startsWith("measure_")) this.declared(); }, declaration: (notice) => { this.declarations.take(notice); this.declared(); }, duty: (notice) => this.duties.take(notice), reset: () => this.reload(), behind: (at) => { this.behind = at; this.renderLine(); },
      flood: (at) => { if (at === this.store.flood) return; this.store.flood = at; this.store.arrange(); this.list.render(); },
      state: () => this.renderLine(), signedOut: () => call("GET", "/session").catch(() => {}) });
    this.line = h("span", { class: "line" });
    this.banner = h("div", { class: "banner", role: "alert", hidden: true });
    this.search = h("input", { class: "search", type: "search", placeholder: `${t("nav.search")} · ${t("nav.search_hint")}  /`, "aria-label": t("nav.search"),
      oninput: () => this.find(), onsearch: () => this.find() });
    this.facets = h("nav", { class: "facets", "aria-label": t("filter.state") });
    document.title = me.site_name ? `${me.site_name} · ${t("app.name")}` : t("app.long");
    this.main = h("main", { class: "desk" }, this.facets, this.list.element, this.detail.element);
    this.root = fill(root, this.bar(calls), this.banner);
    this.showPage("incidents");
    if (me.sees_duties) this.duties.load();
    this.onKey = (event) => this.key(event);
    addEventListener("keydown", this.onKey);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.renderLine();
    this.renderFacets();
  }

  stop() {
    this.feed.stop();
    this.pushes.stop();
    clearInterval(this.ticking);
    removeEventListener("keydown", this.onKey);
  }

  bar(calls) {
    const { me } = this;
    this.names = ["incidents", "cameras", "hazards", "rules", ...(me.sees_duties ? ["duties"] : []), "declarations", "enterprises", "quality"];
    this.pushes = new PushBadge(me);
    this.pages = this.names.map((name) => h("button", { class: "plain page", "data-page": name, onclick: () => this.showPage(name) }, t(`page.${name}`)));
    return h("header", { class: "bar" }, h("span", { class: "name" }, t("app.name")), me.site_name ? h("span", { class: "site" }, me.site_name) : null,
      h("nav", { class: "pages", "aria-label": t("nav.pages") }, this.pages), me.synthetic ? h("span", { class: "mark", title: t("app.synthetic_note") }, h("span", { class: "long" }, t("app.synthetic")), h("span", { class: "short" }, t("app.synthetic_short"))) : null, h("span", { class: "space" }), this.pushes.element, this.search, this.line,
      h("button", { class: "plain help", onclick: () => showHelp(this.me, this.page), title: t("nav.help") }, "?"), h("button", { class: "plain", onclick: calls.switchLanguage }, t("nav.language")),
      h("button", { class: "plain who", onclick: () => this.changePassword(), title: t("account.password") }, me.name, h("small", {}, t(`role.${me.role}`))), h("button", { class: "plain", onclick: calls.signOut }, t("nav.logout")));
  }

  /** How many duties of one's own want to be done: a figure at the page's name. */
  waitingDuties(count) {
    const button = this.pages.find((each) => each.dataset.page === "duties");
    fill(button, t("page.duties"), count ? h("span", { class: "count", title: t("duties.waiting", { n: count }) }, String(count)) : null);
  }

  /** Show the page of that name. */
  showPage(name) {
    this.page = name;
    const elements = { incidents: this.main, cameras: this.cameras.element, hazards: this.ledger.element, rules: this.rules.element, duties: this.duties.element, declarations: this.declarations.element, enterprises: this.enterprises.element, quality: this.quality.element };
    for (const element of Object.values(elements)) element.remove();
    this.root.append(elements[name]);
    this.search.hidden = name !== "incidents";
    for (const button of this.pages) button.setAttribute("aria-current", button.dataset.page === name ? "page" : "false");
    if (name === "hazards") this.ledger.open();
    if (name === "duties") this.duties.load();
    if (name === "declarations") this.declarations.load();
    if (name === "enterprises") this.enterprises.open();
    if (name === "quality") this.quality.load();
    if (name === "rules") this.rules.open();
    if (name === "cameras") this.cameras.open();
  }

  /** Something is declared of a zone, or no longer: what is shown of it follows. */
  declared() {
    if (this.page === "declarations") this.declarations.load();
    if (this.detail.incident) this.detail.loadDeclared(this.detail.incident);
  }

  /** The detail of the page that is shown, which Escape puts back on a phone. */
  shownDetail() { return { incidents: this, hazards: this.ledger, rules: this.rules, cameras: this.cameras }[this.page]?.detail; }

  /** The page after the one that is shown. */
  nextPage() { this.showPage(this.names[(this.names.indexOf(this.page) + 1) % this.names.length]); }

  /** All incidents of a zone, open or not, that hold the word `search`; another search ends it. */
  showIncidents(search, zone) {
    this.showPage("incidents");
    this.search.value = search;
    this.filter({ filter: "all", severity: null, search: search.toLowerCase(), zone });
  }

  /** The incident of that id in full, whatever the list is filtered by. */
  async showIncident(id) {
    try {
      const { body } = await call("GET", `/incidents/${encodeURIComponent(id)}`);
      this.store.remember(body);
      this.showPage("incidents");
      this.choose(id, true);
    } catch (failure) {
      if (failure.status !== 401) toast(t("error.not_found"), true);
    }
  }

  // --- data ---
  reload() {
    this.load(true);
    if (this.ledger.loaded) this.ledger.load(true);
    if (this.me.sees_duties) this.duties.load();
    if (this.page === "declarations") this.declarations.load();
    if (this.page === "enterprises") this.enterprises.load();
    if (this.page === "quality") this.quality.load();
    if (this.page === "rules") this.rules.load();
    if (this.page === "cameras") this.cameras.open();
  }

  async load(first) {
    if (first && !this.store.shown.length) this.list.loading();
    const asked = this.store.filter;
    const severity = this.store.severity === null ? "" : `&severity=${this.store.severity}`;
    const zone = this.store.zone === null ? "" : `&zone=${encodeURIComponent(this.store.zone)}`;
    const cursor = first ? "" : `&cursor=${encodeURIComponent(this.store.next)}`;
    try {
      const query = `/incidents?limit=${PAGE}&${FILTERS[asked].query}`;
      const [{ body, headers }, gravest] = await Promise.all([call("GET", query + severity + zone + cursor),
        first && !severity ? call("GET", `${query}&severity=1${zone}`) : null]); // however long ago they began, or became so grave
      if (asked !== this.store.filter) return;
      this.store.takePage(body, first, gravest?.body.items);
      this.render();
      this.chooseIfNone();
      this.feed.lastHeard ??= now();
      this.feed.start(Number(headers.get("Feed-Position")));
    } catch (failure) {
      const [title, note] = failure.status === 403 ? [t("error.permission"), t("error.permission_note", { role: t(`role.${this.me.role}`) })]
        : [t("error.title"), t(failure.status === 0 ? "error.network" : "error.unavailable")];
      if (failure.status !== 401) this.list.failed(title, note, failure.status === 403 ? null : () => this.load(true));
    }
  }

  /** On a desk something is always shown in full; a phone begins with the list. */
  chooseIfNone() {
    if (!this.list.chosen && matchMedia("(min-width: 901px)").matches) this.choose(this.store.gravest());
  }

  isBusy() {
    if (!this.store.shown.length) return false; // nothing that could move
    return this.list.isBusy() || isTyping() || document.querySelector("dialog[open]") !== null;
  }

  take(incident, confirmed = false) {
    const done = this.store.take(incident, this.isBusy());
    if (done === "patched") this.list.patch(incident, confirmed);
    if (done === "condensed") this.list.renderFlood();
    if (done === "added") this.list.render();
    if (this.store.held.size) this.list.renderArrivals();
    if (done !== "ignored" && incident.id === this.list.chosen) this.detail.show(incident);
    this.chooseIfNone();
    this.renderFacets();
    this.renderLine();
  }

  release() {
    this.store.arrange();
    this.list.render();
    this.list.rows.scrollTop = 0;
    this.chooseIfNone();
  }

  filter(change) {
    const reload = ["filter", "severity", "zone"].some((name) => name in change);
    Object.assign(this.store, change);
    if ("search" in change && change.search === "") this.search.value = "";
    this.store.arrange();
    this.render();
    if (reload) this.load(true);
  }

  /** The list follows the search box, however it was changed. */
  find() {
    const search = this.search.value.trim().toLowerCase();
    if (search !== this.store.search) this.filter(this.store.zone === null ? { search } : { search, zone: null });
  }

  choose(id, open = false) {
    if (!id) return;
    this.list.choose(id);
    this.detail.show(this.store.known.get(id), open);
  }

  // --- what the person does ---
  async command(name) {
    const incident = this.detail.incident;
    if (!incident || !this.me.commands.includes(name)) return;
    if (isForbidden(name, incident)) return toast(t(`do.never.${name}`), true);
    try {
      const done = ["acknowledge", "unshelve"].includes(name) ? await commandIncident(incident, name) : await askCommand(name, incident, this.me, () => this.refresh(incident));
      if (done) this.take(done, name === "acknowledge");
    } catch (failure) {
      await this.explain(failure, incident);
    }
  }

  /** Put a hazard down from the incident shown, and go to it. */
  async propose() {
    const incident = this.detail.incident;
    const id = incident && await this.ledger.propose(incident);
    if (id) this.showHazard(id);
  }

  showHazard(id) {
    this.showPage("hazards");
    this.ledger.open(id);
  }

  showRule(id) {
    this.showPage("rules");
    this.rules.choose(id, true);
  }

  /** Whether the role may; a key that does nothing would leave the person guessing. */
  mayByKey(name) {
    const may = this.me.commands.includes(name);
    if (!may) toast(t("error.permission_note", { role: t(`role.${this.me.role}`) }));
    return may;
  }

  async changePassword() {
    const change = await askPassword();
    if (change === null) return;
    try {
      await call("POST", "/session/password", change);
      toast(t("account.done"));
    } catch (failure) {
      toast(t({ 403: "account.wrong", 429: "login.throttled", 0: "error.network" }[failure.status] ?? "error.unavailable"), true);
    }
  }

  /** The incident as it is now; null where that can't be had. */
  async refresh(incident) {
    const fresh = await call("GET", `/incidents/${encodeURIComponent(incident.id)}`).then(({ body }) => body, () => null);
    if (fresh) this.take(fresh);
    return fresh;
  }

  /** What is refused without a form. */
  async explain(failure, incident) {
    const texts = { 0: "error.network", 403: "error.permission", 404: "error.not_found", 503: "error.unavailable" };
    if (failure.status === 409) {
      const fresh = await this.refresh(incident);
      toast(fresh?.acknowledged_by ? t("error.already_acknowledged", { by: fresh.acknowledged_by }) : [refusalWord(failure.problem) ?? t("error.not_in_state"), failure.problem.hint].filter(Boolean).join(" "));
    } else if (failure.status !== 401) toast(texts[failure.status] ? t(texts[failure.status]) : failure.message, true);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (document.activeElement === this.search) { this.search.value = ""; this.find(); }
      document.activeElement?.blur?.();
      this.shownDetail()?.element.classList.remove("open");
      return;
    }
    if (isTyping()) return;
    const page = { hazards: this.ledger, rules: this.rules, cameras: this.cameras }[this.page];
    if (page) return this.keyOf(page, event);
    if (this.page !== "incidents") {
      if (event.key === "g") this.nextPage();
      return;
    }
    const shelf = this.detail.incident?.shelved_until ? "unshelve" : "shelve";
    const acts = {
      j: () => this.choose(this.list.neighbour(1)), ArrowDown: () => this.choose(this.list.neighbour(1)),
      k: () => this.choose(this.list.neighbour(-1)), ArrowUp: () => this.choose(this.list.neighbour(-1)),
      a: () => { if (!this.mayByKey("acknowledge")) return; if (this.detail.incident && canAcknowledge(this.detail.incident)) this.command("acknowledge"); }, s: () => { if (this.mayByKey(shelf)) this.command(shelf); },
      h: () => { if (this.me.hazard_commands.includes("propose")) this.propose(); else this.mayByKey("propose"); }, g: () => this.nextPage(), f: () => toast(t("do.false_later")), "/": () => this.search.focus(), "?": () => showHelp(this.me, "incidents"),
      Home: () => { this.release(); this.choose(this.store.shown[0]); }, Enter: () => this.detail.element.classList.add("open"),
    };
    const act = acts[event.key];
    if (!act || (event.key === "Enter" && event.target.matches("button"))) return;
    event.preventDefault();
    act();
  }

  /** `page`: the ledger, the rules or the cameras. */
  keyOf(page, event) {
    if (event.key === "Enter" && event.target.matches("button, a, summary")) return;
    const own = { g: () => this.nextPage(), "?": () => showHelp(this.me, this.page) }[event.key];
    own?.();
    if (own || page.key(event.key)) event.preventDefault();
  }

  // --- how it looks ---
  render() {
    this.list.render();
    this.renderFacets();
  }

  renderFacets() {
    const { store } = this;
    const counts = store.counts();
    const states = Object.keys(FILTERS).map((name) => h("li", {}, h("button", { class: "facet", "aria-pressed": String(store.filter === name), onclick: () => this.filter({ filter: name }) }, t(`filter.${name}`))));
    const severities = [1, 2, 3, 4].map((n) => h("li", {}, h("button", { class: "facet", "aria-pressed": String(store.severity === n),
      onclick: () => this.filter({ severity: store.severity === n ? null : n }) }, glyph(n, counts[n] ? "acts" : "quiet", String(n)),
      h("span", { class: "long" }, t(`severity.${n}`)), h("span", { class: `figure${counts[n] ? "" : " none"}` }, `${counts[n]}${store.next && counts[n] ? "+" : ""}`))));
    fill(this.facets, h("section", {}, h("h2", {}, t("filter.by_severity")), h("ul", {}, severities)), h("section", {}, h("h2", {}, t("filter.state")), h("ul", {}, states)));
  }

  renderLine() {
    const { state, lastHeard } = this.feed;
    const heard = lastHeard ? absolute(lastHeard) : t("feed.never");
    this.line.dataset.state = state;
    fill(this.line, t(`feed.word.${state}`), state === "live" ? h("span", { class: "when" }, heard) : null);
    const text = state === "offline" ? t("feed.offline", { time: heard })
      : state === "stale" ? t("feed.stale", { time: heard, since: lastHeard ? since(lastHeard) : "—" })
        : state === "refused" ? t("feed.refused") : this.behind ? t("feed.behind", { since: since(this.behind) }) : "";
    this.banner.hidden = !text;
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }

  tick() {
    this.list.tick();
    this.detail.tick();
    this.ledger.tick();
    this.duties.tick();
    this.declarations.tick();
    this.enterprises.tick();
    this.quality.tick();
    this.cameras.tick();
    this.renderLine();
    if (this.store.held.size && !this.isBusy()) this.release();
  }
}

/** A short word at the foot of the page. */
export function toast(text, wrong = false) {
  const element = h("p", { class: `toast${wrong ? " wrong" : ""}` }, text);
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), 4000);
}
