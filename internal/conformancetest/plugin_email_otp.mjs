// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_email_otp_test.go has the same ones for this library.

export function functions(site) {
  const tell = (what, data) => site.events.push({ what, ...data });
  let made = 100000;
  const spelt = (otp) => [...otp].reverse().join("");
  return {
    // Codes are counted, so that both sides have the same ones.
    "$otp codes": () => String(++made),
    "$otp codes of words": ({ email, type }) => {
      tell("generates", { email, type });
      return email.startsWith("random") ? "" : `${type}:${email.split("@")[0]}`;
    },

    "$otp mail": async ({ email, otp, type }) => tell("mail otp", { to: email, otp, type }),
    "$otp random mail": async ({ email, otp, type }) => tell("mail otp", { to: email, random: otp, length: otp.length, type }),
    "$otp failing mail": async ({ email, otp, type }) => {
      tell("fails to mail", { to: email, otp, type });
      throw new Error("it failed");
    },

    "$otp hash": async (otp) => `#${otp}#`,
    "$otp encrypt": async (otp) => `${spelt(otp)}:turned`,
    "$otp decrypt": async (stored) => spelt(stored.slice(0, stored.indexOf(":"))),
  };
}
