import { client } from "./client";
import { Field, Form } from "./form";
import { Link } from "./router";

/** Also shown in place of a page that is for members: once they are signed in it is there. */
export function SignIn() {
  return (
    <>
      <h1>Sign in</h1>
      <Form submit="Sign in" action={(value) => client.signIn.email({ email: value("email"), password: value("password") })}>
        <Field label="E-mail address" name="email" type="email" autoComplete="username" />
        <Field label="Password" name="password" type="password" autoComplete="current-password" />
      </Form>
      <p>
        No account yet? <Link to="/sign-up">Sign up</Link>
      </p>
    </>
  );
}

export function SignUp() {
  return (
    <>
      <h1>Sign up</h1>
      <Form
        submit="Sign up"
        action={(value) => client.signUp.email({ name: value("name"), email: value("email"), password: value("password") })}
      >
        <Field label="Name" name="name" autoComplete="name" />
        <Field label="E-mail address" name="email" type="email" autoComplete="username" />
        <Field label="Password, at least 8 characters" name="password" type="password" autoComplete="new-password" minLength={8} />
      </Form>
      <p>
        You have an account? <Link to="/sign-in">Sign in</Link>
      </p>
    </>
  );
}
