# Usage: cluster.sh BIN DIR PORT [OPTION...]
#
# Creates a PostgreSQL cluster in DIR and runs its server on 127.0.0.1:PORT with
# the programs in BIN until standard input ends. Then, or when the server ends
# by itself, it prints the end of the log on standard error and removes DIR.
#
# DIR/password holds the password of the superuser "test". OPTION... are further
# options of the program postgres.
#
# A server that ends while DIR/restart exists is started again, once, and not
# before DIR/halt is removed.
set -u
bin=$1 dir=$2 port=$3
shift 3

# Commands in the background read from /dev/null, so the lifeline gets a number.
exec 3<&0 4>&2 >"$dir/log" 2>&1

run() {
	"$bin/initdb" -D "$dir/data" -U test --pwfile="$dir/password" --auth=password \
		--encoding=UTF8 --locale=C.UTF-8 --no-sync || return

	while :; do
		"$bin/postgres" -D "$dir/data" -p "$port" \
			-c listen_addresses=127.0.0.1 -c unix_socket_directories= "$@" \
			3<&- 4>&- &
		server=$!

		# read returns when the other end of the pipe is closed, for whatever reason.
		(
			read -r line <&3
			rm -f "$dir/restart" "$dir/halt"
			kill -QUIT "$server"
		) 4>&- &
		watcher=$!

		wait "$server"
		while [ -e "$dir/halt" ]; do sleep 0.1; done
		kill -KILL "$watcher"
		rm "$dir/restart" || break
	done
}

run "$@"
tail -c 4000 "$dir/log" >&4
rm -rf "$dir"
