// Passkeys: the only script of these pages. It asks the browser for what a form of the page describes, puts the answer into
// the form's fields, and sends it like any other form.
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function create({ challenge, party, user, email, name, known }) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: toBytes(challenge),
      rp: { id: party, name: "Postern" },
      user: { id: new TextEncoder().encode(user), name: email, displayName: name },
      pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
      attestation: "none",
      excludeCredentials: known.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: toBytes(id) })),
    },
  });
  return {
    client_data: toText(made.response.clientDataJSON),
    authenticator_data: toText(made.response.getAuthenticatorData()),
  };
}

async function get({ challenge, party }) {
  const used = await navigator.credentials.get({
    publicKey: { challenge: toBytes(challenge), rpId: party, userVerification: "required" },
  });
  return {
    credential_id: toText(used.rawId),
    user_handle: toText(used.response.userHandle ?? new ArrayBuffer(0)),
    client_data: toText(used.response.clientDataJSON),
    authenticator_data: toText(used.response.authenticatorData),
    signature: toText(used.response.signature),
  };
}

const ceremonies = { create, get };

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const problem = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      const answer = await ceremonies[form.dataset.passkey](form.dataset);
      for (const [name, value] of Object.entries(answer)) form.elements[name].value = value;
      form.submit();
    } catch (cause) {
      problem.textContent =
        cause.name === "InvalidStateError"
          ? "This device holds a passkey of yours already."
          : "Nothing was done. Try again, or use another way.";
    }
  });
}
