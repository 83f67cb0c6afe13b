// The page at `/`: one player, all of it.

import { View } from "./view.js";

const base = new URL(".", location.href).pathname.replace(/\/$/, ""); // a proxy may serve us below a path of its own

new View({ root: document.body, host: document.documentElement, base, page: true });
