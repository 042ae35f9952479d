// Whose turn it is: which steps a hazard waits for, by whom, and the one that this person takes first. Pure.
// The server says who could give a command now (`open_to`); here is only the order, and which of them somebody waits for.

/** Commands by concept, in the order of the buttons. */
export const GROUPS = {
  handling: ["confirm", "dismiss", "regrade", "receive", "measure", "end_measure", "report", "publish", "plan", "approve_plan", "return_plan", "start_rectification"],
  extension: ["request_extension", "sign_extension", "refuse_extension", "file_extension"],
  boards: ["list", "lift_listing", "supervise", "lift_supervision"],
  closing: ["claim", "inspect", "accept", "refuse", "close", "reopen"],
  other: ["summon", "refer", "waive_penalty", "transfer", "merge", "comment"],
};

/** The other answer to the same question stands beside the first. */
export const COUNTERPART = { confirm: "dismiss", approve_plan: "return_plan", sign_extension: "refuse_extension", accept: "refuse", inspect: "refuse" };

const graded = (hazard, name) => hazard.confirmed && Boolean(hazard.grades.find((g) => g.grade === hazard.grade)?.[name]);
const inspectedFor = (hazard, post) => hazard.inspections.some((each) => each.passed && each.posts.includes(post) && new Date(each.at) >= new Date(hazard.claim.at));
const open = (hazard, name) => hazard.commands.find((c) => c.command === name).open_to.length > 0;

// What a hazard waits for, most pressing first: [command, when, whose]. Without `when` a step is waited for whenever it is possible;
// `whose` says that others could do it, too, but that it is waited for from these.
const own = ["enterprise"];
const STEPS = [
  ["confirm"],
  ["summon", (x) => x.tracks.summons === "due" || (x.overdue && x.tracks.summons !== "held")],
  ["sign_extension"],
  ["file_extension", null, ["bureau"]],
  ["supervise", (x) => x.tracks.extension === "filed" && !x.tracks.supervision],
  ["inspect", (x) => !open(x, "accept") && x.choices.inspecting_posts.some((post) => x.choices.own_posts.includes(post) && !inspectedFor(x, post))],
  ["accept"],
  ["lift_supervision", (x) => x.state === "accepted"],
  ["lift_listing", (x) => x.state === "accepted"],
  ["close"],
  ["receive", (x) => x.enterprise !== null, own],
  ["report", (x) => graded(x, "listed") && x.tracks.report !== "to_both", own],
  ["list", (x) => x.tracks.listing !== "listed"],
  ["plan", (x) => graded(x, "needs_plan") && (!x.plan || x.tracks.plan === "returned"), own],
  ["publish", (x) => !x.tracks.publication, own],
  ["approve_plan", (x) => graded(x, "needs_plan")],
  ["start_rectification", null, own],
  ["claim", null, own],
];

/** The steps that are waited for: {command, roles}. */
export function waited(hazard) {
  return STEPS.filter(([name, when]) => open(hazard, name) && (!when || when(hazard))).map(([name, , whose]) => {
    const roles = hazard.commands.find((c) => c.command === name).open_to;
    const narrowed = roles.filter((role) => whose?.includes(role) && (role !== "enterprise" || hazard.enterprise !== null));
    return { command: name, roles: narrowed.length ? narrowed : roles };
  });
}

/** Whether `me` may give the command now; a signature also when only the password is missing. */
export function may(hazard, name, me) {
  const found = hazard.commands.find((c) => c.command === name);
  if (name === "end_measure" && !hazard.measures.some((m) => !m.ended_at)) return false;
  return found.allowed || needsPassword(hazard, found, me);
}

/** Whether only the password stands between `me` and this signature: the rule also bars who has signed already. */
function needsPassword(hazard, command, me) {
  return command.command === "sign_extension" && command.why_not?.rule === "signature" && !hazard.extensions.at(-1).signatures.some((s) => s.by === me.id);
}

/** The one step that `me` takes first, or null. The administrator stands in for anybody. */
export const primaryOf = (hazard, me) => waited(hazard).find(({ command, roles }) => (roles.includes(me.role) || me.role === "administrator") && may(hazard, command, me))?.command ?? null;
