// Which pages there are, read from the source: the routing table and the templates.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../scripts/lib/worker.mjs";

const SOURCE = join(ROOT, "src");

/** Every path that answers GET: its origin, `App` or `Content`, and its pattern, in which `{}` is a variable segment. */
export function readPaths() {
  const table = readFileSync(join(SOURCE, "http/routes.rs"), "utf8");
  const entries = [...table.matchAll(/\bon\(\s*Origin::(\w+),\s*"([^"]+)",\s*&\[([^\]]*)\]/g)];
  return entries.filter(([, , , methods]) => /\bGet\b/.test(methods)).map(([, origin, pattern]) => ({ origin, pattern }));
}

/** The pattern that a path has on an origin: the first that fits, as the worker chooses. */
export function patternOf(origin, pathname) {
  const fits = ({ pattern }) => new RegExp(`^${pattern.replace(/[.]/g, "\\.").replaceAll("{}", "[^/]+")}$`).test(pathname);
  return readPaths().filter((path) => path.origin === origin).find(fits)?.pattern;
}

/**
 * Every template that is a page of its own, by its path, with words that stand on it whatever it shows; none where all
 * of its words are given to it.
 */
export function readTemplates() {
  const files = readdirSync(SOURCE, { recursive: true }).filter((file) => /templates\/[^/]+\.html$/.test(file));
  const texts = new Map(files.map((file) => [file, readFileSync(join(SOURCE, file), "utf8")]));
  const extended = new Set([...texts.values()].flatMap((text) => text.match(/(?<={% extends ")[^"]+/g) ?? []));
  const isPage = ([file, text]) => text.includes("{% extends") && !extended.has(file);
  return [...texts].filter(isPage).map(([file, text]) => ({ file, words: alwaysShown(text) }));
}

/** The longest words of a template's main part that stand under no condition. */
function alwaysShown(template) {
  const main = template.split(/{%-? block (?:main|body) -?%}/)[1].split(/{%-? macro /)[0];
  let depth = 0;
  let longest = "";
  for (const piece of main.split(/({%.*?%}|{{.*?}}|<[^>]*>)/s)) {
    if (/^{%-? *(if|for|match)\b/.test(piece)) depth += 1;
    else if (/^{%-? *end(if|for|match)\b/.test(piece)) depth -= 1;
    else if (depth === 0 && !/^[{<]/.test(piece) && piece.trim().length > longest.length) longest = piece.trim();
  }
  return longest;
}
