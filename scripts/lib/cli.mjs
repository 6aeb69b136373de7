// What the doors written for Node have in common: options, and how trouble is told.

import { parseArgs } from "node:util";
import { Trouble } from "./worker.mjs";

/**
 * Reads a command line.
 *
 * @param {string} usage printed for --help
 * @param {import("node:util").ParseArgsConfig["options"]} options
 * @param {boolean} [allowPositionals]
 */
export function readOptions(usage, options, allowPositionals = false) {
  try {
    const read = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } }, allowPositionals });
    if (read.values.help) {
      console.log(usage);
      process.exit(0);
    }
    return read;
  } catch (cause) {
    throw new Trouble(cause.message, usage);
  }
}

/** A port number from the command line. */
export function readPort(text, otherwise) {
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Trouble(`${text} is not a port`, "--port takes 1 to 65535");
  return port;
}

/** Runs a door: whatever goes wrong is told in a sentence with its hint, and the exit status is 1. */
export async function run(main) {
  try {
    await main();
  } catch (cause) {
    console.error(`error: ${cause.message}`);
    if (cause.hint) console.error(`       ${cause.hint}`);
    else if (!cause.code && process.env.POSTERN_TRACE) console.error(cause.stack);
    process.exitCode = 1;
  }
}
