/* SPDX-License-Identifier: ISC
 *
 * check: a host in order, and faults of its daemons, sockets, names, files,
 * disk and queues.
 */
#include "check_fixture.h"
#include "broker_config.h"
#include "gripd_config.h"
#include "mailboxd_config.h"

TEST(a_host_in_order)
{
	struct said said;

	reset();
	CHECK_FOR(run(NULL, OTHER, &said) == CHECK_OK, "%s", said.text);
	CHECK(run("nothing", NULL, &said) == -1);
}

static void
now_ahead(void)
{
	fake.now += 100;
}
static void
now_behind(void)
{
	fake.now -= 30;
}
static void
now_empty(void)
{
	fake.now = 86400;
}
static void
config_bad(void)
{
	fake.config = 78;
}
static void
config_gone(void)
{
	take("/etc/cargomail/mailboxd.conf");
}
static void
broker_down(void)
{
	fake.down = "broker";
}
static void
signer_down(void)
{
	fake.down = "gripd-sign";
}
static void
identities_odd(void)
{
	fake.odd_identities = true;
}
/* The first word has no dot, so that it is no name. */
static void
policy_broken(void)
{
	signer_down();
	put("/etc/cargomail/policy",
	    "bar role=broker\n_cb.bar.test role=broker\n", 0644);
}
static void
resolve_down(void)
{
	fake.down = "gripd-resolve";
}
static void
mailboxd_down(void)
{
	fake.down = "mailboxd";
}
static void
dns_dead(void)
{
	fake.dns_dead = true;
}
static void
dns_insecure(void)
{
	fake.secure = false;
}
static void
dns_untrusted(void)
{
	fake.trusted = false;
}
static void
key_odd(void)
{
	fake.odd_key = true;
}
static void
no_cb(void)
{
	fake.no_record = "_cb.bar.test";
}
static void
no_rm(void)
{
	fake.no_record = "_rm.bar.test";
}
static void
no_marker(void)
{
	fake.no_record = "_cargomail.bar.test";
}
static void
no_host(void)
{
	fake.no_record = "mailbox.bar.test";
}
static void
foreign(void)
{
	fake.uid = getuid() + 1;
}
static void
file_gone(void)
{
	take(PROGRAM);
}
static void
file_open(void)
{
	set_mode(PROGRAM, 0775);
}
static void
file_closed(void)
{
	set_mode(PROGRAM, 0700);
}
static void
room_open(void)
{
	set_mode(STORE, 0750);
}
static void
room_gone(void)
{
	put(MANIFEST "cargomail-broker", "dir 0755 root /none\n", 0644);
}
static void
room_file(void)
{
	put(MANIFEST "cargomail-broker", "dir 0755 root " PROGRAM "\n", 0644);
}
static void
no_manifest(void)
{
	take(MANIFEST "cargomail-broker");
	take(MANIFEST "cargomail-mailboxd");
}
static void
proxy(void)
{
	fake.by_key = OUTCOME_TEMPFAIL;
}
static void
no_ca(void)
{
	fake.by_ca = OUTCOME_TEMPFAIL;
	fake.word = "certificate";
}
static void
unreachable(void)
{
	fake.by_ca = fake.by_key = OUTCOME_TEMPFAIL;
}
static void
agent_odd(void)
{
	fake.agent = "_rra.x.test";
}
static void
agent_none(void)
{
	fake.agent = "";
}
static void
other_down(void)
{
	fake.other = OUTCOME_TEMPFAIL;
}
static void
no_domain(void)
{
	put("/etc/cargomail/destinations",
	    "@sub.bar.test * https://mailbox.bar.test\n@bar.test * -\n", 0644);
}
static void
others_slow(void)
{
	fake.slow = 40;
	put("/etc/cargomail/destinations",
	    "@bar.test * https://a.test\n@foo.test * https://b.test\n", 0644);
}
static void
socket_gone(void)
{
	take(BASE "/broker/run/sign.sock");
}
static void
socket_file(void)
{
	put(BASE "/broker/run/sign.sock", "", 0600);
}
static void
socket_open(void)
{
	put_socket(BASE "/mailbox/run/sign.sock", 0660);
}
#define LISTENER(address, port, state) \
	"   0: " address ":" port " 00000000:0000 " state \
	" 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
