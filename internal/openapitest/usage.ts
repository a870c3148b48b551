// A program as an application has it: the types of the document, and openapi-fetch,
// which knows no more than those. It is compiled with --strict, and runs.
import createClient from "openapi-fetch";
import type { components, paths } from "./everything.js";

declare const process: { argv: string[] };

const base = process.argv[2]!;
const cookies = new Map<string, string>();

// browser keeps cookies between requests.
async function browser(request: Request): Promise<Response> {
	const headers = new Headers(request.headers);
	headers.set("Cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
	headers.set("Origin", new URL(base).origin);
	const response = await fetch(new Request(request, { headers }));
	for (const line of response.headers.getSetCookie()) {
		const [name, value] = line.split(";")[0]!.split("=", 2);
		cookies.set(name!, value!);
	}
	return response;
}

function check(condition: unknown, what: string): asserts condition {
	if (!condition) throw new Error(`${what} is not as expected`);
	console.log(JSON.stringify({ step: what }));
}

type User = components["schemas"]["User"];
type Session = components["schemas"]["Session"];

const client = createClient<paths>({ baseUrl: base, fetch: browser });
const ada = { name: "Ada", email: "ada@example.com", password: "analytical engine" };

const nobody = await client.GET("/get-session");
check(nobody.response.status === 200 && nobody.data === null, "no session");

const signedUp = await client.POST("/sign-up/email", { body: { ...ada, nickname: "countess", level: 7 } });
check(signedUp.data, "sign up");
const user: User = signedUp.data.user;
const token: string | null = signedUp.data.token;
check(user.email === ada.email && !user.emailVerified && token, "the new user");
check(user.nickname === "countess" && user.level === 7 && user.newsletter === false && user.birthday === null, "additional columns");

// @ts-expect-error: a password is needed
const incomplete = await client.POST("/sign-in/email", { body: { email: ada.email } });
check(incomplete.response.status === 400 && incomplete.error?.code === "VALIDATION_ERROR", "a body that is refused");

const refused = await client.POST("/sign-in/email", { body: { email: ada.email, password: "difference engine" } });
const code: NonNullable<typeof refused.error>["code"] = "INVALID_EMAIL_OR_PASSWORD";
check(refused.response.status === 401 && refused.error?.code === code, "a wrong password");

const signedIn = await client.POST("/sign-in/email", { body: { email: ada.email, password: ada.password } });
check(signedIn.data && "token" in signedIn.data && signedIn.data.user.id === user.id, "sign in");

const current = await client.GET("/get-session", { params: { query: { disableCookieCache: true } } });
check(current.data, "get the session");
const session: Session = current.data.session;
check(session.userId === user.id && current.data.user.name === "Ada" && Date.parse(session.expiresAt) > Date.now(), "the session");

const sessions = await client.GET("/list-sessions");
check(sessions.data?.length === 1 && sessions.data[0]?.token === session.token, "list sessions"); // one of a user in a browser

const updated = await client.POST("/update-user", { body: { name: "Ada Lovelace", image: null, tags: ["poetical", "science"] } });
check(updated.data?.status === true, "update the user");
const renamed = await client.GET("/get-session");
check(renamed.data?.user.name === "Ada Lovelace" && renamed.data.user.tags?.[1] === "science", "the user that was updated");

const free = await client.POST("/is-username-available", { body: { username: "a" } });
check(free.response.status === 422 && free.error?.code === "USERNAME_TOO_SHORT", "a username that is too short");

const keys = await client.GET("/jwks");
check(keys.data?.keys.length === 1, "the keys");

const signedOut = await client.POST("/sign-out", { body: {} });
check(signedOut.data?.success, "sign out");
const afterwards = await client.POST("/update-user", { body: { name: "Nobody" } });
check(afterwards.response.status === 401 && afterwards.error?.code === "UNAUTHORIZED", "nobody is signed in");
