// Gives the client the window, the document and the storage of a page. Whatever
// looks for them when it is loaded, such as react-dom, must be imported later.

import { Window } from "happy-dom";

// A navigation changes the address and loads nothing.
export const page = new Window({
  url: `${process.env.PLAIN_URL}/`,
  settings: { navigation: { disableMainFrameNavigation: true } },
});

const { document, localStorage, navigator } = page;
for (const [name, value] of Object.entries({ window: page, document, localStorage, navigator })) {
  Object.defineProperty(globalThis, name, { value }); // newer versions of node have some that cannot be assigned
}

// become tells the page that its tab is looked at, online or offline.
export function become(what) {
  if (what === "visible") page.document.dispatchEvent(new page.Event("visibilitychange"));
  else page.dispatchEvent(new page.Event(what));
}

// otherTabWrote does what a browser does when another tab has written into the
// storage that they share.
export function otherTabWrote(key, newValue) {
  page.dispatchEvent(new page.StorageEvent("storage", { key, newValue }));
}