#define V6 "00000000000000000000000000000000"
static void
port_shared(void)
{
	put("/proc/net/tcp",
	    "  sl  local_address rem_address   st\n" LISTENER("00000000",
		"01BB", "0A") LISTENER("140AC4C6", "01BB", "0A"),
	    0444);
}
static void
port_shared_v6(void)
{
	take("/proc/net/tcp");
	put("/proc/net/tcp6",
	    LISTENER(V6, "01BB", "0A") LISTENER(V6, "01BB", "0A"), 0444);
}
/* One each; and connections, other ports, two addresses of ours. */
static void
port_alone(void)
{
	put("/proc/net/tcp",
	    LISTENER("00000000", "01BB", "0A") LISTENER("140AC4C6", "01BB",
		"01") LISTENER("00000000", "0050", "0A"),
	    0444);
	put("/proc/net/tcp6",
	    LISTENER(V6 "1", "01BB", "0A")
		LISTENER("140AC4C6000000000000000000000001", "01BB", "0A")
		    LISTENER("140AC4C6000000000000000000000002", "01BB", "0A"),
	    0444);
}
static void
no_way_back(void)
{
	take("/proc/7/root/run/postfix/cargomail-back");
}
static void
space_low(void)
{
	fake.room.bytes = 1 << 20;
}
static void
space_odd(void)
{
	fake.room.bytes = 3 << 29;
}
static void
space_closed(void)
{
	fake.room.read_only = true;
}
static void
space_files(void)
{
	fake.room.files = 99;
}
static void
space_none(void)
{
	fake.no_room = true;
}
static void
pulls_old(void)
{
	fake.attempt = 9;
}
static void
mails_old(void)
{
	fake.mails = "{\"arrival_time\":1,\"recipients\":[{\"delay_reason\":"
		     "\"cargomail/in.sock: no\"}]}\n{\n";
}

