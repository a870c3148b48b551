// Validates the documents whose paths are given, by the schema of OpenAPI.
import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";

for (const path of process.argv.slice(2)) {
	const validator = new Validator();
	const result = await validator.validate(JSON.parse(await readFile(path, "utf8")));
	if (!result.valid) throw new Error(`${path}: ${JSON.stringify(result.errors, null, 1)}`);
	validator.resolveRefs();
	console.log(path, validator.version);
}
