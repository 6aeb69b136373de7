// A certificate for a server on loopback, made for one test.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../scripts/lib/folders.mjs";

/**
 * Makes a key and a certificate for `localhost`.
 *
 * @returns {{key: Buffer, cert: Buffer, file: string}} both in PEM; `file` holds the certificate, for NODE_EXTRA_CA_CERTS
 */
export function makeCertificate() {
  const folder = temporaryFolder("certificate");
  const [key, file] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", file], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(file), file };
}
