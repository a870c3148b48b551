package auth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fuzzed are the functions that take apart what somebody else wrote, by the fuzz target
// that reaches them: with its seeds already, as go test -run '^FuzzX$' -cover shows.
var fuzzed = map[string]string{
	// what clients send: bodies, queries, addresses, headers
	"FuzzDecoding": `(*member).decoded decodeInto (*field).parseText jsonText (*sent).readBody readLimited readExactly
		(*sent).parseJSON kindOfNumber splitObject cutOff`,
	"FuzzMutation": `(*services).openCopy (*Services).ParseUserFields parseFields (*Column).parse (*services).loadStored`,
	"FuzzCallbackURL": `parseCallbackURL parseLocation isAppAuthority cutScheme cutAuthority splitReference canonicalAuthority
		splitPort canonicalIPv6 isIPv4 appPath decodeForm decodeFormText`,
	"FuzzMagicLinkQuery": `(*MagicLink).verify`,
	"FuzzClientAddress":  `parseAddress parsePeer (*addressResolver).walk`,
	"FuzzDynamicBaseURL": `claimedHost (*siteFinder).find`,
	"FuzzAllowedHost":    `newAllowedHost`,
	"FuzzGlob":           `(glob).matches newGlob`,
	"FuzzBearer":         `(*Services).OpenSessionToken (*Services).SentCookie`,
	"FuzzUsername":       `(*Username).objection lowerUsername`,
	"FuzzEmailOTP":       `(*otpCodes).open`,
	"FuzzTOTPCode":       `(totp).verify`,
	"FuzzTwoFactorCode":  `(*TwoFactor).take`,

	// cookies
	"FuzzCookieValue":      `requestCookies unquote cookieValue decodeURIComponent chunkIndex joinChunks`,
	"FuzzCookieString":     `(cookie).append`,
	"FuzzOpenCookie":       `(*signer).openCookie splitSigned decodeTag decodeTagByte`,
	"FuzzOpenCompact":      `(compactSeal).open splitCompact`,
	"FuzzSealedCopy":       `(jwtSeal).open (jweSeal).open jwtExpiry`,
	"FuzzAccountCookie":    `(*sessionCookies).openAccount (*sessionCookies).renewAccount (*services).sentAccount`,
	"FuzzTwoFactorCookies": `(*TwoFactor).open`,
	"FuzzVerifierSession":  `(*sessionCookies).open (*services).readCopy (*services).decodeSession`,
	"FuzzVerifierQuestion": `(*Verifier).open readAnswer (*Verifier).claimOf`,
	"FuzzDiagnose":         `(*diagnosing).readCopy (ownSeal).Open`,

	// tokens and keys
	"FuzzVerifyJWT":        `(*signer).verifyJWT (*signer).openJWT jsonMembers decodeBase64URL checkJWT`,
	"FuzzEncrypterDecrypt": `(*encrypter).decrypt (*encrypter).candidates`,
	"FuzzEnvelope":         `(*envelope).open`,
	"FuzzIDToken":          `decodeIDToken decodeClaims numericDate (*idTokenRules).verify`,
	"FuzzKeySet":           `parseKeySet ParseJWK textMember (jwkMembers).verifies`,
	"FuzzParsePrivateJWK":  `ParsePrivateJWK ParseJWSHeader splitJWS`,
	"FuzzJWTToken":         `(*JWT).verify (*JWT).verifyJWT decodeMember`,
	"FuzzJWTKey":           `(*JWT).openPrivate (*JWT).publicOf`,
	"FuzzJWTSession":       `(jwtSessionSeal).Open (jwtSessionSeal).payload`,
	"FuzzJWTPayload":       `(*JWTClaims).UnmarshalJSON (*JWTClaims).readExpirationTime newJWTObject (jwtObject).checkTexts jwtSeconds`,
	"FuzzJWTSpan":          `parseJWTSpan`,

	// what providers answer
	"FuzzDiscovery":  `(*oauthProvider).evaluate (*oauthProvider).headersFor (*endpoints).check (*oauthProvider).fetchMetadata`,
	"FuzzTokenReply": `tokensOf expiryOf scopesOf parseSeconds`,
	"FuzzProfile": `(*providerReply).object (*oauthProvider).openProfile lookupOne discordDefaultImage
		(*oauthProvider).githubAddresses (*knownProvider).userOf (*knownProvider).profileIn`,
	"FuzzCallback": `(*sent).parseForm (*core).identifyCallback`,
	"FuzzFlow":     `parseFlow (*looseText).UnmarshalJSON`,

	// what other programs have stored
	"FuzzSQLValue": `(*sqlCell).Scan (*sqlColumn).decode decodeBoolean (*sqlColumn).decodeDate (*sqlColumn).decodeJSON
		(ColumnType).parse parseNumber parseList storedJSON parseSerial`,
	"FuzzDate": `parseDate parseExpandedDate`,
	"FuzzEntity": `unmarshalEntity (*entityPlan).unmarshal (*entityPlan).unmarshalExtra unmarshalField unmarshalDate
		(*User).UnmarshalJSON (*Session).UnmarshalJSON (*ProviderUser).UnmarshalJSON
		(*VerifyEmailResponse).UnmarshalJSON (*Optional[T]).UnmarshalJSON`,
	"FuzzSharedSession":        `(*sharedSessions).entry (*sharedSessions).live (*records[T]).decode`,
	"FuzzSharedList":           `(*sharedSessions).references (*sharedSessions).revokedBefore`,
	"FuzzSharedVerification":   `(*verificationStore).sharedOne (*verificationStore).take`,
	"FuzzStoredToken":          `(*services).openToken looksSealed`,
	"FuzzPasswordHashParse":    `parseScrypt parseArgon2id`,
	"FuzzPasswordVerify":       `verifyArgon2id (builtinHasher).Verify`,
	"FuzzMagicLinkValue":       `parseMagicLink`,
	"FuzzOTPValue":             `parseOTPValue`,
	"FuzzTwoFactorStoredCodes": `(*TwoFactor).codesOf`,
	"FuzzTOTPKey":              `totpKey decodeBase32`,

	// what servers answer to a Client, and what it passes on
	"FuzzRemoteResponse": `(*received).decode (*received).failure (answerForm).read`,
	"FuzzRemoteRequest":  `textOf (*field).bindText`,
	"FuzzRemoteProxy":    `(*operation).targetOf`,
	"FuzzRetryAfter":     `retryAfter`,

	// what others read again
	"FuzzOpenAPIPage": `(*OpenAPI).render (*openAPIMembers[V]).UnmarshalJSON`,
	"FuzzTOTPURI":     `(totp).uri`,
	"FuzzIndexName":   `indexName`,
}

