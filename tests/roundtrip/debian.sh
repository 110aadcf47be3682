# Packages of Debian that the machine does not have installed, kept in the user's cache; sourced.
# shellcheck shell=bash
#
# Rule of use: asks the machine's own mirror, by lists of apt in a folder of their own, so that the machine's apt is
# neither read differently nor changed afterwards; nothing is installed. What a function prints is complete and stays
# for the next run; where there is no network, or no Debian, it fails and says why on stderr.
# shellcheck source=scripts/node.sh
. "$ROOT/scripts/node.sh"

# The one-line sources of the machine as `TYPE [signed-by] URI SUITE COMPONENT`; with SUITE, that one of the main archive.
debian_sources() { # TYPE [SUITE]
	local uri suite component key
	command -v apt-get >/dev/null || { echo 'this is no Debian' >&2 && return 1; }
	# shellcheck disable=SC2016 # apt expands
	apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' |
		sort -u | while read -r uri suite component key; do
		[ -z "${2-}" ] || [[ $component = main && $suite != *[-/]* ]] || continue
		[ -e "$key" ] || key=/usr/share/keyrings/debian-archive-keyring.gpg
		printf '%s [signed-by=%s] %s %s %s\n' "$1" "$key" "$uri" "${2:-$suite}" "$component"
	done
}

# Sets APT_CONFIG for an apt that knows these sources alone, as if nothing was installed.
debian_apt() { # FOLDER TYPE [SUITE]
	local folder=$1
	mkdir -p "$folder"/{parts,state/lists/partial,cache/archives/partial} || return
	debian_sources "${@:2}" >"$folder/parts/all.list" && [ -s "$folder/parts/all.list" ] || return
	: >"$folder/status"
	cat >"$folder/apt.conf" <<-END
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$folder/parts";
		Dir::State "$folder/state";
		Dir::State::status "$folder/status";
		Dir::Cache "$folder/cache";
		APT::Sandbox::User "";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "2";
	END
	export APT_CONFIG=$folder/apt.conf
	apt-get -qq update >&2
}

# The newest version whose source is still there: that of the security suite goes when the next one comes.
source_fetch() { # PACKAGE
	local version
	while read -r version; do
		apt-get -qq source --download-only "$1=$version" >&2 && return
	done < <(apt-cache showsrc "$1" | sed -n 's/^Version: //p' | sort -rVu)
	return 1
}

regression_fill() { # PACKAGE FOLDER
	local folder=$2/.apt
	(
		debian_apt "$folder" deb-src && cd "$folder" && source_fetch "$1" &&
			tar -xf ./*.orig.tar.bz2 -C "$2" --strip-components=4 --wildcards '*/src/test/regress/sql' \
				'*/src/test/regress/expected' '*/src/test/regress/data' '*/src/test/regress/parallel_schedule'
	) && rm -rf "$folder" && [ -s "$2/parallel_schedule" ]
}

regression_tests() { # -> a folder with sql, data and parallel_schedule of PostgreSQL 15
	local folder
	folder=$(cache_folder)/regress-postgresql-15 && cache_fill "$folder" regression_fill postgresql-15 >&2 && printf '%s\n' "$folder"
}

# What programs of another Debian need to start on this one: the loader with its libraries, and nothing of perl.
client_fill() { # SUITE PACKAGE FOLDER
	local folder=$3/.apt package
	(
		debian_apt "$folder" deb "$1" && cd "$folder" &&
			apt-get -qq install --download-only -y "$2" >&2 || exit
		for package in cache/archives/*.deb; do
			case $package in
			*/lib*perl* | */perl*) ;;
			*) dpkg-deb -x "$package" "$3" || exit ;;
			esac
		done
	) && rm -rf "$folder" "$3/usr/share/"{doc,man,locale}
}

client_programs() { # SUITE VERSION -> a folder with usr/lib/postgresql/VERSION/bin and the loader of that Debian
	local folder
	folder=$(cache_folder)/$1-postgresql-client-$2 &&
		cache_fill "$folder" client_fill "$1" "postgresql-client-$2" >&2 && printf '%s\n' "$folder"
}
