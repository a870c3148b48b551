package conformancetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// jwtPluginVariants are about tokens that public keys verify.
var jwtPluginVariants = []*variant{
	jwtVariant("jwt", object{}, &auth.JWT{}),
	jwtVariant("jwt-es256", jwtAlg("ES256"), &auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "ES256"}}),
	jwtVariant("jwt-es512", jwtAlg("ES512"), &auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "ES512"}}),
	jwtVariant("jwt-ps256", jwtAlg("PS256"), &auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "PS256"}}),
	jwtVariant("jwt-rs256", object{"jwks": object{"keyPairConfig": object{"alg": "RS256", "modulusLength": 3072}}},
		&auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "RS256", RSABits: 3072}}),
	jwtVariant("jwt-eddsa", object{"jwks": object{"keyPairConfig": object{"alg": "EdDSA", "crv": "Ed25519"}, "keyPairConfigs": []object{{"alg": "ES256"}}}},
		&auth.JWT{KeyPair: auth.JWTKeyPair{Algorithm: "EdDSA"}, MoreKeyPairs: []auth.JWTKeyPair{{Algorithm: "ES256"}}}),
	jwtVariant("jwt-plain", object{"jwks": object{"disablePrivateKeyEncryption": true}}, &auth.JWT{PlainPrivateKeys: true}),
	jwtVariant("jwt-rotation", object{"jwks": object{"rotationInterval": 3600, "gracePeriod": 7200}},
		&auth.JWT{RotationInterval: time.Hour, GracePeriod: 2 * time.Hour}),
	jwtVariant("jwt-no-grace", object{"jwks": object{"rotationInterval": 3600, "gracePeriod": 0}},
		&auth.JWT{RotationInterval: time.Hour, NoGracePeriod: true}),
	jwtVariant("jwt-path", object{"jwks": object{"jwksPath": "/.well-known/jwks.json"}}, &auth.JWT{KeysPath: "/.well-known/jwks.json"}),
	jwtVariant("jwt-remote", object{"jwks": object{"remoteUrl": "https://cdn.test/jwks", "keyPairConfig": object{"alg": "ES256"}}},
		&auth.JWT{RemoteKeysURL: "https://cdn.test/jwks", KeyPair: auth.JWTKeyPair{Algorithm: "ES256"}}),
	jwtVariant("jwt-claims", object{"jwt": object{"issuer": "https://me.test", "audience": []string{"a", "b"}, "expirationTime": "2 hours"}},
		&auth.JWT{Claims: auth.JWTClaims{Issuer: "https://me.test", Audience: []string{"a", "b"}, ExpiresIn: 2 * time.Hour}}),
	jwtVariant("jwt-audience", object{"jwt": object{"audience": "a"}}, &auth.JWT{Claims: auth.JWTClaims{Audience: []string{"a"}}}),
	jwtVariant("jwt-audience-list", object{"jwt": object{"audience": []string{"a"}}}, &auth.JWT{Claims: auth.JWTClaims{Audience: []string{"a"}}}),
	jwtVariant("jwt-absolute", object{"jwt": object{"expirationTime": 4102444800}}, &auth.JWT{Claims: auth.JWTClaims{ExpiresAt: time.Unix(4102444800, 0)}}),
	jwtVariant("jwt-expired", object{"jwt": object{"expirationTime": "1 minute ago"}}, &auth.JWT{Claims: auth.JWTClaims{ExpiresIn: -time.Minute}}),
	jwtVariant("jwt-no-header", object{"disableSettingJwtHeader": true}, &auth.JWT{NoHeader: true}),
	jwtVariant("jwt-nothing", object{"jwt": object{"definePayload": "$jwt nothing"}}, &auth.JWT{
		DefinePayload: func(context.Context, *auth.SessionData) (any, error) { return nil, nil },
	}),
	jwtVariant("jwt-payload-claims", object{"jwt": object{"definePayload": "$jwt claims"}}, &auth.JWT{DefinePayload: jwtOwnClaims}),
	jwtVariant("jwt-odd", object{"jwt": object{"definePayload": "$jwt odd"}}, &auth.JWT{
		DefinePayload: func(_ context.Context, data *auth.SessionData) (any, error) {
			if data.User.Name == "Me" {
				return object{"iss": 5}, nil
			}
			return object{strings.ToLower(data.User.Name): 5}, nil
		},
	}),
	jwtEnd("failed"),
	jwtEnd("refused"),
	jwtTold("jwt-payload", object{"jwt": object{"definePayload": "$jwt payload", "getSubject": "$jwt subject"}}, (*ours).jwtPayload),
	jwtTold("jwt-sign", object{
		"jwks": object{"remoteUrl": "https://cdn.test/jwks", "keyPairConfig": object{"alg": "ES256"}}, "jwt": object{"sign": "$jwt sign"},
	}, (*ours).jwtSign),
	jwtTold("jwt-storage", object{
		"adapter": object{"getJwks": "$jwt find", "createJwk": "$jwt create"}, "jwks": object{"rotationInterval": 3600},
	}, (*ours).jwtStorage),
	jwtIn("jwt-cookie", object{"sessionCookieCache": true}, object{"session": object{"cookieCache": object{"enabled": true, "strategy": "jwt"}}},
		&auth.JWT{SessionCookieCache: true}, func(c *auth.Config) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: auth.CacheJWT}
		}),
	jwtIn("jwt-base-path", object{}, object{"baseURL": "https://auth.test/account/api"}, &auth.JWT{}, func(c *auth.Config) {
		c.BaseURL = "https://auth.test/account/api"
	}),
	jwtIn("jwt-uuid", object{}, object{"advanced": object{"database": object{"generateId": "uuid"}}}, &auth.JWT{}, func(c *auth.Config) { c.IDs = auth.IDUUID }),
	jwtIn("jwt-serial", object{}, object{"advanced": object{"database": object{"generateId": "serial"}}}, &auth.JWT{}, func(c *auth.Config) { c.IDs = auth.IDSerial }),
	jwtIn("jwt-hidden", object{}, object{"user": object{"additionalFields": object{
		"plan": object{"type": "string", "required": false}, "note": object{"type": "string", "required": false, "returned": false},
	}}}, &auth.JWT{}, func(c *auth.Config) {
		c.User.Fields = []auth.Column{
			{Name: "plan", Type: auth.TypeString, Nullable: true, Optional: true}, {Name: "note", Type: auth.TypeString, Nullable: true, Optional: true, Hidden: true},
		}
	}),
	jwtSecrets(),
	jwtRenamed(),
	withPlugins("jwt-behind-bearer", bearer, jwtPlain),
	withPlugins("jwt-before-bearer", jwtPlain, bearer),
	withPlugins("jwt-cache", jwtPlain).with(cookieCache("", auth.CacheCompact)),
	withPlugins("jwt-secondary", jwtPlain).with(secondary("", object{}, func(*auth.Config) {})),
	withPlugins("jwt-refresh", jwtPlain).with(alwaysRefreshed),
	withPlugins("jwt-deferred", jwtPlain).with(&variant{
		options: object{"session": object{"deferSessionRefresh": true}},
		config:  func(c *auth.Config, _ *ours) { c.Session.DeferRefresh = true },
	}),
	jwtDynamic("jwt-dynamic", object{}, &auth.JWT{}),
	jwtDynamic("jwt-cookie-dynamic", object{"sessionCookieCache": true}, &auth.JWT{SessionCookieCache: true}),
}

