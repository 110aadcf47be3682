# make            release build: build/release/migsafe      make demo   the main job, on a throw-away server
# make test       installs what it lacks, runs all tests    make lint   format, layers, headers, analyzers
# make roundtrip  databases to a backup and back: tests/roundtrip/README.md
# make fault      damage, kills, full disks: takes longer   make bench  beside pg_dump and others: docs/BENCHMARKS.md
# make MODE=asan  with ASan and UBSan                       make install PREFIX=/usr/local DESTDIR=   (uninstall)
# make fuzz       readers of foreign bytes, FUZZ_SECONDS each
# MODE is one of: release debug asan tsan fuzz analyze cover.  STRICT=1 (lint, CI) turns warnings into errors.
MODE    ?= release
PREFIX  ?= /usr/local
BUILD   := build/$(MODE)
PKGS    := libpq libgit2 libcjson zlib libdeflate libisal libzstd libxxhash libcurl libcrypto

CSTD    := -std=gnu17 -pthread
WARN    := -Wall -Wextra $(if $(STRICT),-Werror) \
           -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align \
           -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
           -Wredundant-decls -Wnested-externs \
           -Wformat=2 -Wwrite-strings -Wpointer-arith -Wundef -Wvla \
           -Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference \
           -Wunused-macros -Wno-missing-field-initializers
GCCWARN := -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
           -Wformat-overflow=2 -Wno-format-truncation -Wformat-signedness -Wjump-misses-init -Walloca -Warith-conversion
CLANGWARN := -Wmissing-variable-declarations -Wcomma -Wassign-enum -Wconditional-uninitialized -Wunreachable-code-aggressive

HARDEN  := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LDHARD  := -pie -Wl,-z,relro,-z,now,-z,noexecstack

ifneq (,$(findstring clang,$(CC)))
WARN += $(CLANGWARN)
else
WARN += $(GCCWARN)
endif

OPT.release := -O2 -g $(HARDEN)
OPT.debug   := -Og -g3
OPT.asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
OPT.fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
OPT.tsan    := -O1 -g -fsanitize=thread
OPT.analyze := -O1 -g -fanalyzer
OPT.cover   := -O0 -g --coverage

