// A browser's part in pages that need no browser: cookies, redirects one by one, forms filled in and sent.

import { parse } from "parse5";

/** An HTML page as it was answered, with its forms. */
export class Page {
  constructor(url, answer, body) {
    this.url = url;
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = body;
    this.forms = this.#isHtml() ? readForms(body) : [];
  }

  #isHtml() {
    return (this.headers.get("content-type") ?? "").startsWith("text/html");
  }

  /** Where the page sends its visitor, absolute; nothing if it is no redirect. */
  get location() {
    const to = this.headers.get("location");
    return to && this.status >= 300 && this.status < 400 ? new URL(to, this.url).href : undefined;
  }

  /** The one form of the page's main part that can be sent; the navigation's forms are on every page. */
  get form() {
    const sendable = this.forms.filter((form) => form.method === "post");
    if (sendable.length !== 1) {
      throw new Error(`${this.url} (${this.status}) has ${sendable.length} forms to send, not one: ${this.body.slice(0, 300)}`);
    }
    return sendable[0];
  }
}

/** A person with a browser of their own: one cookie jar. */
export class Visitor {
  #jar = new Map();

  /** Fetches a page; redirects are given back, not followed. */
  get(url) {
    return this.#fetch(url, { method: "GET", headers: { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" } });
  }

  /** Fetches a page and follows redirects as long as they stay on `origin`. */
  async follow(url, origin = new URL(url).origin) {
    let page = await this.get(url);
    for (let hops = 0; page.location && new URL(page.location).origin === origin; hops += 1) {
      if (hops === 10) throw new Error(`${url} redirects for ever`);
      page = await this.get(page.location);
    }
    return page;
  }

  /**
   * Sends a page's form by one of its buttons, with what is filled in and ticked already.
   *
   * @param {Page} page
   * @param {object} [choices]
   * @param {string} [choices.button] `name=value` of the button, or its words; may be left out if there is one
   * @param {Record<string, string[] | ((value: string, ticked: boolean) => boolean)>} [choices.tick] which boxes of
   *   a name are ticked: the values, or a function that decides
   * @param {Record<string, string>} [choices.fields] values by name, for fields, selects and radio buttons
   */
  submit(page, { button, tick = {}, fields = {} } = {}) {
    const { form } = page;
    const body = new URLSearchParams();
    for (const control of form.controls) {
      const value = valueOf(control, tick, fields);
      if (value !== undefined) body.append(control.name, value);
    }
    const pressed = findButton(form, button);
    if (pressed.name) body.append(pressed.name, pressed.value);
    const action = new URL(form.action || page.url, page.url);
    return this.#fetch(action.href, {
      method: "POST",
      body,
      headers: { origin: new URL(page.url).origin, referer: page.url, "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate" },
    });
  }

  async #fetch(url, init) {
    const headers = { accept: "text/html", ...init.headers };
    const cookie = this.#cookiesFor(url);
    if (cookie) headers.cookie = cookie;
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    this.#keepCookies(url, answer.headers.getSetCookie());
    return new Page(url, answer, await answer.text());
  }

  #cookiesFor(url) {
    const cookies = this.#jar.get(new URL(url).hostname) ?? new Map();
    return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #keepCookies(url, lines) {
    const { hostname } = new URL(url);
    const cookies = this.#jar.get(hostname) ?? new Map();
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const gone = attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute));
      if (gone) cookies.delete(name);
      else cookies.set(name, value);
    }
    this.#jar.set(hostname, cookies);
  }
}

function valueOf(control, tick, fields) {
  if (control.name === undefined || control.disabled) return undefined;
  switch (control.type) {
    case "checkbox":
      return isTicked(control, tick[control.name]) ? control.value : undefined;
    case "radio":
      return (control.name in fields ? fields[control.name] === control.value : control.ticked) ? control.value : undefined;
    default:
      return fields[control.name] ?? control.value;
  }
}

function isTicked(control, rule) {
  if (rule === undefined) return control.ticked;
  return typeof rule === "function" ? rule(control.value, control.ticked) : rule.includes(control.value);
}

function findButton(form, wanted) {
  const fits = (button) => wanted === undefined || `${button.name}=${button.value}` === wanted || button.words === wanted;
  const found = form.buttons.filter(fits);
  if (found.length !== 1) {
    const there = form.buttons.map((button) => `${button.words} (${button.name}=${button.value})`).join(", ");
    throw new Error(`the form has no single button ${wanted ?? ""}; it has: ${there}`);
  }
  return found[0];
}

/** Every form in a page's main part: its action and method, its controls in order, its buttons. */
function readForms(html) {
  const mains = [...walk(parse(html))].filter((node) => node.nodeName === "main");
  return mains.flatMap((main) => [...walk(main)]).filter((node) => node.nodeName === "form").map(readForm);
}

function readForm(node) {
  const attributes = attributesOf(node);
  const form = { action: attributes.action, method: (attributes.method ?? "get").toLowerCase(), controls: [], buttons: [] };
  for (const element of walk(node)) {
    const own = attributesOf(element);
    if (element.nodeName === "button" || (element.nodeName === "input" && own.type === "submit")) {
      form.buttons.push({ name: own.name, value: own.value ?? "", words: own.value && element.nodeName === "input" ? own.value : wordsOf(element) });
    } else if (element.nodeName === "input") {
      const type = own.type ?? "text";
      const boxed = type === "checkbox" || type === "radio";
      form.controls.push({ type, name: own.name, value: own.value ?? (boxed ? "on" : ""), ticked: "checked" in own, disabled: "disabled" in own });
    } else if (element.nodeName === "textarea") {
      form.controls.push({ type: "textarea", name: own.name, value: wordsOf(element), disabled: "disabled" in own });
    } else if (element.nodeName === "select") {
      form.controls.push({ type: "select", name: own.name, value: selectedOption(element), disabled: "disabled" in own });
    }
  }
  return form;
}

function selectedOption(select) {
  const options = [...walk(select)].filter((node) => node.nodeName === "option");
  const chosen = options.find((option) => "selected" in attributesOf(option)) ?? options[0];
  return chosen && (attributesOf(chosen).value ?? wordsOf(chosen));
}

function* walk(node) {
  for (const child of node.childNodes ?? []) {
    yield child;
    yield* walk(child);
  }
}

function attributesOf(node) {
  return Object.fromEntries((node.attrs ?? []).map(({ name, value }) => [name, value]));
}

function wordsOf(node) {
  return [...walk(node)].filter((child) => child.nodeName === "#text").map((child) => child.value).join("").trim();
}