// jwtPlain is the plugin without options.
var jwtPlain = plugged{"jwt", object{}, func(*ours) auth.Plugin { return &auth.JWT{} }}

// jwtDynamic finds its base URL in requests.
func jwtDynamic(name string, options object, p *auth.JWT) *variant {
	v := jwtIn(name, options, object{
		"baseURL": object{"allowedHosts": []string{"*.auth.test", "other.test"}, "protocol": "https"},
		"session": object{"cookieCache": object{"enabled": true, "strategy": "jwt"}},
	}, p, func(c *auth.Config) {
		c.BaseURL, c.DynamicBaseURL = "", auth.DynamicBaseURL{AllowedHosts: []string{"*.auth.test", "other.test"}, Protocol: "https"}
		c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: auth.CacheJWT}
	})
	v.site = "https://a.auth.test"
	return v
}

func jwtAlg(alg string) object { return object{"jwks": object{"keyPairConfig": object{"alg": alg}}} }

// jwtVariant has the plugin with nothing beside it.
func jwtVariant(name string, options object, p *auth.JWT) *variant {
	return jwtIn(name, options, object{}, p, func(*auth.Config) {})
}

// jwtIn has the plugin in a configuration. Each instance gets a plugin of its own.
func jwtIn(name string, options, more object, p *auth.JWT, config func(*auth.Config)) *variant {
	return &variant{
		name:    name,
		options: merge(object{"plugins": [][]any{{"jwt", options}}}, more),
		config: func(c *auth.Config, _ *ours) {
			c.Plugins = []auth.Plugin{jwtPlugin(p)}
			config(c)
		},
	}
}

