#!/usr/bin/env bash
# A backup that is not what was written is never restored: every damage is named, by file and table, with exit
# status 76, and the target is untouched. Also where whoever did it has "corrected" all sums.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/fault.sh
. "$ROOT/tests/fault/fault.sh"

fault_database app
COMPRESSION=(--compression "${TEST_COMPRESSION:-auto}")
take "${COMPRESSION[@]}"
GOOD=$T/good
mv "$MIGSAFE_BACKUP_DIR" "$GOOD"
sql app "UPDATE a SET v = 'since' WHERE id = 1"
fingerprint app >"$T/before"
glance app >"$T/glance"
databases=$(db_list)

fresh() { # a whole copy of the good backups to damage
	rm -rf "$MIGSAFE_BACKUP_DIR"
	cp -R "$GOOD" "$MIGSAFE_BACKUP_DIR"
	FOLDER=$MIGSAFE_BACKUP_DIR/$FULL
	TWIN=$MIGSAFE_BACKUP_DIR/$DATA
}

file_of() { # TABLE -> its data file
	jq -r --arg t "$1" '.tables[] | select(.name == $t) | .file' "$GOOD/$FULL/manifest.json"
}

both() { # COMMAND [ARGUMENT...]: in the folder of each
	(cd "$FOLDER" && "$@") && (cd "$TWIN" && "$@")
}

edit() { # JQ-PROGRAM: of both manifests
	# shellcheck disable=SC2317 # called by both
	edit_one() { jq "$1" manifest.json >.m && mv .m manifest.json; }
	both edit_one "$1"
}

# What someone who wants damage to pass would do: all sums and sizes say what the files are now.
correct() {
	# shellcheck disable=SC2317 # called by both
	correct_one() {
		local name
		for name in $(jq -r '.files[].name' manifest.json); do
			jq --arg n "$name" --arg s "$(sha256sum <"$name" | cut -d' ' -f1)" --argjson b "$(stat -c %s "$name")" '
				(.files[] | select(.name == $n)) |= (.sha256 = $s | .bytes = $b)
				| (.tables[] | select(.file == $n)) |= (.sha256 = $s | .bytes = $b)
				| .bytes = ([.files[].bytes] | add)' manifest.json >.m && mv .m manifest.json
			printf '%s  %s\n' "$(sha256sum <"$name" | cut -d' ' -f1)" "$name"
		done | LC_ALL=C sort -k 2 >.sums
		# In the order that it had.
		awk 'NR == FNR { sum[$2] = $1; next } { print sum[$2] "  " $2 }' .sums SHA256SUMS >.new && mv .new SHA256SUMS && rm .sums
	}
	both correct_one
}

commands=(
	"verify --level files ID"
	"verify --level restore ID"
	"restore ID --yes"
	"restore ID --into NEW"
	"restore DATAID --replace --accept-loss --yes"
)

# So that what one damage did is not blamed on the next.
start_over() {
	local db
	for db in $(db_list); do [ "$db" = app ] || db_drop "$TEST_PREFIX$db"; done
	glance app >"$T/glance"
	fingerprint app >"$T/before"
}

STATUS=76

# refused NAME WORDS [ONLY-COMMANDS-REGEX]: every command ends with 76, says WORDS, and has changed nothing.
refused() {
	local name=$1 words=$2 only=${3:-.} line bad=
	local -a command
	for line in "${commands[@]}"; do
		[[ $line =~ $only ]] || continue
		line=${line//DATAID/$DATA}
		line=${line//ID/$FULL}
		read -ra command <<<"${line//NEW/$(db_name new)}"
		run "$MIGSAFE" "${command[@]}"
		[[ $RC =~ ^($STATUS)$ ]] || bad+="${command[*]}: status $RC: $ERR"$'\n'
		[[ $ERR$OUT =~ $words ]] || bad+="${command[*]}: does not say $words: $ERR"$'\n'
		glance app | cmp -s - "$T/glance" && [ "$(db_list)" = "$databases" ] && continue
		bad+="${command[*]}: live has changed, or a database was made: $(db_list | paste -sd' ')"$'\n'
		start_over
	done
	is "$bad" "" "$name"
}

# --- what is good is not refused -------------------------------------------------------------------------

fresh
run "$MIGSAFE" verify "$FULL" --level restore
status_is 0 "the backup itself is good"
correct
run "$MIGSAFE" verify "$FULL" --level restore
status_is 0 "and stays so when the sums are made again"
fresh
edit 'del(.nothing)'
run "$MIGSAFE" verify "$DATA"
status_is 0 "or the manifest is written again"

# --- bytes -----------------------------------------------------------------------------------------------

flip() { # FILE OFFSET: the bits of one byte
	python3 - "$1" "$2" <<-'END'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(int(sys.argv[2])); b = f.read(1)
		    f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 0x55]))
	END
}

