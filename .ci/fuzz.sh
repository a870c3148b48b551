# What run, fuzz-nightly and corpus share, for them to source.

# fuzz_targets prints the names of the fuzz targets in a directory.
fuzz_targets() {
	find "$1" -maxdepth 1 -name '*_test.go' -exec sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' {} + | sort
}

# fuzz_target runs a fuzz target of a test binary for some time, in the directory of its
# package, and keeps in another directory what it finds interesting. At the end of its
# time the fuzzer sometimes takes its own deadline for a failure of the target: without
# an input that fails it is given one more chance. An input that fails is left in
# testdata/fuzz, where every go test runs it.
fuzz_target() {
	local binary=$1 target=$2 time=$3 kept=$4 try output
	for try in 1 2; do
		if output=$("$binary" -test.run '^$' -test.parallel 1 -test.fuzz "^$target\$" -test.fuzztime "$time" \
			-test.fuzzminimizetime 5s -test.fuzzcachedir "$kept" 2>&1); then
			echo "$target: $(grep -v '^PASS' <<<"$output" | tail -1)"
			return 0
		fi
		grep -q 'context deadline exceeded' <<<"$output" && ! grep -q 'Failing input' <<<"$output" || break
	done
	echo "$output" >&2
	fuzz_show "$(fuzz_input <<<"$output")" >&2
	return 1
}

# fuzz_input prints the file with the input that failed, given what the fuzzer said: a
# new one, or one that was there. A seed in the target itself has no file.
fuzz_input() {
	sed -n -e 's|.*Failing input written to \(testdata/fuzz/[^ ]*\)$|\1|p' \
		-e 's|.*failure while testing seed corpus entry: \(Fuzz[^ #]*/[^ #]*\)$|testdata/fuzz/\1|p' | tail -1
}

# fuzz_show prints an input that failed, and copies it to where CI_ARTIFACTS says: the
# directory of the package may be gone after the run.
fuzz_show() {
	local input=$1 copy
	[ -f "$input" ] || return 0
	echo "the input, $PWD/$input:"
	cat "$input"
	[ -n "${CI_ARTIFACTS:-}" ] || return 0
	copy=$CI_ARTIFACTS/fuzz/${input#testdata/fuzz/}
	mkdir -p "$(dirname "$copy")"
	cp "$input" "$copy"
	echo "kept as $copy"
}
export -f fuzz_target fuzz_input fuzz_show
