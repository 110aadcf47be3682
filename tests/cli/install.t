#!/usr/bin/env bash
# make install: all that a project or a server needs is there and works from there; make uninstall leaves nothing.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

built=$(dirname "$MIGSAFE")
[ -e "$built/../../Makefile" ] || skip_all "the program under test is not in a build folder"

in_make() { # TARGET
	# The program is taken as it is: a test builds nothing.
	run make -s -C "$ROOT" -o "build/${built##*/}/migsafe" MODE="${built##*/}" DESTDIR="$T/root" PREFIX=/opt/m "$1"
}

in_make install
status_is 0 "make install"
top=root/opt/m
run "$top/bin/migsafe" --version
status_is 0 "the installed program runs"
for file in db.mk migsafe.schema.json deploy.sh entrypoint.sh ci/github-actions.yml ci/gitlab-ci.yml; do
	[ -s "$top/share/migsafe/$file" ]
	ok $? "share/migsafe/$file"
done
is "$(cd "$top/share/migsafe/scripts" && echo *)" \
	"backup-before-migration.sh backup_database.sh deploy-migration.sh migration-health.sh restore-from-backup.sh restore_database.sh test_backup.sh" \
	"the scripts, and none that only work on migsafe itself"
is "$(cd "$ROOT" && find hooks -type f | sort)" "$(cd "$top/share/migsafe" && find hooks -type f | sort)" "the examples of hooks"
is "$(cd "$ROOT" && find hooks -type f -executable | sort)" "$(cd "$top/share/migsafe" && find hooks -type f -executable | sort)" \
	"which can be run as they are"
is "$(find "$top" -type f -executable | sed "s:$top/::" | grep -vE '/(scripts|hooks)/' | sort)" \
	"bin/migsafe"$'\n'"share/migsafe/deploy.sh"$'\n'"share/migsafe/entrypoint.sh" "what is run is executable, the rest is not"
is "$(cd "$top/share/doc/migsafe" && echo *.md)" "$(cd "$ROOT" && printf '%s\n' README.md CHANGELOG.md docs/*.md |
	xargs -n 1 basename | LC_ALL=C sort | xargs)" "the documents"
for file in "$top"/share/migsafe/scripts/*.sh "$top/share/migsafe/deploy.sh"; do
	run "$file" --help
	status_is 0 "${file##*/} --help"
done
in_make uninstall
status_is 0 "make uninstall"
is "$(find root -type f)" "" "nothing is left"
done_testing
