// The secret of the member code, kept by this browser as a key that signs and that no script can read out. The wallet
// imports this when a screen wants the code (src/browser/code_key.rs), so a first visit does not pay for it.

const DATABASE = "loyalty-wallet";
const STORE = "code-key";

// One record under one name; the connection is closed each time, so that signing out can delete the database at once.
const run = (mode, ask) =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const end = (settle) => () => {
        database.close();
        settle();
      };
      const kept = ask(transaction.objectStore(STORE));
      transaction.oncomplete = end(() => resolve(kept.result));
      transaction.onabort = end(() => reject(transaction.error));
    };
  });

// The record, or undefined. Fails where a browser lacks WebCrypto (plain http) or IndexedDB.
export async function read() {
  if (!crypto.subtle) throw new Error("This page has no WebCrypto.");
  return run("readonly", (store) => store.get(STORE));
}

// Turns a secret (base64url) into a key and keeps it with what is known of it. The server ends the older of two keys
// that one session asked for, so of two windows that ask at once the newer wins, whichever writes last.
export async function keep(secret, about) {
  const text = atob(secret.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const made = { ...about, key };
  await run("readwrite", (store) => {
    const known = store.get(STORE);
    known.onsuccess = () => {
      const isNewer = known.result?.member_number === made.member_number && known.result.made_at > made.made_at;
      if (!isNewer) store.put(made, STORE);
    };
    return known;
  });
  return read();
}

// The bytes that the key makes of a message, both as plain arrays.
export async function sign(key, message) {
  return [...new Uint8Array(await crypto.subtle.sign("HMAC", key, Uint8Array.from(message)))];
}
