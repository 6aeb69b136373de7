// The operator's door of a running worker, local or deployed: signed calls to POST /operator.

import { createHmac, hkdfSync, randomUUID } from "node:crypto";

/** What the worker refused, or what it could not be asked: `code`, a sentence, and what to do about it. */
export class OperatorError extends Error {
  constructor({ code, message, hint }) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/**
 * A token that the worker accepts for one minute: a JWT (HS256) under the operator's key, which is derived from the
 * current root key.
 *
 * @param {{current: string, keys: Record<string, string>}} keys the content of POSTERN_KEYS
 * @param {string} origin the deployment's public origin, the token's audience
 */
export function operatorToken(keys, origin, now = Math.floor(Date.now() / 1000)) {
  const root = Buffer.from(keys.keys[keys.current], "base64url");
  const key = Buffer.from(hkdfSync("sha256", root, "", "postern/operator/v1", 32));
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = encode({ alg: "HS256", typ: "JWT", kid: keys.current });
  const claims = encode({ aud: origin, iat: now, exp: now + 60, jti: randomUUID() });
  const signature = createHmac("sha256", key).update(`${head}.${claims}`).digest("base64url");
  return `${head}.${claims}.${signature}`;
}

/** The shell of one deployment's operator. */
export class Operator {
  constructor({ origin, keys }) {
    this.origin = origin;
    this.keys = keys;
  }

  /**
   * Runs a command and gives the answer's text.
   *
   * @throws {OperatorError} when the worker refuses or cannot be reached
   */
  async text(command, fields = {}) {
    const answer = await this.#post({ command, ...fields });
    const body = await answer.text();
    if (answer.ok) return body;
    throw new OperatorError(refusal(answer.status, body));
  }

  /** Runs a command and gives its answer, parsed. */
  async call(command, fields) {
    return JSON.parse(await this.text(command, fields));
  }

  async #post(body) {
    try {
      return await fetch(`${this.origin}/operator`, {
        method: "POST",
        redirect: "manual",
        headers: {
          authorization: `Bearer ${operatorToken(this.keys, this.origin)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify(body),
      });
    } catch (cause) {
      throw new OperatorError({
        code: "unreachable",
        message: `nothing answers at ${this.origin} (${cause.cause?.code ?? cause.message})`,
        hint: "start it with scripts/dev, or name the right --port or --origin",
      });
    }
  }
}

function refusal(status, body) {
  try {
    const { code, message, hint } = JSON.parse(body);
    if (code && message) return { code, message, hint };
  } catch {
    // Not the worker's own answer; said below.
  }
  return { code: `http_${status}`, message: `the answer was ${status} ${body.slice(0, 200)}`, hint: "is this a Postern worker?" };
}
