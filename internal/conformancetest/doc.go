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
// now), $signed(v) a signed cookie's value, $signedBefore(v) one under the oldest
// secret, $time(-1h) a time as in a table, $repeat(x,9) and $hex(00ff) make odd
// text.
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
