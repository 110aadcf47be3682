#!/usr/bin/env bash
# Makes a fresh Debian machine ready to build and test migsafe.
#
# Rule of use: may be run at any time; installs only what scripts/packages.txt names and the machine
# lacks, and when nothing is lacking neither needs rights nor touches the network.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/setup.sh [--lint] [--fuzz] [--bench] [--build-only]

Installs the Debian packages that building and testing need, and a recent node where Debian's is
too old for Prisma.

  --lint         also the formatter and the analyzers
  --fuzz         also what the fuzzers need
  --bench        also what is measured beside migsafe
  --build-only   only what the build needs

Exit status: 0 ready; 69 packages are lacking and neither root nor sudo is at hand; 64 usage.
END
}

die() { # STATUS MESSAGE...
	local status=$1
	shift
	printf 'setup: %s\n' "$*" >&2
	exit "$status"
}

cd "$(dirname "$0")/.."
# shellcheck source=scripts/node.sh
. scripts/node.sh

build=1 test=1 lint=0 fuzz=0 bench=0
for argument in "$@"; do
	case $argument in
	--lint) lint=1 ;;
	--fuzz) fuzz=1 ;;
	--bench) bench=1 ;;
	--build-only) test=0 ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 64 ;;
	esac
done

node_is_here() { # or can be fetched
	command -v npm >/dev/null
}

wanted() { # -> the names of the packages of the chosen groups
	awk -v build=$build -v test=$test -v lint=$lint -v fuzz=$fuzz -v bench=$bench '
		{ sub(/#.*/, "") }
		/^\[/ {
			gsub(/[][ \t]/, "")
			on = ($0 == "build" && build) || ($0 == "test" && test) || ($0 == "lint" && lint) ||
				($0 == "fuzz" && fuzz) || ($0 == "bench" && bench)
			next
		}
		NF && on { print $1 }' scripts/packages.txt |
		if node_is_here; then grep -vxE 'nodejs|npm'; else cat; fi
}

lacking() {
	local names
	mapfile -t names < <(wanted)
	comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null |
		sed -n 's/^installed //p' | sort -u) <(printf '%s\n' "${names[@]}" | sort -u)
}

# The package would otherwise create and start a server of its own.
no_cluster_of_debian() {
	# shellcheck disable=SC2016 # the inner shell expands
	$as_root sh -c '
		file=/etc/postgresql-common/createcluster.conf
		mkdir -p /etc/postgresql-common
		grep -qs "^[[:space:]]*create_main_cluster" "$file" || echo "create_main_cluster = false" >>"$file"
		grep -q "^[[:space:]]*create_main_cluster[[:space:]]*=[[:space:]]*.\{0,1\}false" "$file" ||
			echo "setup: $file asks for a server of its own; left as it is" >&2'
}

missing=$(lacking)
if [ -n "$missing" ]; then
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die 69 "run this as root, or install by hand: ${missing//$'\n'/ }"
		as_root='sudo'
	fi
	printf 'setup: installing %s\n' "${missing//$'\n'/ }"
	case $missing in *postgresql-[0-9]*) no_cluster_of_debian ;; esac
	install=(env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -qq -y --no-install-recommends)
	$as_root apt-get -qq update || die 74 "apt-get update failed"
	# shellcheck disable=SC2086 # one word each
	$as_root "${install[@]}" -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 install $missing >&2 ||
		die 74 "apt-get install failed"
fi
[ "$test" = 0 ] || node_bin >/dev/null || die 74 "no node $NODE_LEAST or newer"
printf 'setup: ready\n'
