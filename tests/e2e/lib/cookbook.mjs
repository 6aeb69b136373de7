// Writes what the cookbook's tests did as docs/cookbook.md. What differs from run to run (ids, times, addresses) is
// written as an example.

const IDS = /\b(post|chg|prf|wsp|med|con)_[0-9a-v]{26}\b/g;
/** Times of this run, from the longest form; the one that a mistake puts into the past stays as it is. */
const DAY = "20(?!20)\\d\\d-\\d\\d-\\d\\d";
const TIMES = [
  [`${DAY}T[\\d:.]+Z`, "2026-12-01T08:00:00Z"],
  [`${DAY}T[\\d:.]+[+-]\\d\\d:\\d\\d\\[[^\\]]+\\]`, "2026-12-01T09:00:00+01:00[Europe/Stockholm]"],
  [`${DAY}T[\\d:.]+[+-]\\d\\d:\\d\\d(?!\\[)`, "2026-11-21T09:00:00+01:00"],
  [`${DAY}T\\d\\d:\\d\\d:\\d\\d(?![Z+-])`, "2026-12-01T09:00:00"],
  [`${DAY}T\\d\\d:\\d\\d(?!:)`, "2026-12-01T09:00"],
  [`${DAY} \\d\\d:\\d\\d`, "2026-11-20 09:00"],
  ["[A-Z][a-z]+day \\d{1,2} [A-Z][a-z]+ \\d{4}, \\d\\d:\\d\\d [A-Za-z]+/[A-Za-z]+, [a-z0-9 ]+", "Tuesday 1 December 2026, 09:00 Europe/Stockholm, in 10 days"],
].map(([form, example]) => [new RegExp(form, "g"), example]);
/** Lists are shown by their first members. */
const MOST_SHOWN = 2;

/** Makes what a request's transcript says exemplary; the same id is the same everywhere in it. */
export class Examples {
  #ids = new Map();
  #replaced;

  /** @param {[string | RegExp, string][]} replaced what else differs, and what stands for it */
  constructor(replaced) {
    this.#replaced = replaced;
  }

  of(value) {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return this.#list(value);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, key === "token" ? "…" : this.of(member)]));
    return value;
  }

  #list(items) {
    const shown = items.slice(0, MOST_SHOWN).map((item) => this.of(item));
    const more = items.length - shown.length;
    return more > 0 && typeof items[0] === "object" ? [...shown, `… and ${more} more`] : items.map((item) => this.of(item));
  }

  #text(text) {
    const named = text.replaceAll(IDS, (id, kind) => {
      if (!this.#ids.has(id)) this.#ids.set(id, `${kind}_${[...this.#ids.keys()].filter((other) => other.startsWith(kind)).length + 1}`);
      return this.#ids.get(id);
    });
    return [...this.#replaced, ...TIMES].reduce((rest, [what, example]) => rest.replaceAll(what, example), named);
  }
}

const call = ([tool, args]) => `\`\`\`\n${tool} ${JSON.stringify(args)}\n\`\`\``;
const result = (value) => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;

function recipe({ request, calls, mistaken, refusal, corrected }) {
  return [
    `## “${request}”`,
    ...calls.flatMap(([made, gave]) => [call(made), "gives", result(gave)]),
    "With a mistake,",
    call(mistaken),
    `is refused: \`${refusal.code}\`${refusal.field ? ` at \`${refusal.field}\`` : ""}. ${refusal.message} ${refusal.hint} The refusal holds the call that works:`,
    call(corrected),
  ].join("\n\n");
}

/** The document. `later`: the requests that are not done here, and what they wait for. */
export function documentOf(recipes, later) {
  const rows = later.map(({ request, needs }) => `| ${request} | ${needs} |`);
  return `# Cookbook

What people ask an assistant for, and the calls that do it: at most two each, after one \`whoami\` in the conversation. Each
stands here as a test made it (\`tests/e2e/cookbook.test.mjs\`, which writes this page and fails when it was stale), and again
with one plausible mistake, where the refusal alone holds the call that works. Ids, times, tokens and addresses are examples;
of longer lists the first members are shown.

${recipes.map(recipe).join("\n\n")}

## Not here

| request | needs |
|---|---|
${rows.join("\n")}
`;
}
