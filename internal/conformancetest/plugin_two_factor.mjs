// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_two_factor_test.go has the same ones for this library.

export function functions(site) {
  const tell = (what, data) => site.events.push({ what, ...data });
  let made = 0;
  return {
    "$2fa mail": async ({ user, otp }) => tell("mail second factor", { to: user.email, random: otp, length: otp.length }),
    "$2fa failing mail": async ({ user, otp }) => {
      tell("fails to mail", { to: user.email, random: otp });
      throw new Error("it failed");
    },

    "$2fa hash": async (otp) => `#${otp}#`,
    "$2fa encrypt": async (otp) => `(${otp})`,
    "$2fa decrypt": async (stored) => stored.slice(1, -1),

    "$2fa codes": () => [`first-${++made}`, `second-${made}`],
    "$2fa encrypt codes": async (codes) => `<${codes}>`,
    "$2fa decrypt codes": async (stored) => stored.slice(1, -1),
  };
}