# libpg_query has no pkg-config file in Debian 12.
CPPFLAGS += -D_GNU_SOURCE -Iorchestrator -Itests/unit -Ibuild/gen
CFLAGS   := $(CSTD) $(OPT.$(MODE)) $(WARN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g') $(EXTRA)
LDFLAGS  += -pthread $(filter -fsanitize=% --coverage,$(OPT.$(MODE))) $(if $(filter release,$(MODE)),$(LDHARD))
LDLIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpg_query -lm

SQL  := $(sort $(wildcard orchestrator/sql/*.sql))
SRCS := $(sort $(shell find orchestrator -name '*.c'))
OBJS := $(SRCS:%.c=$(BUILD)/%.o) $(BUILD)/gen/queries.o $(BUILD)/gen/embedded.o
# What `migsafe init` writes into projects is in the program itself.
FILES := deploy.sh scripts/db.mk packaging/ci/github-actions.yml packaging/ci/gitlab-ci.yml
LIB  := $(BUILD)/libmigsafe.a
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
# Programs that a tests/pg/*.t needs to reach functions that no command shows alone.
DRIVERS := $(patsubst tests/pg/%.c,$(BUILD)/tests/%,$(wildcard tests/pg/*_driver.c))

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/fuzz/$(or $(FUZZ),*)_fuzz.c)))

all: $(BUILD)/migsafe
$(BUILD)/migsafe: $(OBJS)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/%_driver: $(BUILD)/tests/pg/%_driver.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(LIB): $(filter-out %/main.o,$(OBJS))
	@rm -f $@; $(AR) rcs $@ $^
$(BUILD)/%.o: %.c | build/gen/sql/queries.h build/gen/files/embedded.h
	@mkdir -p $(@D)
	@echo "  CC  $<"; $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/gen/queries.o: build/gen/sql/queries.h
$(BUILD)/gen/embedded.o: build/gen/files/embedded.h
$(BUILD)/gen/queries.o $(BUILD)/gen/embedded.o:
	@mkdir -p $(@D)
	@echo "  CC  build/gen/$(notdir $(@:.o=.c))"; $(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ build/gen/$(notdir $(@:.o=.c))
build/gen/sql/queries.h: $(SQL) scripts/embed-sql.sh
	@scripts/embed-sql.sh build/gen $(SQL); touch $@
build/gen/files/embedded.h: $(FILES) scripts/embed-files.sh
	@scripts/embed-files.sh build/gen $(FILES); touch $@

# The sources are only compiled once the packages are there, so these two start over.
setup:
	@scripts/setup.sh
drivers: $(DRIVERS)
unit: $(UNIT)
	@prove --exec '' $(UNIT)
# Built in parallel, but the tests keep to their own count of files at a time.
test: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) test-programs
	@$(MAKE) --no-print-directory test-run
test-programs: $(BUILD)/migsafe $(UNIT) $(DRIVERS)
test-run: test-programs
	@TEST_MIGSAFE="$(CURDIR)/$(BUILD)/migsafe" TEST_UNIT_PROGRAMS="$(UNIT)" tests/run $(TESTS)
# Damage, full disks, kills, DDL meanwhile, and what takes too long for `make test`: a matrix takes five minutes, and
# a quarter of an hour where the machine is not alone.
fault: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/migsafe
	@TEST_FILE_TIMEOUT=2400 TEST_MIGSAFE="$(CURDIR)/$(BUILD)/migsafe" tests/run tests/fault
# Without tests/ways: those are about the scripts around the program.
test-asan: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) MODE=asan test-programs
	@TEST_JOBS=$(shell nproc) $(MAKE) --no-print-directory MODE=asan test-run \
		TESTS='$$(UNIT) tests/deploy tests/pg tests/cli'
# Databases to a backup and back, by migsafe and by stock pg_restore; fetches the source and a newer version of PostgreSQL once.
roundtrip: setup
	@$(MAKE) --no-print-directory all
	@TEST_MIGSAFE="$(CURDIR)/$(BUILD)/migsafe" tests/run tests/roundtrip
demo: setup
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh $(BUILD)/migsafe
fuzz:
	@scripts/setup.sh --build-only --fuzz
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-run
fuzz-run: $(FUZZERS)
	@tests/fuzz/run $(FUZZERS)
bench:
	@scripts/setup.sh --bench
	@$(MAKE) --no-print-directory all
	@TEST_MIGSAFE="$(CURDIR)/$(BUILD)/migsafe" tests/bench/run
lint:
	@scripts/lint.sh
format:
	clang-format -i $(shell find orchestrator tests -name '*.[ch]')
SHARE := $(DESTDIR)$(PREFIX)/share/migsafe
DOCS  := $(DESTDIR)$(PREFIX)/share/doc/migsafe
# The names that old habits and crontabs know; the others here are for who works on migsafe.
OLD_SCRIPTS := $(filter-out $(addprefix scripts/,check-layers.sh db-fingerprint.sh demo.sh embed-files.sh embed-sql.sh lint.sh \
               node.sh setup.sh with-cluster.sh),$(wildcard scripts/*.sh))
install: $(BUILD)/migsafe
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DOCS)" "$(SHARE)/ci" "$(SHARE)/scripts"
	install -m 0755 $(BUILD)/migsafe "$(DESTDIR)$(PREFIX)/bin/migsafe"
	install -m 0644 README.md LICENSE CHANGELOG.md $(wildcard docs/*.md) "$(DOCS)"
	install -m 0644 scripts/db.mk docs/migsafe.schema.json "$(SHARE)"
	install -m 0755 deploy.sh packaging/docker/entrypoint.sh "$(SHARE)"
	install -m 0644 packaging/ci/github-actions.yml packaging/ci/gitlab-ci.yml "$(SHARE)/ci"
	install -m 0755 $(OLD_SCRIPTS) "$(SHARE)/scripts"
	for file in $(shell find hooks -type f); do mode=0644; [ ! -x "$$file" ] || mode=0755; \
		install -D -m "$$mode" "$$file" "$(SHARE)/$$file" || exit; done
uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/migsafe"
	rm -rf "$(SHARE)" "$(DOCS)"
clean:
	rm -rf build
-include $(shell find build/$(MODE) -name '*.d' 2>/dev/null)
.PHONY: all setup drivers unit test test-programs test-run fault test-asan roundtrip demo bench fuzz fuzz-run lint format install \
        uninstall clean
.SECONDARY:
