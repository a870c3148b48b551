// The functions that the options of variants name, with what a case sees of them:
// functions_test.go has the same ones for this library.

export function functions(site) {
  const tell = (what, data = {}) => site.events.push({ what, ...data });
  const mail = (kind) => async ({ user, newEmail, url, token }) => tell(`mail ${kind}`, { to: user.email, newEmail, url, token });
  return {
    "$mail reset": mail("reset"),
    "$mail verification": mail("verification"),
    "$mail confirmation": mail("confirmation"),
    "$mail deletion": mail("deletion"),

    // Hashing is not what most cases are about.
    "$hash": async (password) => `plain:${password}`,
    "$verify": async ({ hash, password }) => hash === `plain:${password}`,

    "$storage": storage(site.storage),

    // A tenant is trusted in requests to it.
    "$origins": async (request) => {
      const tenant = request?.headers.get("x-tenant");
      return tenant ? [`https://${tenant}.tenants.test`] : [];
    },
  };
}

// storage is a secondary storage in memory.
const storage = (entries) => ({
  get: async (key) => entries.get(key)?.value ?? null,
  set: async (key, value, ttl) => void entries.set(key, { value, ttl: ttl ?? 0 }),
  delete: async (key) => void entries.delete(key),
  getAndDelete: async (key) => {
    const value = entries.get(key)?.value ?? null;
    entries.delete(key);
    return value;
  },
  increment: async (key, ttl) => {
    const { value, ttl: first } = entries.get(key) ?? { value: "0", ttl };
    entries.set(key, { value: String(Number(value) + 1), ttl: first });
    return Number(value) + 1;
  },
});