TEST(each_fault_is_named)
{
	static const struct fault faults[] = {
		{ now_ahead, "time", "fail", "101 s ahead of", "time daemon" },
		{ now_behind, "time", "warn", "29 s behind", "time daemon" },
		{ now_empty, "time", "fail", "1970-01-02", "set it" },
		{ config_bad, "configuration", "fail",
		    "broker: x.conf:3: no_key: unknown key |", "-n" },
		{ config_gone, "configuration", "fail", "mailboxd.conf is not",
		    "examples" },
		{ broker_down, "daemons", "fail", "broker: does not answer",
		    "journalctl" },
		{ file_gone, "files", "fail", "sbin/broker: No such file",
		    "--reinstall cargomail-broker" },
		{ file_open, "files", "fail", "open to others: mode 0775",
		    "chmod 0755" },
		{ file_closed, "files", "warn", "mode 0700; wanted: 0755",
		    "chmod 0755" },
		{ foreign, "files", "fail", "belongs to uid", "chown root:" },
		{ room_open, "files", "fail", "store: is open to others",
		    "chmod 0700" },
		{ room_gone, "files", "fail", "/none: No such file",
		    "systemd-tmpfiles" },
		{ room_file, "files", "fail", "is no directory",
		    "create-users" },
		{ no_manifest, "files", "warn", "manifest: is not there",
		    "install again" },
		{ identities_odd, "keys", "ok", "3 of 3", "" },
		{ policy_broken, "keys", "ok", "1 of 1", "" },
		{ socket_gone, "sockets", "fail", "No such file", "restart" },
		{ socket_file, "sockets", "fail", "is no socket", "restart" },
		{ socket_open, "sockets", "fail", "mode 0660", "chmod 600" },
		{ foreign, "sockets", "fail", "belongs to uid", "chown" },
		{ port_shared, "sockets", "fail",
		    "port 443: another program listens there", "ss -ltnp" },
		{ port_shared_v6, "sockets", "fail",
		    "port 443: another program listens there",
		    "restart cargomail-https.socket" },
		{ port_alone, "sockets", "ok", "all 10 in their places", "" },
		{ no_way_back, "sockets", "fail", "broker's room", "mount" },
		{ resolve_down, "resolver", "warn", "cannot be asked", "mend" },
		{ policy_broken, "resolver", "ok", "answers, and validates",
		    "" },
		{ dns_dead, "resolver", "fail", "no server answers",
		    "after a change: systemctl restart cargomail-gripd-res" },
		{ dns_insecure, "resolver", "warn", "validates nothing",
		    "then: systemctl restart cargomail-gripd-resolve" },
		{ dns_untrusted, "resolver", "warn", "not trusted",
		    "then: systemctl restart cargomail-gripd-resolve" },
		{ dns_dead, "dns", "fail", "no server answers", "dig" },
		{ key_odd, "dns", "fail", "_cb.bar.test: publishes another",
		    "publish: _cb.bar.test. IN TXT \"v=grip1;" },
		{ no_cb, "dns", "fail", "_cb.bar.test: has no record",
		    "publish" },
		{ no_rm, "dns", "warn", "_rm.bar.test: has no record",
		    "publish" },
		{ no_marker, "dns", "warn", "_cargomail.bar.test: has no",
		    "v=cargomail1" },
		{ no_host, "dns", "fail", "has no address", "IN A" },
		{ proxy, "public", "fail", "another key", "layer 4" },
		{ no_ca, "public", "warn", "not believed", "public CA" },
		{ unreachable, "public", "fail", "cannot be reached",
		    "port 443" },
		{ agent_odd, "public", "fail", "_rra.x.test", "restart" },
		{ others_slow, "time", "ok", "b.test: clocks agree", "" },
		{ no_domain, "maps", "warn", "has no mailbox for bar.test",
		    "echo '@bar.test * https://mailbox.bar.test' >> " },
		{ other_down, "maps", "fail", "cannot be reached",
		    "destinations" },
		{ agent_none, "maps", "fail", "is no Resource Mailbox",
		    "correct" },
		{ other_down, "peer", "fail", "cannot be reached", "curl" },
		{ space_low, "store", "fail", "less than", "make room" },
		{ space_odd, "store", "warn", "free; below", "enlarge" },
		{ space_closed, "store", "fail", "is read-only", "remount,rw" },
		{ space_files, "store", "warn", "room for 99 files", "inodes" },
		{ space_none, "store", "fail", "is not there", "mount" },
		{ pulls_old, "queue", "warn", "1 of 1 have failed", "queue" },
		{ mailboxd_down, "queue", "warn",
		    "pulls: cannot be counted: Connection refused", "daemons" },
		{ mails_old, "queue", "warn", "1 in the queue for the broker",
		    "mailq" },
		{ signer_down, "keys", "ok", "3 of 3", "" },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}

static void
same_defaults(const struct config_key *ours, const struct config_key *theirs)
{
	for (; ours->name != NULL; ours++) {
		const struct config_key *key = theirs;

		while (key->name != NULL && strcmp(key->name, ours->name) != 0)
			key++;
		CHECK_FOR(key->name != NULL && key->type == ours->type, "%s",
		    ours->name);
		if (key->name != NULL && key->fallback != NULL)
			CHECK_STRING(ours->fallback, key->fallback);
	}
}

TEST(a_clock_without_others)
{
	struct said said;

	reset();
	put("/etc/cargomail/destinations",
	    "@bar.test * https://mailbox.bar.test\n", 0644);
	run("time", NULL, &said);
	CHECK_FOR(strstr(said.text, "no mailbox of others") != NULL, "%s",
	    said.text);
}

/* Who is asked by another host has half a minute, and maps of his own. */
TEST(a_peer_is_asked_alone)
{
	struct said said;
	char line[80];
	FILE *map;
	char *path = at("/etc/cargomail/destinations");

	reset();
	map = fopen(path, "w");
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "@d%d.test * https://m%d.test\n",
		    i, i);
		fputs(line, map);
	}
	fclose(map);
	free(path);
	run("peer", "https://peer.test", &said);
	CHECK_FOR(strstr(said.text, "peer.test: answers") != NULL, "%s",
	    said.text);
	CHECK(fake.fetches == 1);
}

TEST(keys_are_the_daemons_own)
{
	same_defaults(check_config_gripd, gripd_config_keys);
	same_defaults(check_config_mailboxd, mailboxd_config_keys());
	same_defaults(check_config_broker, broker_config_keys);
}

int
main(void)
{
	if (host_begin() != 0)
		return 1;
	RUN(a_host_in_order);
	RUN(each_fault_is_named);
	RUN(a_clock_without_others);
	RUN(a_peer_is_asked_alone);
	RUN(keys_are_the_daemons_own);
	host_end();
	return test_done();
}