// jwtPlugin is a new plugin with the options of another.
func jwtPlugin(p *auth.JWT) *auth.JWT {
	return &auth.JWT{
		KeyPair: p.KeyPair, MoreKeyPairs: p.MoreKeyPairs, RotationInterval: p.RotationInterval, GracePeriod: p.GracePeriod, NoGracePeriod: p.NoGracePeriod,
		PlainPrivateKeys: p.PlainPrivateKeys, KeysPath: p.KeysPath, RemoteKeysURL: p.RemoteKeysURL, Claims: p.Claims,
		DefinePayload: p.DefinePayload, GetSubject: p.GetSubject, Sign: p.Sign, NoHeader: p.NoHeader, SessionCookieCache: p.SessionCookieCache,
		FindKeys: p.FindKeys, CreateKey: p.CreateKey,
	}
}

// jwtTold has functions that record what they get.
func jwtTold(name string, options object, plugin func(*ours) *auth.JWT) *variant {
	return &variant{
		name:    name,
		options: object{"plugins": [][]any{{"jwt", options}}},
		config:  func(c *auth.Config, o *ours) { c.Plugins = []auth.Plugin{plugin(o)} },
	}
}

// jwtEnd has a payload that comes to an end.
func jwtEnd(end string) *variant {
	return jwtVariant("jwt-"+end, object{"jwt": object{"definePayload": "$jwt " + end}}, &auth.JWT{
		DefinePayload: func(context.Context, *auth.SessionData) (any, error) { return nil, ends[end] },
	})
}

func (o *ours) jwtPayload() *auth.JWT {
	return &auth.JWT{
		DefinePayload: func(_ context.Context, data *auth.SessionData) (any, error) {
			o.tell("payload", "email", data.User.Email, "user", data.Session.UserID)
			return struct {
				Email   string `json:"email"`
				Role    string `json:"role"`
				Own     bool   `json:"own"`
				Subject string `json:"sub"`
			}{data.User.Email, "<admin> & co", data.Session.UserID == data.User.ID, "replaced"}, nil
		},
		GetSubject: func(_ context.Context, data *auth.SessionData) (string, error) {
			return "subject of " + data.User.Name, nil
		},
	}
}

// jwtOwnClaims replaces what can be replaced.
func jwtOwnClaims(_ context.Context, data *auth.SessionData) (any, error) {
	return struct {
		Issuer    string    `json:"iss"`
		Audience  []string  `json:"aud"`
		ExpiresAt string    `json:"exp"`
		NotBefore time.Time `json:"nbf"`
		IssuedAt  int       `json:"iat"`
		ID        string    `json:"jti"`
		Subject   string    `json:"sub"`
		Name      string    `json:"name"`
	}{"https://issuer.test", []string{"a", "b"}, "2h", time.Unix(946684800, 0), 946684800, "j1", "x", data.User.Name}, nil
}

func (o *ours) jwtSign() *auth.JWT {
	return &auth.JWT{
		RemoteKeysURL: "https://cdn.test/jwks", KeyPair: auth.JWTKeyPair{Algorithm: "ES256"},
		Sign: func(_ context.Context, claims []byte, signing auth.JWTSigning) (string, error) {
			var payload object
			if err := json.Unmarshal(claims, &payload); err != nil {
				return "", err
			}
			o.tell("sign", "payload", payload, "header", signing.Type, "algorithm", signing.Algorithm, "key", signing.KeyID)
			return "signed elsewhere", nil
		},
	}
}

// jwtStorage keeps keys in memory.
func (o *ours) jwtStorage() *auth.JWT {
	var keys []*auth.JWTKey
	return &auth.JWT{
		RotationInterval: time.Hour,
		FindKeys: func(context.Context) ([]*auth.JWTKey, error) {
			o.tell("find")
			return keys, nil
		},
		CreateKey: func(_ context.Context, key *auth.JWTKey) error {
			o.tell("create", "alg", *key.Alg, "crv", *key.Crv, "expires", key.ExpiresAt != nil)
			var id [16]byte
			rand.Read(id[:])
			key.ID = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
			keys = append(keys, key)
			return nil
		},
	}
}

// jwtSecrets has a secret that took over from another.
func jwtSecrets() *variant {
	v := jwtIn("jwt-secrets", object{}, object{"secrets": []object{{"version": 2, "value": newSecret}, {"version": 1, "value": secret}}}, &auth.JWT{}, func(c *auth.Config) {
		c.Secrets = []auth.Secret{{Version: 2, Value: newSecret}, {Version: 1, Value: secret}}
	})
	v.secrets = []string{newSecret}
	return v
}

// jwtRenamed has the table under another name.
func jwtRenamed() *variant {
	v := jwtVariant("jwt-renamed", object{"schema": object{"jwks": object{"modelName": "signing_keys", "fields": object{"publicKey": "public_key"}}}}, &auth.JWT{})
	v.naming = []auth.Naming{auth.Rename(map[string]string{"jwks": "signing_keys", "jwks.publicKey": "public_key"})}
	return v
}
