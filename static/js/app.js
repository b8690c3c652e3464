// All behaviour of the pages; each module listens on the document, so fragments need no set-up.
import "./busy.js";
import "./copy.js";
import "./counters.js";
import "./dialogs.js";
import "./fill.js";
import "./keep.js";
import "./keys.js";
import "./menus.js";
import "./said.js";
import "./saves.js";
import "./selection.js";
import "./themes.js";
import "./toasts.js";
import "./uploads.js";
