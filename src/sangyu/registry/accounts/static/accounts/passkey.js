// Passkeys: asks the server for options, the browser for a credential, and posts the answer back. No inline code (CSP).
(() => {
  "use strict";
  const root = document.querySelector("[data-passkey]");
  if (!root || !window.PublicKeyCredential) return;
  const say = document.getElementById("passkey-say");
  const button = root.querySelector("[data-passkey-go]");
  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (list) => (list || []).map((c) => ({ ...c, id: toBytes(c.id) }));

  async function ask(url, body) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), Accept: "application/json" },
      body: JSON.stringify(body || {}),
    });
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(found.message || root.dataset.failed);
    return found;
  }

  async function create() {
    const label = document.getElementById("passkey-label").value;
    const { publicKey } = await ask(root.dataset.options);
    publicKey.challenge = toBytes(publicKey.challenge);
    publicKey.user.id = toBytes(publicKey.user.id);
    publicKey.excludeCredentials = listed(publicKey.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey });
    return {
      label,
      credential: {
        id: made.id,
        rawId: toText(made.rawId),
        type: made.type,
        response: {
          clientDataJSON: toText(made.response.clientDataJSON),
          attestationObject: toText(made.response.attestationObject),
        },
      },
    };
  }

  async function get() {
    const { publicKey } = await ask(root.dataset.options);
    publicKey.challenge = toBytes(publicKey.challenge);
    publicKey.allowCredentials = listed(publicKey.allowCredentials);
    const found = await navigator.credentials.get({ publicKey });
    const handle = found.response.userHandle;
    return {
      next: root.dataset.next,
      credential: {
        id: found.id,
        rawId: toText(found.rawId),
        type: found.type,
        response: {
          clientDataJSON: toText(found.response.clientDataJSON),
          authenticatorData: toText(found.response.authenticatorData),
          signature: toText(found.response.signature),
          userHandle: handle ? toText(handle) : null,
        },
      },
    };
  }

  function failed(error) {
    say.textContent = error.name === "NotAllowedError" || error.name === "AbortError" ? root.dataset.cancelled
      : error.name === "InvalidStateError" ? root.dataset.known : error.message;
    say.hidden = false;
    button.disabled = false;
    say.focus();
  }

  root.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    say.hidden = true;
    try {
      const body = root.dataset.passkey === "create" ? await create() : await get();
      const { next } = await ask(root.dataset.answer, body);
      window.location.assign(next);
    } catch (error) {
      failed(error);
    }
  });
})();
