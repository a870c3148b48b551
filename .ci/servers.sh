# The servers that tests need, for run to source. One that answers at its usual
# port and lets the tests in is used as it is. Otherwise the one of Debian's
# package is started in a temporary directory, at another port that the
# environment then tells the tests, and ended with the run. What is not installed
# is left to the tests to miss.

servers_dir=$(mktemp -d)
server_pids=()

end_servers() {
	[ ${#server_pids[@]} -eq 0 ] || kill "${server_pids[@]}" 2>/dev/null || true
	[ ${#server_pids[@]} -eq 0 ] || wait "${server_pids[@]}" 2>/dev/null || true
	rm -rf "$servers_dir"
}

# as_user sets command to one that root runs as another user.
as_user() {
	command=("${@:2}")
	[ "$(id -u)" -ne 0 ] || command=(setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}")
}

# start_server runs a program as a user in the background and waits until it
# answers at a port.
start_server() {
	local port=$1 command
	shift
	as_user "$@"
	"${command[@]}" >"$servers_dir/$port.log" 2>&1 &
	server_pids+=($!)
	for _ in $(seq 300); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	cat "$servers_dir/$port.log" >&2
	echo "no server at port $port" >&2
	return 1
}

own_directory() {
	local dir=$servers_dir/$2
	chmod 755 "$servers_dir"
	mkdir "$dir"
	[ "$(id -u)" -ne 0 ] || chown "$1" "$dir"
	echo "$dir"
}

start_postgresql() {
	local bin dir command
	[ -z "${AUTH_TEST_POSTGRESQL:-}" ] || return 0
	if psql -w -h 127.0.0.1 -U postgres -c 'SELECT 1' postgres >/dev/null 2>&1; then return 0; fi
	bin=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -1 | xargs -r dirname)
	[ -n "$bin" ] || return 0
	dir=$(own_directory postgres postgresql)
	as_user postgres "$bin/initdb" --auth=trust --username=postgres --no-sync --pgdata="$dir"
	"${command[@]}" >/dev/null
	start_server 15432 postgres "$bin/postgres" -D "$dir" -k "$dir" -p 15432 -c listen_addresses=127.0.0.1
	export AUTH_TEST_POSTGRESQL=postgres://postgres@127.0.0.1:15432
}

start_mariadb() {
	local dir command
	[ -z "${AUTH_TEST_MYSQL:-}" ] || return 0
	if mariadb -h 127.0.0.1 -u root -e 'SELECT 1' >/dev/null 2>&1; then return 0; fi
	command -v mariadbd >/dev/null || return 0
	dir=$(own_directory mysql mariadb)
	as_user mysql mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir="$dir"
	"${command[@]}" >/dev/null
	start_server 13306 mysql mariadbd --no-defaults --datadir="$dir" --socket="$dir/socket" --port=13306 --bind-address=127.0.0.1
	export AUTH_TEST_MYSQL=mysql://root@127.0.0.1:13306
}

start_redis() {
	[ -z "${AUTH_TEST_REDIS:-}" ] || return 0
	if (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null; then return 0; fi
	command -v redis-server >/dev/null || return 0
	start_server 16379 redis redis-server --bind 127.0.0.1 --port 16379 --save '' --appendonly no
	export AUTH_TEST_REDIS=127.0.0.1:16379
}