damage() { # HOW FILE
	local size
	size=$(stat -c %s "$2")
	case $1 in
	first) flip "$2" 0 ;;
	header) flip "$2" 3 ;;
	middle) flip "$2" $((size / 2)) ;;
	trailer) flip "$2" $((size > 6 ? size - 6 : 0)) ;;
	last) flip "$2" $((size - 1)) ;;
	truncated) truncate -s $((size - 1)) "$2" ;;
	half) truncate -s $((size / 2)) "$2" ;;
	emptied) : >"$2" ;;
	longer) printf x >>"$2" ;;
	missing) rm "$2" ;;
	folder) rm "$2" && mkdir "$2" ;;
	esac
}

# One file of each sort; the sums give it away.
mapfile -t files < <(cd "$GOOD/$DATA" && printf '%s\n' "$(file_of a)" "$(file_of empty)" blob* | sort -u)
for file in "${files[@]}"; do
	for how in first middle last truncated emptied longer missing; do
		[ -s "$GOOD/$FULL/$file" ] || [ "$how" = longer ] || [ "$how" = missing ] || continue
		fresh
		both damage "$how" "$file"
		refused "$file, $how: refused by all, and named" "$file" 'files|into|DATAID'
	done
done
for how in first middle truncated emptied missing; do
	fresh
	damage "$how" "$FOLDER/toc.dat"
	refused "toc.dat, $how" 'toc\.dat' ' ID'
	fresh
	both damage "$how" SHA256SUMS
	refused "SHA256SUMS, $how" 'SHA256SUMS' 'files|into|DATAID'
done
fresh
both damage folder "$(file_of a)"
refused "a folder in place of a file" "$(file_of a)"
fresh
both damage middle "$(file_of big)"
refused "a damaged file of a table is told with its table" "$(file_of big).*\"public\".\"big\"|\"public\".\"big\".*$(file_of big)" 'verify'

# The same with all sums corrected: the members, the rows and the content give it away.
packed=$(file_of big)
for how in first header middle trailer truncated half emptied; do
	fresh
	both damage "$how" "$packed"
	correct
	refused "$packed, $how, sums corrected" 'public"?\."?big|members'
done

# --- members ----------------------------------------------------------------------------------------------

members() { # FILE: drop|twice|swap of the second of its members, cut by the packer's magic
	python3 - "$1" "$2" <<-'END'
		import sys
		data, how = open(sys.argv[1], "rb").read(), sys.argv[2]
		magic = b"\x28\xb5\x2f\xfd" if sys.argv[1].endswith(".zst") else b"\x1f\x8b\x08"
		at, cuts = 0, []
		while (at := data.find(magic, at)) >= 0:
		    cuts.append(at); at += 4
		parts = [data[x:y] for x, y in zip(cuts, cuts[1:] + [len(data)])]
		assert len(parts) >= 4, cuts
		if how == "drop": del parts[1]
		if how == "twice": parts.insert(1, parts[1])
		if how == "mark": del parts[-1]
		if how == "late": parts.insert(1, parts.pop())
		open(sys.argv[1], "wb").write(b"".join(parts))
	END
}
if [[ $packed =~ \.(gz|zst)$ ]]; then
	for how in drop twice late; do
		fresh
		both members "$packed" "$how"
		correct
		# In a transaction the server may find the same rows twice before they are counted.
		STATUS=76
		[ "$how" != twice ] || STATUS='76|65'
		refused "a member of $packed: $how, sums corrected" 'public"?\."?big'
	done
	STATUS=76
fi

# --- files of others ----------------------------------------------------------------------------------------

fa=$(file_of a) fb=$(file_of b)
exchange() { mv "$1" .x && mv "$2" "$1" && mv .x "$2"; }
fresh
both exchange "$fa" "$fb"
refused "the files of two tables exchanged" "$fa|$fb"
fresh
both exchange "$fa" "$fb"
correct
refused "the files of two tables exchanged, sums corrected" 'public"?\."?(a|b)"'
fresh
# shellcheck disable=SC2016 # variables of jq
edit '(.tables | map({key: .name, value: .}) | from_entries) as $t
	| .tables |= map(if .name == "a" then .file = $t.b.file | .sha256 = $t.b.sha256 | .bytes = $t.b.bytes | .text_bytes = $t.b.text_bytes | .members = $t.b.members
		elif .name == "b" then .file = $t.a.file | .sha256 = $t.a.sha256 | .bytes = $t.a.bytes | .text_bytes = $t.a.text_bytes | .members = $t.a.members else . end)'
refused "the names of two files exchanged in the manifest" 'public"?\."?(a|b)"'
fresh
# shellcheck disable=SC2016 # variables of jq
edit '(.tables | map({key: .name, value: .}) | from_entries) as $t
	| .tables |= map(if .name == "a" then .file = $t.b.file | .sha256 = $t.b.sha256 | .bytes = $t.b.bytes | .rows = $t.b.rows | .text_bytes = $t.b.text_bytes | .members = $t.b.members
		| .columns[].values = $t.b.rows else . end)'
refused "one file for two tables, rows made to fit" 'public"?\."?(a|b)"|used twice|names file' 'verify'

