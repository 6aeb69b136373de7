// A post as each network shows it: the result of preview_post, or of get_post.

const NETWORKS = { wall: "Wall", bluesky: "Bluesky", mastodon: "Mastodon" };
const KINDS = { post: "Post", reply: "Reply", first_comment: "First comment", comment: "Comment" };
const MARKED = /(https?:\/\/\S+|(?<![\p{L}\p{N}_])[#@][\p{L}\p{N}_][\p{L}\p{N}_.-]*)/gu;

const named = (names, key) => names[key] ?? key.replaceAll("_", " ");

/** Text with its links, tags and mentions set off. */
const marked = (text) => text.split(MARKED).map((piece, index) => (index % 2 ? element("span", { class: "mark" }, piece) : piece));

function picture({ alt, content_type, bytes }) {
  const words = alt || "No description for those who cannot see it";
  const size = `${content_type}, ${Math.max(1, Math.round(bytes / 1000))} kB`;
  return element("figure", { class: alt ? "media" : "media undescribed" }, element("p", null, words), element("figcaption", null, size));
}

function measure({ count, limit, unit }) {
  const words = `${count} of ${limit} ${unit.replaceAll("_", " ")}`;
  return element("p", { class: count > limit ? "count over" : "count" }, words);
}

const part = (shown, author) =>
  element(
    "article",
    { class: "part", "aria-label": named(KINDS, shown.kind) },
    element("div", { class: "avatar", "aria-hidden": "true" }, [...author.replace(/^@/, "")][0]?.toUpperCase() ?? ""),
    element(
      "div",
      { class: "body" },
      element("p", { class: "author" }, author, shown.kind !== "post" && element("span", { class: "kind" }, named(KINDS, shown.kind))),
      element("p", { class: "text", dir: "auto" }, marked(shown.text)),
      shown.media?.length > 0 && element("div", { class: "pictures" }, shown.media.map(picture)),
      measure(shown),
    ),
  );

const profile = ({ profile, network, parts, problems, warnings }) =>
  element(
    "section",
    { class: "profile", "data-network": network },
    element("h2", null, named(NETWORKS, network)),
    parts.map((shown) => part(shown, profile)),
    list("problems", problems?.map(({ message }) => message)),
    list("warnings", warnings),
  );

function state({ ready, status, when }) {
  const words = status ? status.replaceAll("_", " ") : ready ? "Ready to go out" : "Not ready yet";
  return [element("h1", null, words), when && element("p", { class: "when" }, when.words)];
}

function view(result) {
  const shown = result.previews ?? result.profiles;
  const about = new Set(shown.flatMap(({ problems }) => problems.map(({ message }) => message)));
  const others = result.problems?.map(({ message }) => message).filter((message) => !about.has(message));
  const links = [result.review_url && link(result.review_url, "Open its page")].filter((one) => one instanceof Element);
  show(state(result), list("problems", others), shown.map(profile), links);
}

begin("post");
