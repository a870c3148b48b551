// Drives a server with the official client, step by step, and prints one JSON
// line for each step: {"step":…} when it passed, {"step":…,"error":…} for the
// one that did not, after which it ends.
//
//   AUTH_URL    origin of the server
//   OUTBOX_URL  answers with the mails that were sent, as a JSON array of
//               {kind, to, url, token}; without it the steps are those that
//               every server with e-mail and password must pass, few enough
//               for the default rate limit

import { Browser } from "./browser.mjs";
import { complete } from "./steps_complete.mjs";
import { everywhere } from "./steps_everywhere.mjs";

const origin = process.env.AUTH_URL;
const outbox = process.env.OUTBOX_URL;

// The state that steps share.
const scene = {
  origin,
  email: `ada.${Date.now()}@example.com`,
  password: "correct horse battery",
  newBrowser: () => new Browser(origin),

  // mail returns the newest mail of a kind to an address.
  async mail(kind, to) {
    const mails = await (await fetch(outbox)).json();
    const mail = mails.findLast((m) => m.kind === kind && m.to === to);
    if (!mail) throw new Error(`no ${kind} mail to ${to}; the outbox has ${JSON.stringify(mails)}`);
    return mail;
  },
};

for (const [step, run] of [...everywhere, ...(outbox ? complete : [])]) {
  try {
    await run(scene);
  } catch (error) {
    console.log(JSON.stringify({ step, error: error.stack ?? String(error) }));
    process.exit(1);
  }
  console.log(JSON.stringify({ step }));
}
process.exit(0); // the client's timers would keep the process
