/** What is loaded when it is needed: each by its path below `web`. */
export interface Later {
  /** Served beside `web`. */
  "../player.js": typeof import("../player.js");
  "app/busy.js": typeof import("../app/busy.js");
  "app/capture.js": typeof import("../app/capture.js");
  "app/charts.js": typeof import("../app/charts.js");
  "app/failed.js": typeof import("../app/failed.js");
  "app/gamepad.js": typeof import("../app/gamepad.js");
  "app/preview.js": typeof import("../app/preview.js");
  "app/room.js": typeof import("../app/room.js");
  "app/share.js": typeof import("../app/share.js");
  "app/tokenfield.js": typeof import("../app/tokenfield.js");
  "app/waterfall.js": typeof import("../app/waterfall.js");
  "core/causes.js": typeof import("./causes.js");
  "core/noway.js": typeof import("./noway.js");
  "core/token.js": typeof import("./token.js");
}
