# Cargomail: one Makefile for everything.
#
#   sudo make demo      set everything up and tell the story of one message
#   sudo make check     set everything up and run the tests
#   make [all]          the programs, in build/$(VARIANT)
#   make install        into $(DESTDIR)$(PREFIX); make uninstall takes it out
#
# VARIANT is release (default), asan (AddressSanitizer and UBSan) or debug.

VERSION    = 0.2.0
VARIANT   ?= release
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
MANDIR     = $(PREFIX)/share/man
LIBDIR    ?= $(PREFIX)/lib
LIBMODE   ?= 0644
UNITDIR   ?= $(PREFIX)/lib/systemd/system
DESTDIR   ?=
B          = build/$(VARIANT)

CC        ?= gcc
CLANG     ?= clang
PKGS       = libevent_core openssl libsodium libcjson
WARNINGS   = -Wall -Wextra -Wshadow -Wstrict-prototypes \
             -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
             -Wsign-compare -Wformat=2
CFLAGS_release = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_debug   = -O0 -g
SANITIZE_asan  = -fsanitize=address,undefined
SANITIZE_fuzz  = $(SANITIZE_asan)
CFLAGS_asan    = -O1 -g -fno-sanitize-recover=all -fno-omit-frame-pointer \
                 $(SANITIZE_asan)
CFLAGS_fuzz    = $(CFLAGS_asan) -fsanitize=fuzzer-no-link
CFLAGS    ?= $(CFLAGS_$(VARIANT))
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -fPIC $(WARNINGS) $(WERROR) $(CFLAGS) \
             $(CPPFLAGS) -Ilib -DVERSION='"$(VERSION)"' -DPREFIX='"$(PREFIX)"' \
             -DSYSCONFDIR='"$(SYSCONFDIR)"' \
             $(shell pkg-config --cflags $(PKGS))
# libcurl by its OpenSSL flavour: libetpan-dev brings the GnuTLS headers,
# which are the same; symbols bind to the runtime library libcurl4.
ALL_LDFLAGS = $(SANITIZE_$(VARIANT)) -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS        = $(shell pkg-config --libs $(PKGS)) -lldns -llmdb -letpan \
              -l:libcurl.so.4 -lpthread

# What libgrip.so is made of: the grip_ layer that others may link, and what
# of the base layer it stands on, hidden.
GRIP_BASE  = outcome buffer encoding json_strict json_members unix_socket \
             tag_list
