// @ts-check
// The page in place of the page, while the token is not there: `locked.html` is served with status 401.

import { tokenIn } from "./core/token.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));

// What did not fit may be nearly a secret, or that of another server: it need not stand in the address.
const above = location.pathname.replace(/\/t\/[^/]+\/?$/, "/");
if (new URLSearchParams(location.search).has("token") || above !== location.pathname) {
  history.replaceState(null, "", above);
  document.querySelector("[role=alert]")?.removeAttribute("hidden");
}

form.addEventListener("submit", (event) => {
  event.preventDefault(); // a form may send nothing anywhere, says the policy
  location.replace(`?token=${encodeURIComponent(tokenIn(String(new FormData(form).get("token"))))}`);
});
