// Package conformancetest compares this library with the npm package better-auth,
// exchange by exchange. Both are started with the same configuration (a variant),
// get the same requests and direct calls (a case, in testdata/*.txt), and must say
// the same: status, headers, cookies and their order, bodies to the byte, mails,
// and what they leave in the tables and in the secondary storage. What has to
// differ (ids, tokens, times, signatures) is checked and replaced by what it
// stands for; every other difference fails the test, unless the case names the
// row of docs/differences.md that explains it.
//
// # Cases
//
// A file of testdata has a case per "== title". The lines below it are steps,
// each by the browser whose name stands in front of it, or "me":
//
//	variants default https        the configurations of the case, or of all cases
//	                              of the file if it stands before the first one;
//	                              a glob such as cache-* stands for several, !https
//	                              takes one away, * for all common ones
//	join                          sign up as Me, me@example.com, "correct horse"
//	ann: POST /sign-out {}        a request, below the base path; the rest of
//	    Origin: https://evil.test the line is the body. Indented lines set
//	    -Content-Type             headers or remove those that are always there
//	GET ^/other                   a path from the root
//	GET $mail.url                 a link
//	ann: call getSession asResponse {"query":{}}
//	                              a direct call, with the browser's cookies if it
//	                              is named; also returnHeaders and returnStatus
//	flow op {"callbackURL":"/in"} a sign-in at a provider, with further members of
//	                              the body: the request that begins it, then the
//	                              callback as the provider makes it. link is the
//	                              same for an account that is linked
//	says user {"name":null}       changes what the provider says from now on, see
//	                              below
//	ann: drop session_data        removes a cookie, by the end of its name
//	ann: tamper session_token     changes a character of its value
//	ann: set NAME=VALUE           sets one
//	ann: copy bob                 takes the cookies of another browser
//	ann: age 10m                  makes the copy of the session older
//	sql UPDATE …                  runs on both databases
//	keep x = $last.token          names a value
//
// In a step, $last.a.0.b is a member of the last answer's JSON, $mail.url,
// $mail.token and $mail.to are of the newest mail, $x is what was kept, $token is
// the session's token in the browser's cookie, $cookie(NAME) a cookie's value and
// $base the base URL of the variant, $address(99) another address of the client,
// $jwt({…}) a JWT signed with the secret (numbers of iat and exp are seconds from
// now), $ed25519({…} {…}) one with a header and claims, signed with the key of RFC 8037,
// $forged({…} {…}) one that nobody has signed, $signed(v) a signed cookie's value, $signedBefore(v) one under the oldest
// secret, $lower(x) and $upper(x) the same text in other letters, $decoded(x) without
// percent-encoding, $base64url(x) a decoded signature in that form, $time(-1h) a time as in a table,
// $totp($uri,-1) what an app shows of a URI a step ago, $appSecret() a secret, $repeat(x,9) and $hex(00ff) make odd
// text.
//
// # Providers
//
// Each of the two servers has a provider of its own, which plays all providers of
// the variant. It lets everybody in as the same user, and every step lists the
// requests that it got, but for those of keys and metadata, which come when they
// like. What it says, a case can change:
//
//	says user {"email":null}      the user, in the profile and in id_tokens
//	says claims {"exp":-60}       an id_token; times are seconds from now
//	says header {"key":"other"}   its header; the key is somebody else's then
//	says token {"scope":"a b"}    the reply to a code
//	says refresh {…}              and to a refresh token
//	says discovery {…}            its metadata
//	says token 400 text/html no   status, type and body instead; also of userinfo
//	                              and keys; a redirect has its target as the type
//	says userinfo broken          breaks the connection
//	says token                    takes it back
//
// In a step, $state is that of the newest flow, $code a code for it, $providerURL
// where the provider is, $idToken(op {"nonce":"x"} {"alg":"none"}) an id_token of
// the provider op with changes of its claims and header, and $sealed(purpose,text)
// a text that is encrypted for a purpose, or for a token of an account if there is
// none; $sealedBefore does it under the oldest secret.
//
// An authorization URL is compared parameter by parameter and the state of a flow
// member by member, in no order: see words_oauth_test.go for what is checked and
// replaced.
//
// # Length
//
// A case that could run in many variants runs in one of the common ones, and in all that
// have few cases, so that a run takes some minutes. All in all of them:
//
//	go test -timeout 30m -run TestConformance ./internal/conformancetest -variants 0
//
// # Differences
//
// A difference that is wanted follows its step, with the lines of both sides, in
// which … stands for any text:
//
//	~ body size
//	- 200
//	+ 413
//
// After the tilde may stand the variants that it is limited to, in brackets.
package conformancetest