# Rows and sums made to fit, in a file that is not packed: only the content tells.
fresh
take_plain() {
	rm -rf "$MIGSAFE_BACKUP_DIR"
	sql app "UPDATE a SET v = md5('1') WHERE id = 1"
	take --compression none
	sql app "UPDATE a SET v = 'since' WHERE id = 1"
	glance app >"$T/glance"
	fingerprint app >"$T/before"
	FOLDER=$MIGSAFE_BACKUP_DIR/$FULL TWIN=$MIGSAFE_BACKUP_DIR/$DATA
}
FULL_PACKED=$FULL DATA_PACKED=$DATA
take_plain
plain=$(jq -r '.tables[] | select(.name == "a") | .file' "$FOLDER/manifest.json")
both sed -i '5s/[0-9a-f]$/X/' "$plain"
cmp -s "$FOLDER/$plain" "$TWIN/$plain" || bail "the file was not changed in both"
# shellcheck disable=SC2016 # a variable of jq
correct
refused "a letter in a plain file, sums corrected" 'public"?\."?a"' 'verify'
FULL=$FULL_PACKED DATA=$DATA_PACKED

# --- the manifest ---------------------------------------------------------------------------------------------

while IFS='~' read -r name program words only; do
	fresh
	edit "$program" || fail "$name: the manifest could not be edited"
	refused "manifest: $name" "$words" "${only:-.}"
done <<END
a row more~(.tables[] | select(.name == "a")) |= (.rows += 1 | .columns[].values += 1)~public"?\."?a"
a value more~(.tables[] | select(.name == "a").columns[1].values) -= 1~public"?\."?a"~verify --level files
another content~(.tables[] | select(.name == "a").content) = "00000000deadbeef"~public"?\."?a"~verify
another sum of a file~.files[0].sha256 = ("0" * 64)~SHA-256|list of files
another sum of a table~(.tables[] | select(.name == "a").sha256) = ("0" * 64)~public"?\."?a"|$fa|sha256
another size~.files[0].bytes += 1~bytes|list of files
a path in place of a file~(.tables[] | select(.name == "a").file) = "../$fa"~file
a path in the list of files~.files[0].name = "../../etc/passwd"~name
an absolute path~(.tables[] | select(.name == "a").file) = "/etc/passwd"~file
an empty name~.files[0].name = ""~name
the folder itself~.files[0].name = "."~name|"\\."
a file that is not listed~.files |= map(select(.name != "$fa"))~$fa|SHA256SUMS
a newer format~.format = 2~format
no format~del(.format)~format
a format that is no number~.format = "1"~format
no kind~del(.kind)~kind
no tables~del(.tables)~tables
tables of another type~.tables = {}~tables
a table without a name~del(.tables[0].name)~name
a table without rows~del(.tables[0].rows)~rows
rows that are no number~.tables[0].rows = "many"~rows
negative rows~.tables[0].rows = -5~rows|public
columns missing~del(.tables[0].columns)~columns
no list of files~del(.files)~files
no database~del(.database)~database
no ledger~del(.ledger)~ledger
no sequences~del(.sequences)~sequences
a member far beyond the end~(.tables[] | select(.name == "big").members) = [0, 1000000000000000]~big|members
a member before the start~(.tables[] | select(.name == "big").members) = [0, -1]~big|members
members out of order~(.tables[] | select(.name == "big").members) = [0, 5, 3]~big|members
a member that begins nowhere~(.tables[] | select(.name == "big").members) = [0, 7]~big|members~[^A]ID
large objects more~.large_objects += 1~large object~[^A]ID
a sequence elsewhere~.sequences[0].last_value = "78"~sequence~restore ID|level restore
END

for how in emptied half; do
	fresh
	both damage "$how" manifest.json
	refused "manifest.json, $how" 'manifest'
done
for text in '[]' 'null' '{"format":1}' 'Hello' '{"format":1e999}'; do
	fresh
	# shellcheck disable=SC2317 # called by both
	replace() { printf '%s' "$text" >manifest.json; }
	both replace
	refused "a manifest of $text" 'manifest'
done
fresh
# shellcheck disable=SC2317 # called by both
nested() { printf '[%.0s' {1..100000} >manifest.json; }
both nested
refused "a manifest nested 100000 deep" 'manifest'

# --- what lists and prunes --------------------------------------------------------------------------------------

fresh
both damage half manifest.json
run "$MIGSAFE" list --json
status_is 0 "a damaged backup does not break the list"
is "$(jq '[.backups[] | select(.damage != null)] | length' <<<"$OUT")" 2 "where it is told as damaged"
run "$MIGSAFE" prune --keep-last 0
is "$(find "$MIGSAFE_BACKUP_DIR" -mindepth 1 -maxdepth 1 -name '*_full' | wc -l)" 1 "and it is not removed by itself"

live_is "$T/before" app "after all that the live database is what it was, by its fingerprint"
is "$(db_list)" "$databases" "and no database was left"
done_testing
