// @ts-check
// The page at `/`: one player, all of it.

import { later } from "./core/later.js";
import { View } from "./app/view.js";

const base = new URL(".", location.href).pathname.replace(/\/$/, ""); // a proxy may serve us below a path of its own

// The server leads on from an address with a secret in it. Should one be here all the same, it need not stay.
history.replaceState(null, "", new URLSearchParams(location.search).has("token") ? location.pathname : undefined);

// A waiting room is in front of a fleet, and nowhere else.
const fleet = document.querySelector("meta[name=reactor-fleet]") && (await later("app/room.js"));
document.getElementById("unstarted")?.remove(); // what it says is not so: this runs
new View({ host: document.documentElement, base, page: true, Room: fleet?.Room }).open(document.body);
