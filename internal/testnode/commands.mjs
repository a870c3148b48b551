// The other end of a Process: reads commands from stdin, one JSON object a line,
// and answers on stdout with {id, result} or {id, error}. Ends when stdin ends.

import { createInterface } from "node:readline";

console.log = console.error; // stdout is for answers

const print = (message) => process.stdout.write(JSON.stringify(message) + "\n");

// tell sends what nobody has asked for.
export const tell = (event) => print({ event });

// answer runs the commands by their names; parameters and results are objects.
export function answer(commands) {
  const input = createInterface({ input: process.stdin });
  input.on("line", async (line) => {
    const { id, do: name, ...parameters } = JSON.parse(line);
    try {
      print({ id, result: (await commands[name](parameters)) ?? {} });
    } catch (error) {
      print({ id, error: `${error}\n${error.stack}` });
    }
  });
  input.on("close", () => process.exit(0));
}
