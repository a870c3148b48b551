// Keys of a provider and tokens that it signs, or that somebody forges.

import { createHmac, generateKeyPairSync, constants, sign } from "node:crypto";

const kinds = {
  RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

// The algorithms of RFC 7518 and RFC 8037 that sign with a private key.
export const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const kindOf = (alg) => (/^[RP]S/.test(alg) ? "RSA" : alg);

// newPairs makes the keys for all algorithms, each pair when it is first needed.
export function newPairs() {
  const pairs = new Map();
  return (alg) => {
    const kind = kindOf(alg);
    if (!pairs.has(kind)) pairs.set(kind, kinds[kind]());
    return pairs.get(kind);
  };
}

// keyFor makes the key for an algorithm of a pair.
export function keyFor(alg, kid, { privateKey, publicKey }) {
  const jwk = (key) => ({ ...key.export({ format: "jwk" }), alg, kid, use: "sig" });
  return { alg, kid, privateKey, publicKey, jwk: jwk(publicKey), privateJwk: jwk(privateKey) };
}

function signature(input, alg, key) {
  const hash = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const options = { key, dsaEncoding: "ieee-p1363" };
  if (alg.startsWith("PS")) Object.assign(options, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  return sign(hash, Buffer.from(input), options);
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

// The ways to forge: what stands in the header and what signs it.
const forgeries = {
  none: { header: { alg: "none" }, sign: () => Buffer.alloc(0) },
  unsigned: { sign: () => Buffer.alloc(0) },
  stranger: { sign: (input, key) => signature(input, key.alg, newPairs()(key.alg).privateKey) },
  broken: {
    sign(input, key) {
      const bytes = signature(input, key.alg, key.privateKey);
      bytes[bytes.length >> 1] ^= 1;
      return bytes;
    },
  },
  // The public key as a shared secret.
  hmac: {
    header: { alg: "HS256" },
    sign: (input, key) => createHmac("sha256", key.publicKey.export({ type: "spki", format: "pem" })).update(input).digest(),
  },
  // A key that comes with the token.
  embedded: {
    sign: (input, key, own) => signature(input, key.alg, own.privateKey),
    header: (key, own) => ({ jwk: own.jwk, kid: undefined }),
  },
};

// makeToken signs claims as a compact JWS. header has what differs from the usual
// one; null leaves a member out.
export function makeToken(claims, key, { header, forgery } = {}) {
  const forge = forgeries[forgery] ?? { sign: (input) => signature(input, key.alg, key.privateKey) };
  const own = forgery === "embedded" ? keyFor(key.alg, undefined, newPairs()(key.alg)) : undefined;
  const usual = { alg: key.alg, typ: "JWT", kid: key.kid };
  const forged = typeof forge.header === "function" ? forge.header(key, own) : forge.header;
  const input = `${encode(merge({ ...usual, ...forged }, header))}.${encode(claims)}`;
  return `${input}.${forge.sign(input, key, own).toString("base64url")}`;
}

// merge replaces members; null takes them away.
export function merge(object, changes) {
  const merged = { ...object, ...changes };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined));
}
