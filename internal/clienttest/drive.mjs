// Drives servers with the official clients, step by step, and prints one JSON
// line for each step: {"step":…} when it passed, {"step":…,"error":…} when it
// did not. Steps build on each other: look at the first that failed first.
//
//   arguments    the themes, theme_*.mjs, one after the other
//   PLAIN_URL    origin of a server below /api/auth
//   STRICT_URL   origin of one below /auth that sends a mail before it believes
//                anything; the themes "everywhere" and "complete" do without
//   PLUGINS_URL  origin of one below /api/auth that has all plugins; only their
//                themes need it
//   PROVIDER_URL issuer of the OpenID provider that both know as "op"; only the
//                theme "social" needs it
//
// A server answers at /outbox with the mails that it has sent, as a JSON array
// of {kind, to, url, token}, where a token may be a code; the theme "everywhere"
// does without.

import { Browser } from "./browser.mjs";

const { PLAIN_URL: plain, STRICT_URL: strict, PLUGINS_URL: plugins, PROVIDER_URL: provider } = process.env;

// The state that steps share.
const scene = {
  origin: plain,
  strict,
  plugins,
  provider,
  email: `ada.${Date.now()}@example.com`,
  password: "correct horse battery",
  newBrowser: (origin = plain) => new Browser(origin),

  mails: async (origin = plain) => (await fetch(`${origin}/outbox`)).json(),

  // mail returns the newest mail of a kind to an address.
  async mail(kind, to, origin = plain) {
    const mails = await scene.mails(origin);
    const mail = mails.findLast((m) => m.kind === kind && m.to === to);
    if (!mail) throw new Error(`no ${kind} mail to ${to}; the outbox has ${JSON.stringify(mails)}`);
    return mail;
  },
};

async function run(step, work) {
  try {
    await work(scene);
    console.log(JSON.stringify({ step }));
  } catch (error) {
    console.log(JSON.stringify({ step, error: error.stack ?? String(error) }));
    process.exitCode = 1;
  }
}

for (const theme of process.argv.slice(2)) {
  const { steps } = await import(`./theme_${theme}.mjs`);
  for (const [step, work] of steps) await run(step, work);
}
process.exit(); // the client's timers would keep the process
