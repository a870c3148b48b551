// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_sessions_test.go has the same ones for this library.

// Signatures are checked one after the other: where several cookies are checked at
// once, the original sets others in the order in which that ends.
let queue = Promise.resolve();
for (const name of ["importKey", "verify"]) {
  const run = crypto.subtle[name].bind(crypto.subtle);
  crypto.subtle[name] = (...args) => {
    const done = queue.then(() => run(...args));
    queue = done.catch(() => {});
    return done;
  };
}

export function functions(site) {
  return {
    // A token that a case can guess.
    "$ott": async ({ session, user }) => {
      site.events.push({ what: "one-time token", email: user.email, token: session.token });
      return `${user.name}-`.repeat(3);
    },

    "$reversed": async (text) => [...text].reverse().join(""),
  };
}
