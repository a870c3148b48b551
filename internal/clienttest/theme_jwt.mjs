// The plugin jwt: tokens that other services believe without asking.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { jwtClient } from "better-auth/client/plugins";
import { must, mustFail, newUser, openPlugins, signIn } from "./scene.mjs";

const device = (scene) => openPlugins(scene, [jwtClient()]);

// open checks a token against a key set and returns its header and claims.
function open(token, { keys }) {
  const [header, claims, signature] = token.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const { kid, alg, ...rest } = read(header);
  assert.deepEqual([alg, rest], ["EdDSA", {}]);
  const key = keys.find((key) => key.kid === kid);
  assert.ok(key, `no key ${kid} in ${JSON.stringify(keys)}`);
  assert.ok(verify(null, Buffer.from(`${header}.${claims}`), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url")));
  return read(claims);
}

export const steps = [
  ["JWT: the keys", async (scene) => {
    scene.keys = await must(device(scene).client.jwks());
    assert.deepEqual(Object.keys(scene.keys), ["keys"]);
    const [{ kid, x, ...rest }, ...more] = scene.keys.keys;
    assert.deepEqual([rest, more], [{ alg: "EdDSA", crv: "Ed25519", kty: "OKP" }, []]);
    assert.ok(kid && x);
    assert.deepEqual(await must(device(scene).client.jwks()), scene.keys, "they stay");
  }],

  ["JWT: a token", async (scene) => {
    scene.home = device(scene);
    const { email, password, user } = await newUser(scene.home);
    Object.assign(scene, { email, password });
    const { token, ...rest } = await must(scene.home.client.token());
    assert.deepEqual(rest, {});
    const { iat, exp, ...claims } = open(token, scene.keys);
    assert.ok(Math.abs(iat - Date.now() / 1000) < 60);
    assert.equal(exp - iat, 15 * 60);
    assert.deepEqual(claims, {
      ...JSON.parse(JSON.stringify(user)), sub: user.id, iss: scene.plugins, aud: scene.plugins,
    });
    await mustFail(device(scene).client.token(), 401, "UNAUTHORIZED", "Unauthorized");
  }],

  ["JWT: one with every session that is read", async (scene) => {
    let header, exposed;
    const onSuccess = ({ response }) => {
      header = response.headers.get("set-auth-jwt");
      exposed = response.headers.get("access-control-expose-headers");
    };
    const { user } = await must(scene.home.client.getSession({ fetchOptions: { onSuccess } }));
    assert.equal(open(header, scene.keys).sub, user.id);
    assert.match(exposed, /\bset-auth-jwt\b/);
    await must(device(scene).client.getSession({ fetchOptions: { onSuccess } }));
    assert.equal(header, null);
    await signIn({ ...scene }, scene.home, { fetchOptions: { onSuccess } });
    assert.equal(header, null, "not with other answers");
  }],
];
