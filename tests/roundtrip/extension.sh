# A server whose programs are Debian's and whose extensions are ours too; sourced.
# shellcheck shell=bash
#
# PostgreSQL 15 looks for extensions in the folder of its installation alone, and finds that by where its program lies: a
# copy of the programs beside links to all else has one more extension, and the machine's installation stays untouched.

extension_files() { # FOLDER
	cat >"$1/roundtrip.control" <<-END
		comment = 'tables of configuration, for the test of round trips'
		default_version = '1.0'
		relocatable = true
	END
	cat >"$1/roundtrip--1.0.sql" <<-END
		CREATE TABLE setting (id int PRIMARY KEY, name text, standard boolean NOT NULL DEFAULT true);
		INSERT INTO setting VALUES (1, 'shipped'), (2, 'shipped too');
		CREATE TABLE choice (id int PRIMARY KEY, setting int REFERENCES setting);
		CREATE TABLE fixed (name text);
		CREATE SEQUENCE number;
		SELECT pg_catalog.pg_extension_config_dump('choice', '');
		SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE NOT standard');
		SELECT pg_catalog.pg_extension_config_dump('number', '');
	END
}

server_with_extension() { # PGBIN FOLDER: prints the folder of the copy's programs
	local share lib common copied file
	share=$("$1/pg_config" --sharedir) && lib=$("$1/pg_config" --pkglibdir) || return
	common=$(printf '%s\n%s\n' "$1/" "$share/" | sed -e 'N;s|^\(.*/\).*\n\1.*$|\1|')
	copied=$2/${1#"$common"}
	mkdir -p "$(dirname "$copied")" "$2/${share#"$common"}/extension" && cp -RL "$1" "$copied" || return
	mkdir -p "$(dirname "$2/${lib#"$common"}")" && ln -s "$lib" "$2/${lib#"$common"}" || return
	for file in "$share"/* "$share"/extension/*; do
		[ "$file" = "$share/extension" ] || ln -s "$file" "$2/${share#"$common"}/${file#"$share/"}" || return
	done
	extension_files "$2/${share#"$common"}/extension"
	chmod -R a+rX "$2"
	printf '%s\n' "$copied"
}
