// The live feed over fetch, not EventSource: comments count as signs of life, and a refusal can be told from a broken line.
import { now } from "./time.js";

const SILENCE = 25_000; // the server says something every 10 s
const LONGEST_PAUSE = 10_000;

/** Follows the feed after `position`. Calls: incident(i), hazard(x), duty(d), declaration(d), reset(), behind(since|null), flood(since|null), state(name), signedOut(). */
export class Feed {
  constructor(calls) {
    this.calls = calls;
    this.position = 0;
    this.lastHeard = null;
    this.state = "connecting";
    this.stopped = true;
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => { if (!this.stopped) { this.setState("offline"); this.abort?.abort(); } });
  }

  start(position) {
    this.position = position;
    if (!this.stopped) return;
    this.stopped = false;
    this.follow();
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
    this.wakeUp?.();
  }

  retryNow() {
    this.wakeUp?.();
  }

  setState(name) {
    this.state = name;
    this.calls.state(name);
  }

  async follow() {
    let pause = 500;
    while (!this.stopped) {
      try {
        const heardBefore = this.lastHeard;
        const refused = await this.listen();
        if (refused) return;
        if (this.lastHeard !== heardBefore) pause = 500;
      } catch { /* the line broke: the pause below, then again */ }
      if (this.stopped) return;
      this.setState(navigator.onLine ? "stale" : "offline");
      await new Promise((wake) => { this.wakeUp = wake; setTimeout(wake, pause * (0.75 + Math.random() / 2)); });
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** One connection to its end. Returns true when trying again is of no use. */
  async listen() {
    this.abort = new AbortController();
    let silence = setTimeout(() => this.abort.abort(), SILENCE);
    try {
      const answer = await fetch(`/api/v1/feed?after=${this.position}`, { signal: this.abort.signal, headers: { Accept: "text/event-stream" } });
      if (answer.status === 401) { this.stopped = true; this.calls.signedOut(); return true; }
      if (answer.status === 403) { this.stopped = true; this.setState("refused"); return true; }
      if (!answer.ok) return false;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return false;
        clearTimeout(silence);
        silence = setTimeout(() => this.abort.abort(), SILENCE);
        this.lastHeard = now();
        if (this.state !== "live") this.setState("live");
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        blocks.forEach((block) => this.take(block));
      }
    } finally {
      clearTimeout(silence);
    }
  }

  take(block) {
    const fields = {};
    for (const line of block.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    if (fields.id) this.position = Number(fields.id);
    if (fields.event === "incident") this.calls.incident(JSON.parse(fields.data));
    else if (fields.event === "hazard") this.calls.hazard(JSON.parse(fields.data));
    else if (fields.event === "duty") this.calls.duty(JSON.parse(fields.data));
    else if (fields.event === "declaration") this.calls.declaration(JSON.parse(fields.data));
    else if (fields.event === "reset") this.calls.reset();
    else if (fields.event === "flood") this.calls.flood(JSON.parse(fields.data).since);
    else if (fields.event === "status") this.calls.behind(JSON.parse(fields.data).behind_since);
  }
}