GRIP_SRC   = $(wildcard lib/grip_*.c) $(GRIP_BASE:%=lib/%.c)
LIB_SRC    = $(wildcard lib/*.c)
DAEMONS    = gripd mailboxd retrievald broker
CLIENTS    = cargomail cargomailctl
PROGRAMS   = $(DAEMONS:%=$(B)/%) $(CLIENTS:%=$(B)/%)
TESTS      = $(patsubst tests/unit/%.c,$(B)/%,$(wildcard tests/unit/test_*.c))
FUZZERS    = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ARCHIVES   = $(DAEMONS:%=$(B)/%.a) $(B)/client.a

all: $(PROGRAMS) $(B)/libgrip.so.0

include tests/lab/lab.mk

# ---- compiling -------------------------------------------------------------

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(dir $<) -MMD -MP -c -o $@ $<

# Hidden but for what carries GRIP_EXPORT.
$(B)/obj/so/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fvisibility=hidden -MMD -MP -c -o $@ $<

$(B)/libgrip.so.0: $(patsubst %.c,$(B)/obj/so/%.o,$(GRIP_SRC))
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,libgrip.so.0 \
	    -o $@ $^ $(shell pkg-config --libs openssl libsodium libcjson)
	ln -sf libgrip.so.0 $(B)/libgrip.so

# The rest of lib, and once more with libgrip inside for tests that look at
# what the shared library hides.
$(B)/libcargo.a: $(call obj,$(filter-out lib/grip_%,$(LIB_SRC)))
$(B)/liball.a: $(call obj,$(LIB_SRC))
$(B)/client.a: $(call obj,$(filter-out client/main_%,$(wildcard client/*.c)))
define daemon_archive
$(B)/$(1).a: $(call obj,$(filter-out $(1)/main.c,$(wildcard $(1)/*.c)))
endef
$(foreach d,$(DAEMONS),$(eval $(call daemon_archive,$(d))))

%.a:
	rm -f $@
	ar rcs $@ $(filter %.o,$^)

# Finds libgrip beside it, or installed below PREFIX; packages set it empty.
RPATH ?= -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib'

$(DAEMONS:%=$(B)/%): $(B)/%: $(B)/obj/%/main.o $(B)/%.a $(B)/libcargo.a \
    $(B)/libgrip.so.0
	$(CC) $(ALL_LDFLAGS) $(RPATH) -o $@ $(B)/obj/$*/main.o $(B)/$*.a \
	    -L$(B) -lgrip $(B)/libcargo.a $(LIBS)

$(CLIENTS:%=$(B)/%): $(B)/%: $(B)/obj/client/main_%.o $(B)/client.a \
    $(B)/libcargo.a $(B)/libgrip.so.0
	$(CC) $(ALL_LDFLAGS) $(RPATH) -o $@ $(B)/obj/client/main_$*.o \
	    $(B)/client.a -L$(B) -lgrip $(B)/libcargo.a $(LIBS)

# ---- set-up and installation -----------------------------------------------

# Compilers, libraries and the tool that makes the lab's tree; no server.
DEPS = build-essential pkg-config libevent-dev libssl-dev libsodium-dev \
       libcjson-dev libldns-dev liblmdb-dev libetpan-dev libcurl4 zlib1g-dev \
       clang clang-format libclang-rt-14-dev mandoc mmdebstrap iproute2 \
       util-linux procps openssl gnupg python3 ca-certificates \
       python3-prometheus-client

APT_GET = DEBIAN_FRONTEND=noninteractive apt-get install -qy \
          --no-install-recommends

# Installs the packages $(1), unless all of them are there. That dpkg knows
# one by name does not mean that it is installed.
need = dpkg-query -W -f '$${db:Status-Status}\n' $(1) 2>&1 | \
	    grep -qv '^installed$$' || exit 0; set -e; apt-get update -q; \
	    $(APT_GET) $(1)

deps:
	@$(call need,$(DEPS))

SUBSTITUTE = sed 's|@PREFIX@|$(PREFIX)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g; \
             s|@LIBDIR@|$(LIBDIR)|g; s|@VERSION@|$(VERSION)|g'
UNITS      = $(patsubst etc/%,$(B)/%,$(wildcard etc/systemd/*))

$(B)/libgrip.pc: etc/libgrip.pc.in
	@mkdir -p $(@D)
	$(SUBSTITUTE) $< > $@

$(UNITS): $(B)/systemd/%: etc/systemd/%
	@mkdir -p $(@D)
	$(SUBSTITUTE) $< > $@

# PACKAGES of etc/manifest; empty: all of them.
PACKAGES     ?=
INSTALL_FILES = B='$(B)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' \
                MANDIR='$(MANDIR)' LIBDIR='$(LIBDIR)' UNITDIR='$(UNITDIR)' \
                DESTDIR='$(DESTDIR)' LIBMODE='$(LIBMODE)' etc/install-files

# Made of etc/manifest: for systemd-sysusers, systemd-tmpfiles, and what check
# and create-users read, which for gripd has the library, too.
SERVERS       = $(DAEMONS:%=cargomail-%)
FROM_MANIFEST = $(SERVERS:%=$(B)/sysusers/%.conf) \
                $(SERVERS:%=$(B)/tmpfiles/%.conf) \
                $(SERVERS:%=$(B)/manifest/%)

$(FROM_MANIFEST): etc/manifest etc/install-files
$(B)/sysusers/%.conf:
	@mkdir -p $(@D)
	$(INSTALL_FILES) -u $* > $@
$(B)/tmpfiles/%.conf:
	@mkdir -p $(@D)
	$(INSTALL_FILES) -t $* > $@
$(B)/manifest/%: $(UNITS)
	@mkdir -p $(@D)
	$(INSTALL_FILES) -m $* $(if $(filter %-gripd,$*),libgrip0) > $@

INSTALLED = all $(B)/libgrip.pc $(UNITS) $(FROM_MANIFEST)

install: $(INSTALLED)
	$(INSTALL_FILES) $(PACKAGES)

uninstall:
	$(INSTALL_FILES) -r $(PACKAGES)

# "MODE PATH" of each file, for packages and tests; needs what install needs.
list-files:
	@$(INSTALL_FILES) -l $(PACKAGES)

# Debian packages, in build/deb. Built in a copy, so that the tree stays clean.
DEB_DEPS = debhelper dpkg-dev fakeroot lintian
DEB_COPY = build/deb/cargomail-$(VERSION)
COPY     = tar -c --exclude=./build --exclude=./.git . | tar -x -C

deb: deps
	@$(call need,$(DEB_DEPS))
	rm -rf build/deb
	mkdir -p $(DEB_COPY)
	$(COPY) $(DEB_COPY)
	cd $(DEB_COPY) && dpkg-buildpackage -b -us -uc -j2
	lintian -i --pedantic --fail-on error,warning \
	    build/deb/cargomail_$(VERSION)_*.changes

# RPM packages, in build/rpm. On Debian: what they need to be built came with
# deps, under Debian's names (--nodeps), and etc/rpm/macros stands for what
# Fedora's systemd-rpm-macros and redhat-rpm-config define.
RPM_TOP    = $(CURDIR)/build/rpm
RPM_MACROS = $(if $(wildcard /etc/debian_version),\
                 --nodeps --load $(CURDIR)/etc/rpm/macros)

rpm: deps
	@$(call need,rpm rpmlint)
	rm -rf build/rpm
	mkdir -p build/rpm/SOURCES build/rpm/cargomail-$(VERSION)
	$(COPY) build/rpm/cargomail-$(VERSION)
	tar -cz -C build/rpm -f build/rpm/SOURCES/cargomail-$(VERSION).tar.gz \
	    --remove-files cargomail-$(VERSION)
	$(SUBSTITUTE) etc/rpm/cargomail.spec.in > build/rpm/cargomail.spec
	rpmbuild -bb $(RPM_MACROS) --define '_topdir $(RPM_TOP)' \
	    build/rpm/cargomail.spec
	rpmlint -c etc/rpm/rpmlint.toml build/rpm/cargomail.spec build/rpm/RPMS

# Both, and `make install`, hold what etc/manifest says.
check-packages: deb rpm
	tests/run tests/install/check-packages

# The same source makes the same packages, byte for byte.
BUILT = find deb/*.deb rpm/RPMS -name '*.deb' -o -name '*.rpm' | sort
check-reproducible: deb rpm
	cd build && sha256sum $$($(BUILT)) > first.sums
	$(MAKE) -s deb rpm
	cd build && sha256sum --check first.sums && rm first.sums

# ---- tests -----------------------------------------------------------------

$(TESTS): $(B)/%: $(B)/obj/tests/unit/%.o $(ARCHIVES) $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(ARCHIVES) $(B)/liball.a $(LIBS)

$(B)/obj/tests/%.o: ALL_CFLAGS += $(addprefix -I,$(DAEMONS) client tests/unit)

# Scripts over a virtual clock: leases, attempts, expiries.
SCENARIOS = $(sort $(wildcard tests/scenario/*.txt))
$(B)/scenario_pulls: $(B)/obj/tests/scenario/scenario_pulls.o $(ARCHIVES) \
    $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(ARCHIVES) $(B)/liball.a $(LIBS)

# Any backend of the store; the store killed at each point.
STORE_TESTS = $(B)/conformance $(B)/crash_store $(B)/crash_account
$(B)/conformance: $(B)/obj/tests/store/conformance.o
$(B)/crash_store: $(B)/obj/tests/crash/crash_store.o
$(B)/crash_account: $(B)/obj/tests/crash/crash_account.o
$(STORE_TESTS): $(ARCHIVES) $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) \
	    $(B)/liball.a $(LIBS)

# Makes tokens for the attacks of the lab; never installed.
$(B)/forge: $(B)/obj/tests/lab/forge.o $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/liball.a $(LIBS)

# Conversion on the command line, for tests with real signatures.
$(B)/convert: $(B)/obj/tests/convert/convert.o $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/liball.a $(LIBS)

REPLAYS = $(FUZZERS:%=$(B)/replay_%)
$(REPLAYS): $(B)/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o \
    $(B)/obj/tests/fuzz/replay_main.o $(ARCHIVES) $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) \
	    $(B)/liball.a $(LIBS)

unit-tests: $(TESTS) $(STORE_TESTS) $(REPLAYS) $(B)/scenario_pulls $(B)/convert

# Test programs at a time: each is alone with its files, each lab in a cell.
# One more than cores, since they wait a good deal: two left these half idle.
TEST_JOBS ?= 3

# The quick part: no lab. Everything runs with ASan and UBSan.
UNIT_COMMANDS = $(patsubst %,'%',$(TESTS) $(STORE_TESTS)) \
    $(foreach s,$(SCENARIOS),'$(B)/scenario_pulls $(s)') \
    $(foreach f,$(FUZZERS),'$(B)/replay_$(f) tests/fuzz/corpus/$(f)') \
    $(patsubst %,'%',$(sort $(wildcard tests/tree/*)) \
        tests/convert/t-signatures)

check-unit:
	$(MAKE) -j2 VARIANT=asan WERROR=-Werror all unit-tests
	$(MAKE) -s VARIANT=asan run-unit
run-unit:
	tests/run -j $(TEST_JOBS) $(UNIT_COMMANDS)

# The packages on two hosts that systemd runs.
INSTALL_TESTS    = $(sort $(wildcard tests/install/t-*))
INSTALL_COMMANDS = $(foreach t,$(INSTALL_TESTS),'tests/install/install $(t)')
install-packages: deb
	tests/install/previous
install-tree:
	@$(call need,systemd-container)
	tests/lab/make-tree build/install-tree tests/install/packages
check-install: install-packages install-tree
	tests/run $(INSTALL_COMMANDS)

# All of it; what takes longest comes first. The two trees are made while two
# compilers run.
check: deps install-packages rpm
	$(MAKE) -j4 VARIANT=asan WERROR=-Werror lab-tree install-tree all \
	    unit-tests
	$(MAKE) -s VARIANT=asan run-check
run-check:
	LAB_VARIANT=asan tests/run -j $(TEST_JOBS) -e tests/lab/check-faults \
	    $(INSTALL_COMMANDS) \
	    $(foreach t,$(LAB_TESTS),'tests/lab/lab run $(t)') \
	    tests/lab/check-cell tests/install/check-packages $(UNIT_COMMANDS)

lint:
	tests/run $(patsubst %,'%',$(sort $(wildcard tests/tree/*)))

asan:
	$(MAKE) VARIANT=asan all unit-tests

# libFuzzer, FUZZ_SECONDS each; new inputs stay out of the saved corpus.
FUZZ_SECONDS ?= 60
fuzz:
	$(MAKE) VARIANT=fuzz CC=$(CLANG) run-fuzz
FUZZ_PROGRAMS = $(FUZZERS:%=$(B)/fuzz_%)
$(FUZZ_PROGRAMS): $(B)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(ARCHIVES) \
    $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(ARCHIVES) \
	    $(B)/liball.a $(LIBS)
run-fuzz: $(FUZZ_PROGRAMS)
	set -e; for f in $(FUZZERS); do mkdir -p $(B)/corpus/$$f; \
	    $(B)/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -artifact_prefix=$(B)/ $(B)/corpus/$$f tests/fuzz/corpus/$$f; done

demo: deps
	$(MAKE) -j2 all lab-tree
	tests/lab/lab run tests/demo

BENCHES = $(patsubst tests/bench/%.c,$(B)/%,$(wildcard tests/bench/bench_*.c))
$(BENCHES): $(B)/%: $(B)/obj/tests/bench/%.o $(ARCHIVES) $(B)/liball.a
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(ARCHIVES) $(B)/liball.a $(LIBS)
benches: $(BENCHES) $(B)/forge

bench: deps
	$(MAKE) -j2 all benches lab-tree
	$(MAKE) run-bench
run-bench:
	tests/bench/run

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

.PHONY: all deps install uninstall list-files deb rpm check-packages \
    check-reproducible install-packages install-tree check-install \
    unit-tests check-unit run-unit check run-check lint asan fuzz run-fuzz \
    demo benches bench run-bench
.SECONDARY:
