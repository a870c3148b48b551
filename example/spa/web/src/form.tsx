import { type FormEvent, type ReactNode, useState } from "react";

/** What every function of the client resolves to, as far as a form is concerned. */
export type Outcome = { error: { status: number; message?: string } | null };

/** What went wrong, in words for people. */
export function describe({ status, message }: { status: number; message?: string }): string {
  if (message) return message;
  return status === 429 ? "Too many attempts. Please wait a moment." : "That did not work. Please try again.";
}

/** Runs a function of the client and remembers how that went. */
export function useAction() {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  async function run(action: () => Promise<Outcome>): Promise<boolean> {
    setBusy(true);
    setError("");
    try {
      const { error } = await action();
      if (error) setError(describe(error));
      return !error;
    } catch {
      setError("The server does not answer. Please try again.");
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { run, error, busy };
}

/** Says what went wrong, to screen readers at once. */
export function Problem({ text }: { text: string }) {
  return text ? <p role="alert">{text}</p> : null;
}

type FormProps = {
  submit: string; // on the button
  action: (value: (name: string) => string) => Promise<Outcome>;
  done?: () => void;
  children: ReactNode;
};

/** A form that calls the client. What was typed stays there if that fails. */
export function Form({ submit, action, done, children }: FormProps) {
  const { run, error, busy } = useAction();
  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    if (await run(() => action((name) => String(data.get(name) ?? "")))) {
      form.reset();
      done?.();
    }
  }
  return (
    <form onSubmit={send}>
      <Problem text={error} />
      {children}
      <button disabled={busy}>{submit}</button>
    </form>
  );
}

type FieldProps = { label: string; name: string; type?: string; autoComplete: string; minLength?: number };

export function Field({ label, name, type = "text", autoComplete, minLength }: FieldProps) {
  return (
    <label>
      {label}
      <input id={name} name={name} type={type} autoComplete={autoComplete} minLength={minLength} required />
    </label>
  );
}
