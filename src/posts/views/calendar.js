// A week of posts by day: the result of list_posts. Days and times are those of the workspace, as the result tells them.

const DAY = 86_400_000;
const WIDE = new Intl.DateTimeFormat("en", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

const day = (date) => Date.parse(`${date}T00:00Z`);
const dateOf = (time) => new Date(time).toISOString().slice(0, 10);
const monday = (time) => time - ((new Date(time).getUTCDay() + 6) % 7) * DAY;

/** The date of a post where its workspace is. */
const dueOn = (post) => post.when?.local.slice(0, 10);

/** A post by its time of day; outside the week shown, by its date too. */
function entry(post, isElsewhere) {
  const date = isElsewhere && dueOn(post) ? `${WIDE.format(day(dueOn(post)))}, ` : "";
  const time = post.when && date + post.when.local.slice(11, 16);
  const status = post.status.replaceAll("_", " ");
  return element(
    "details",
    { class: "entry", "data-status": post.status },
    element("summary", null, time && element("time", { datetime: post.when.utc }, time), element("span", { dir: "auto" }, post.text || "No text"), element("span", { class: "status" }, status)),
    element("p", { class: "for" }, post.profiles.join(", ") || "No profile"),
    list("labels", post.labels),
    list("problems", post.reasons),
    list("urls", post.urls?.map((url) => link(url))),
  );
}

const column = (time, posts) =>
  element(
    "section",
    { class: posts.length > 0 ? "day" : "day empty" },
    element("h2", null, element("time", { datetime: dateOf(time) }, WIDE.format(time))),
    posts.length > 0 ? posts.map((post) => entry(post)) : element("p", { class: "nothing" }, "Nothing"),
  );

async function turn(first) {
  const { cursor, ...asked } = host.arguments;
  const found = await callTool("list_posts", { ...asked, from: dateOf(first), to: dateOf(first + 7 * DAY), limit: 50 });
  if (found?.error) return showProblems(found.error.problems ?? []);
  view(found, first);
}

function turner(words, first) {
  if (!host.capabilities.serverTools) return false;
  return element("button", { type: "button", onclick: () => turn(first).catch(({ message }) => showProblems([{ message }])) }, words);
}

function view({ posts, next_cursor }, week) {
  const dated = posts.filter(dueOn);
  const soonest = Math.min(...dated.map((post) => day(dueOn(post))));
  const first = week ?? monday(Number.isFinite(soonest) ? soonest : Date.now());
  const days = Array.from({ length: 7 }, (_, index) => first + index * DAY);
  const inWeek = (post) => day(dueOn(post)) >= first && day(dueOn(post)) < first + 7 * DAY;
  const elsewhere = posts.filter((post) => !dueOn(post) || !inWeek(post));
  show(
    element("header", { class: "week" }, turner("Week before", first - 7 * DAY), element("h1", null, `Week of ${WIDE.format(first)}`), turner("Week after", first + 7 * DAY)),
    element("div", { class: "days" }, days.map((time) => column(time, dated.filter((post) => day(dueOn(post)) === time)))),
    elsewhere.length > 0 && element("section", { class: "others" }, element("h2", null, "Other days, and without a time"), elsewhere.map((post) => entry(post, true))),
    next_cursor && element("p", { class: "more" }, "There are more posts than are shown."),
  );
}

begin("calendar");