// notFuzzed are functions that only look as if they did, by reason.
var notFuzzed = map[string]string{
	"the configuration is its author's; New refuses what it cannot use": `parseBase parsePrefix (*DynamicBaseURL).fallback (*Provider).check (*remote).host`,
	"paths of endpoints are the program's own":                          `openAPIParams openAPIPath`,
	"opens a table or an endpoint, no text":                             `(*PluginEndpoint).open`,
	"addresses that net and net/http have made":                         `(*network).reached guardDial (*remote).forwardedFor`,
	"the signature that a key of the program has just made":             `fixedLengths`,
	"a type of a column that the dialect has just written":              `(mysql).fits`,
	"names and types that a database says of itself":                    `decodeCatalog`,
	"numbers that the storage itself has written":                       `(*MemorySecondaryStorage).Increment`,
}

// readers are how functions are called that take a text apart.
var readers = regexp.MustCompile(`^(?i:parse|decode|unmarshal|unescape|unquote|unseal|open|read|scan|split|cut)($|[A-Z0-9])`)

// standardReaders are the functions of the standard library that do it for them.
var standardReaders = regexp.MustCompile(`^(json\.(Unmarshal|NewDecoder)|asn1\.Unmarshal|strconv\.(Parse\w+|Atoi|Unquote)|url\.(Parse\w*|\w*Unescape)|netip\.Parse\w+|time\.Parse\w*|http\.Parse\w+|mime\.Parse\w+|net\.(Parse\w+|Split\w+)|x509\.Parse\w+|pem\.Decode|fmt\.(Ss|Fs|S)can\w*|.*\.DecodeString)$`)

// texts are the types in which what somebody else wrote comes in.
var texts = regexp.MustCompile(`^(\*?string|\[\]string|\[\]byte|json\.RawMessage|any|io\.Reader|http\.Header|\*http\.Request|map\[string\](any|json\.RawMessage))$`)

// A sourceFunction is one of the package, written as fuzzed has it.
type sourceFunction struct {
	name  string
	reads bool // takes a text apart, as far as its name or its calls tell
}

// sourceFunctions returns those of a file.
func sourceFunctions(t *testing.T, file string) (found []sourceFunction) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			found = append(found, sourceFunction{functionName(f), takesText(f) && readers.MatchString(f.Name.Name) || callsReader(f)})
		}
	}
	return found
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return "(" + types.ExprString(f.Recv.List[0].Type) + ")." + f.Name.Name
}

func takesText(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool { return texts.MatchString(types.ExprString(p.Type)) })
}

func callsReader(f *ast.FuncDecl) (calls bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && standardReaders.MatchString(types.ExprString(call.Fun)) {
			calls = true
		}
		return !calls
	})
	return calls
}

// TestFuzzInventory: every function that takes apart what somebody else wrote is reached
// by a fuzz target, or is an exception with a reason, and neither list names what is not
// there.
func TestFuzzInventory(t *testing.T) {
	targets := fuzzTargets(t)
	listed := make(map[string]string) // by function
	for target, names := range fuzzed {
		if !targets[target] {
			t.Errorf("there is no target %s", target)
		}
		for name := range strings.FieldsSeq(names) {
			if other, twice := listed[name]; twice {
				t.Errorf("%s is listed for %s and for %s", name, other, target)
			}
			listed[name] = target
		}
	}
	for target := range targets {
		if _, ok := fuzzed[target]; !ok {
			t.Errorf("no function is listed for %s", target)
		}
	}
	for reason, names := range notFuzzed {
		for name := range strings.FieldsSeq(names) {
			if other, twice := listed[name]; twice {
				t.Errorf("%s is listed for %s, and is an exception", name, other)
			}
			listed[name] = reason
		}
	}
	count := 0
	for _, file := range sourceFiles(t) {
		for _, f := range sourceFunctions(t, file) {
			_, ok := listed[f.name]
			if f.reads && !ok {
				t.Errorf("%s: %s takes a text apart and is reached by no fuzz target", file, f.name)
			}
			if f.reads {
				count++
			}
			delete(listed, f.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		t.Errorf("there is no function %s any more, listed for %s", name, listed[name])
	}
	if count < 100 {
		t.Errorf("only %d functions take a text apart: the rules find too little", count)
	}
}

// fuzzTargets returns the fuzz targets of the package.
func fuzzTargets(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	targets := make(map[string]bool)
	for _, file := range files {
		for _, f := range sourceFunctions(t, file) {
			if strings.HasPrefix(f.name, "Fuzz") {
				targets[f.name] = true
			}
		}
	}
	return targets
}
