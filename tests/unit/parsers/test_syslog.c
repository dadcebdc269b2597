/* test_syslog.c - the RFCs' own examples, and what is met beside them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "agent/flow/parser.h"
#include "tests/unit/trees.h"

#define BOM     "\xef\xbb\xbf"
#define MARCH_1 1709318771000       /* 2024-03-01T18:46:11Z */

extern const struct parser_type syslog_parser_type;

static struct names     *names;
static struct arena      tree, arena;
static struct errors     errs;
static struct record     rec;
static struct parse_work work;
static struct parser    *parser;
static struct node      *conf;

static int
set_up(void **state)
{
    (void)state;
    names = names_new();
    arena_init(&tree);
    arena_init(&arena);
    work = (struct parse_work){ .pattern = pattern_work_new(1), .arena = &arena };
    conf = tree_root_map(&tree);
    parser = NULL;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    if (parser != NULL)
        parser->ops->free(parser);
    record_fini(&rec);
    pattern_work_free(work.pattern);
    errors_fini(&errs);
    arena_fini(&arena);
    arena_fini(&tree);
    names_free(names);
    unsetenv("TZ");
    tzset();
    return 0;
}

static void
given_setting(const char *key, const char *text)
{
    (void)tree_entry(&tree, conf, key, NODE_SCALAR, text);
}

static void
when_loaded(void)
{
    parser = syslog_parser_type.load("parser 'logs'", conf, names, &errs);
    if (parser == NULL)
        fail_msg("%s", errs.list[0].text);
    names_ask_all(names);
    record_init(&rec, names);
}

static int
parse_slice(struct slice line)
{
    if (parser == NULL) {
        given_setting("zone", "UTC");
        when_loaded();
    }
    work.reason = NULL;
    arena_reset(&arena);
    record_begin(&rec, line, line, 0);
    return parser->ops->parse(parser, &work, &rec);
}

static void
when_parsed(const char *line)
{
    if (parse_slice(slice_of(line)) == -1)
        fail_msg("'%s': %s", line, work.reason);
}

static void
then_refused(const char *line, const char *reason)
{
    assert_int_equal(parse_slice(slice_of(line)), -1);
    assert_string_equal(work.reason, reason);
}

static const struct value *
find(const char *name)
{
    for (uint32_t i = 0; i < rec.nvalues; i++)
        if (slice_is(rec.values[i].name, name))
            return &rec.values[i];
    return NULL;
}

static void
then_is(const char *name, const char *expected)
{
    const struct value *v = find(name);

    if (expected == NULL && v == NULL)
        return;
    if (v == NULL || expected == NULL || !slice_is(v->text, expected))
        fail_msg("'%.*s': %s is '%.*s', not '%s'", SLICE_ARG(rec.body), name,
                 v != NULL ? (int)v->text.len : 6, v != NULL ? v->text.ptr : "(none)", expected);
}

static void
then_time_is(int64_t expected)
{
    if (!rec.has_time || rec.time_ms != expected)
        fail_msg("'%.*s': the time is %lld, not %lld", SLICE_ARG(rec.body),
                 rec.has_time ? (long long)rec.time_ms : -1, (long long)expected);
}

/* ---- RFC 5424 ------------------------------------------------------------ */

/* Section 6.5, examples 1 to 4. */
static void
the_examples_of_rfc_5424(void **state)
{
    (void)state;
    when_parsed("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - " BOM
                "'su root' failed for lonvick on /dev/pts/8");
    then_is("facility", "4");
    then_is("severity", "2");
    then_is("version", "1");
    then_is("hostname", "mymachine.example.com");
    then_is("appname", "su");
    then_is("procid", NULL);
    then_is("msgid", "ID47");
    then_is("message", "'su root' failed for lonvick on /dev/pts/8");
    then_time_is(1065910455003);
    assert_int_equal(rec.nvalues, 7);
    assert_int_equal(find("facility")->type, VALUE_NUMBER);
    assert_int_equal(find("severity")->type, VALUE_NUMBER);
    assert_int_equal(find("hostname")->type, VALUE_TEXT);

    when_parsed("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - "
                "%% It's time to make the do-nuts.");
    then_is("facility", "20");
    then_is("severity", "5");
    then_is("hostname", "192.0.2.1");
    then_is("procid", "8710");
    then_is("msgid", NULL);
    then_is("message", "%% It's time to make the do-nuts.");
    then_time_is(1061727255000);

    when_parsed("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
                "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] " BOM
                "An application event log entry...");
    then_is("structured_data.exampleSDID@32473.iut", "3");
    then_is("structured_data.exampleSDID@32473.eventSource", "Application");
    then_is("structured_data.exampleSDID@32473.eventID", "1011");
    then_is("message", "An application event log entry...");

    when_parsed("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
                "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]"
                "[examplePriority@32473 class=\"high\"]");
    then_is("structured_data.examplePriority@32473.class", "high");
    then_is("structured_data.exampleSDID@32473.iut", "3");
    then_is("message", NULL);
}

/* Section 6.3.5, examples 3 to 5; 3 and 4 are no structured data, in part or at all. */
static void
the_structured_data_of_rfc_5424(void **state)
{
    (void)state;
    when_parsed("<165>1 - h a - i [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" "
                "eventID=\"1011\"] [examplePriority@32473 class=\"high\"]");
    then_is("structured_data.exampleSDID@32473.eventID", "1011");
    then_is("structured_data.examplePriority@32473.class", NULL);
    then_is("message", "[examplePriority@32473 class=\"high\"]");
    when_parsed("<165>1 - h a - i [ exampleSDID@32473 iut=\"3\"]"
                "[examplePriority@32473 class=\"high\"]");
    then_is("structured_data.examplePriority@32473.class", NULL);
    then_is("message", "[ exampleSDID@32473 iut=\"3\"][examplePriority@32473 class=\"high\"]");
    when_parsed("<165>1 - h a - i [sigSig ver=\"1\" rsID=\"1234\" iut=\"3\" "
                "signature=\"...\"]");
    then_is("structured_data.sigSig.signature", "...");
}

/* Section 6.2.3.1, examples 1 to 5; the last has more digits than the RFC allows, as Go writes
 * them. */
static void
the_times_of_rfc_5424(void **state)
{
    static const struct {
        const char *text;
        int64_t     ms;
    } times[] = {
        { "1985-04-12T23:20:50.52Z", 482196050520 },
        { "1985-04-12T19:20:50.52-04:00", 482196050520 },
        { "2003-10-11T22:14:15.003Z", 1065910455003 },
        { "2003-08-24T05:14:15.000003-07:00", 1061727255000 },
        { "2003-08-24T05:14:15.000000003-07:00", 1061727255000 },
    };
    char line[80];

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        snprintf(line, sizeof line, "<165>1 %s h a - - - x", times[i].text);
        when_parsed(line);
        then_time_is(times[i].ms);
    }
}

static void
nil_values_are_missing_fields(void **state)
{
    (void)state;
    when_parsed("<0>1 - - - - - -");
    assert_int_equal(rec.nvalues, 3);       /* facility, severity, version */
    assert_false(rec.has_time);
    when_parsed("<191>1 - - - - - - ");
    then_is("facility", "23");
    then_is("severity", "7");
    then_is("message", "");
}

static void
escapes_in_values_are_undone(void **state)
{
    (void)state;
    when_parsed("<34>1 - h a - i [x@1 q=\"\\\"a\\\" \\\\ \\] \\n\" e=\"\" s=\"a] [b\"] m");
    then_is("structured_data.x@1.q", "\"a\" \\ ] \\n");
    then_is("structured_data.x@1.e", "");
    then_is("structured_data.x@1.s", "a] [b");
    then_is("message", "m");
}

static void
the_longest_id_is_meant(void **state)
{
    (void)state;
    when_parsed("<34>1 - h a - i [a.b c=\"long\"][a b.c=\"short\" d=\"1\"][a b.c=\"shorter\"]");
    then_is("structured_data.a.b.c", "long");
    then_is("structured_data.a.d", "1");
    when_parsed("<34>1 - h a - i [a b.c=\"short\"][a.b c=\"long\"]");
    then_is("structured_data.a.b.c", "long");
    when_parsed("<34>1 - h a - i [a b.c=\"1\" d.e.f.g.h.i=\"2\"] m");
    then_is("structured_data.a.b.c", "1");
    then_is("structured_data.a.d.e.f.g.h.i", "2");
    when_parsed("<34>1 - h a - i [o ip=\"192.0.2.1\" ip=\"192.0.2.129\"]");
    then_is("structured_data.o.ip", "192.0.2.129");
}

static void
structured_data_may_be_left_out(void **state)
{
    (void)state;
    when_parsed("<40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed to up");
    then_is("procid", "web.3");
    then_is("message", "State changed to up");
    when_parsed("<40>1 - host app web.3 - [no data] at all");
    then_is("message", "[no data] at all");
    when_parsed("<40>1 - host app web.3 - [id=5] x");
    then_is("message", "[id=5] x");
    when_parsed("<40>1 - host app web.3 - [id] x");
    then_is("message", "x");
    when_parsed("<40>1 - host app web.3 - -x");
    then_is("message", "-x");
}

static void
broken_messages_say_so(void **state)
{
    (void)state;
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a - i [x@1 a=\"b", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a - i [x@1 a=\"b\"", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a - i [x@1 a=\"b\\", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a - i [x@1 a=\"b\" c]", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a - i", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z h a -", "broken syslog");
    then_refused("<34>1 2003-10-11T22:14:15.003Z", "broken syslog");
    assert_int_equal(rec.nvalues, 0);
    assert_false(rec.has_time);
}

static void
a_time_that_cannot_be_says_so_and_leaves_the_fields(void **state)
{
    (void)state;
    then_refused("<34>1 2003-02-30T22:14:15Z h a - i - m", "bad time");
    then_is("message", "m");
    then_refused("<34>1 2003-10-11T22:14:15.003+25:00 h a - i - m x", "bad time");
    then_refused("<34>Oct 41 22:14:15 h su: m", "bad time");
    then_is("appname", "su");
    then_refused("<34>Feb 30 22:14:15 h su: m", "bad time");
    then_refused("Oct 11 24:14:15 h su: m", "bad time");
    then_refused("2024-13-01T12:00:00Z h su: m", "bad time");
    assert_false(rec.has_time);
    then_is("hostname", "h");
    then_is("message", "m");
}

/* ---- RFC 3164 ------------------------------------------------------------ */

/* Section 5.4; in example 3 and 4 we read more than the RFC asks of a relay. */
static void
the_examples_of_rfc_3164(void **state)
{
    (void)state;
    when_parsed("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8");
    then_is("facility", "4");
    then_is("severity", "2");
    then_is("hostname", "mymachine");
    then_is("appname", "su");
    then_is("procid", NULL);
    then_is("message", "'su root' failed for lonvick on /dev/pts/8");
    assert_true(rec.has_time);

    then_refused("Use the BFG!", "no match");
    when_parsed("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!");
    then_is("hostname", "10.0.0.99");
    then_is("appname", NULL);
    then_is("message", "Use the BFG!");

    when_parsed("<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the "
                "do-nuts.  %%  Ingredients: Mix=OK, Jelly=OK # %%");
    then_time_is(556803240000);
    then_is("hostname", "mymachine");
    then_is("appname", "myproc");
    then_is("procid", "10");
    then_is("message", "%% It's time to make the do-nuts.  %%  Ingredients: Mix=OK, Jelly=OK # %%");

    when_parsed("<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: "
                "That's All Folks!");
    then_time_is(656614321000);
    then_is("hostname", "scapegoat.dmz.example.org");
    then_is("message", "10.1.2.3 sched[0]: That's All Folks!");
    when_parsed("<0>Oct 22 10:52:12 scapegoat 1990 Oct 22 10:52:01 TZ-6 "
                "scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!");
    then_is("hostname", "scapegoat");
    then_is("message", "1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: "
            "That's All Folks!");
}

static const struct shape {
    const char *line, *hostname, *appname, *procid, *message;
    int64_t     time;           /* 0: none; 1: some, of this year or the last */
} shapes[] = {
    /* As files have them, without a priority. */
    { "Mar  1 18:46:11 web-1 sshd[24200]: Invalid user x", "web-1", "sshd", "24200",
      "Invalid user x", 1 },
    { "Mar 1 18:46:11 web-1 sshd[24200]: one blank", "web-1", "sshd", "24200", "one blank", 1 },
    { "Mar 01 18:46:11 web-1 systemd-logind[1]: x", "web-1", "systemd-logind", "1", "x", 1 },
    { "Mar  1 18:46:11 web-1 sudo:   ubuntu : TTY=pts/0 ; PWD=/", "web-1", "sudo", NULL,
      "  ubuntu : TTY=pts/0 ; PWD=/", 1 },
    { "Mar  1 18:46:11 web-1 kernel: [    0.000000] Linux", "web-1", "kernel", NULL,
      "[    0.000000] Linux", 1 },
    { "Mar  1 18:46:11 web-1 su(pam_unix)[3]: opened", "web-1", "su(pam_unix)", "3", "opened", 1 },
    { "Mar  1 18:46:11 web-1 postfix/smtpd[3]: x", "web-1", "postfix/smtpd", "3", "x", 1 },
    { "Mar  1 18:46:11 web-1 app[3] (sub[4]): x", "web-1", "app", "3", "(sub[4]): x", 1 },
    { "Mar  1 18:46:11 web-1 CRON[3]:", "web-1", "CRON", "3", "", 1 },
    { "Mar  1 18:46:11 fe80::1 app: x", "fe80::1", "app", NULL, "x", 1 },
    { "Mar  1 18:46:11 2001:db8:: app: x", "2001:db8::", "app", NULL, "x", 1 },
    { "Mar  1 18:46:11 web-1 no tag at all: x", "web-1", NULL, NULL, "no tag at all: x", 1 },
    { "Mar  1 18:46:11 web-1 http://x/ y", "web-1", NULL, NULL, "http://x/ y", 1 },
    { "Mar  1 18:46:11 web-1", "web-1", NULL, NULL, "", 1 },
    { "Mar  1 18:46:11", NULL, NULL, NULL, "", 1 },
    /* Without a host: what a process sends to /dev/log. */
    { "<86>Mar  1 18:46:11 sshd[24200]: x", NULL, "sshd", "24200", "x", 1 },
    { "<86>Mar  1 18:46:11 sshd: x", NULL, "sshd", NULL, "x", 1 },
    { "<86>Mar  1 18:46:11 - sshd: x", NULL, "sshd", NULL, "x", 1 },
    { "<78>Mar  1 2024 18:46:11 CRON: (root) CMD", NULL, "CRON", NULL, "(root) CMD", MARCH_1 },
    { "<14>Mar  1 2024 18:46:11 CEF:0|Vendor|x", NULL, NULL, NULL, "CEF:0|Vendor|x", MARCH_1 },
    { "<14>Mar  1 2024 18:46:11 web-1 CEF:0|x", "web-1", NULL, NULL, "CEF:0|x", MARCH_1 },
    /* Repeated. */
    { "Mar  1 18:46:11 web-1 last message repeated 2 times", "web-1", NULL, NULL,
      "last message repeated 2 times", 1 },
    { "Mar  1 18:46:11 last message repeated 2 times", NULL, NULL, NULL,
      "last message repeated 2 times", 1 },
    { "Mar  1 18:46:11 --- last message repeated 1 time ---", NULL, NULL, NULL,
      "--- last message repeated 1 time ---", 1 },
    { "Mar  1 18:46:11 web-1 sshd[7]: message repeated 2 times: [ x]", "web-1", "sshd", "7",
      "message repeated 2 times: [ x]", 1 },
    /* RFC 3339. */
    { "2024-03-01T19:46:11.000001+01:00 web-1 sshd[7]: x", "web-1", "sshd", "7", "x", MARCH_1 },
    { "<38>2024-03-01T18:46:11Z web-1 sshd[7]: x", "web-1", "sshd", "7", "x", MARCH_1 },
    { "2024-03-01 18:46:11,250 web-1 sshd: x", "web-1", "sshd", NULL, "x", MARCH_1 + 250 },
    { "<166>2024-03-01T18:46:11Z: %ASA-6-110002: x", NULL, "%ASA-6-110002", NULL, "x", MARCH_1 },
    { "<166>2024-03-01T18:46:11Z fw : %ASA-6-110002: x", "fw", "%ASA-6-110002", NULL, "x",
      MARCH_1 },
    /* A year, a fraction, a zone. */
    { "<166>Mar 01 2024 18:46:11 fw-1 : %ASA-6-302013: x", "fw-1", "%ASA-6-302013", NULL, "x",
      MARCH_1 },
    { "<166>Mar 01 2024 18:46:11: %ASA-6-302013: x", NULL, "%ASA-6-302013", NULL, "x", MARCH_1 },
    { "Mar  1 18:46:11 2024 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 },
    { "2024 Mar  1 18:46:11 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 },
    { "Mar  1 2024 18:46:11.123456 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 + 123 },
    { "Mar  1 2024 18:46:11,5 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 + 500 },
    { "Mar  1 2024 19:46:11 +0100 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 },
    { "Mar  1 2024 19:46:11 UTC+1 web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 },
    { "Mar  1 2024 19:46:11 UTC web-1 app: x", "web-1", "app", NULL, "x", MARCH_1 + 3600000 },
    { "Mar  1 2024 18:46:11 WEB app: x", "WEB", "app", NULL, "x", MARCH_1 },
    /* Cisco. */
    { "<189>29: *Mar  1 2024 18:46:11.123 UTC: %SYS-5-CONFIG_I: x", NULL, "%SYS-5-CONFIG_I", NULL,
      "x", MARCH_1 + 123 },
    { "<189>29: r1: .Mar  1 2024 19:46:11 CET: %SYS-5-CONFIG_I: x", "r1", "%SYS-5-CONFIG_I", NULL,
      "x", MARCH_1 },
    { "<189>r1: Mar  1 2024 18:46:11: %SYS-5-CONFIG_I: x", "r1", "%SYS-5-CONFIG_I", NULL, "x",
      MARCH_1 },
    { "000029: *Mar  1 18:46:11: %SYS-5-CONFIG_I: x", NULL, "%SYS-5-CONFIG_I", NULL, "x", 1 },
    { "<189>29: %SYS-5-CONFIG_I: x", NULL, "%SYS-5-CONFIG_I", NULL, "x", 0 },
    { "Mar  1 18:46:11 r1 29: %SYS-5-CONFIG_I: x", "r1", "%SYS-5-CONFIG_I", NULL, "x", 1 },
    { "Mar  1 2024 18:46:11 r1 29: *Mar  1 00:00:07.1 UTC: %SYS-5-CONFIG_I: x", "r1",
      "%SYS-5-CONFIG_I", NULL, "x", MARCH_1 },
    { "Mar  1 2024 18:46:11 fw-1: %ASA-6-302013: x", "fw-1", "%ASA-6-302013", NULL, "x", MARCH_1 },
    { "<189>29: Mar  1 2024 18:46:11.123 MET: %SYS-5-CONFIG_I: x", NULL, "%SYS-5-CONFIG_I", NULL,
      "x", MARCH_1 + 123 },
    { "<189>: 2024 Mar  1 18:46:11 UTC: %ETHPORT-5-IF_UP: x", NULL, "%ETHPORT-5-IF_UP", NULL,
      "x", MARCH_1 },
    { "<189>: n9k: 2024 Mar  1 18:46:11.123 UTC: %ETHPORT-5-IF_UP: x", "n9k", "%ETHPORT-5-IF_UP",
      NULL, "x", MARCH_1 + 123 },
    { "Mar  1 2024 18:46:11 n9k : 2024 Mar  1 18:46:09 UTC: %ETHPORT-5-IF_UP: x", "n9k",
      "%ETHPORT-5-IF_UP", NULL, "x", MARCH_1 },
    { "<187>RP/0/RSP0/CPU0:Mar  1 2024 18:46:11 UTC: ifmgr[2]: %PKT-3-UP : x", "RP/0/RSP0/CPU0",
      "ifmgr", "2", "%PKT-3-UP : x", MARCH_1 },
    { "<187>29: RP/0/RP0/CPU0:Mar  1 2024 18:46:11.123 : config[65]: x", "RP/0/RP0/CPU0",
      "config", "65", "x", MARCH_1 + 123 },
    { "Mar  1 18:46:11 r1 29: x", "r1", NULL, NULL, "29: x", 1 },
    { "Mar  1 18:46:11 r1 29: Mar  1 18:46:11: x", "r1", NULL, NULL, "29: Mar  1 18:46:11: x", 1 },
    /* No time. */
    { "<30>sshd[7]: x", NULL, "sshd", "7", "x", 0 },
    { "<30>no tag", NULL, NULL, NULL, "no tag", 0 },
    { "<30> blank", NULL, NULL, NULL, "blank", 0 },
    { "<30>", NULL, NULL, NULL, "", 0 },
    { "<30>1 file copied", NULL, NULL, NULL, "1 file copied", 0 },
    { "<30>May the 4th", NULL, NULL, NULL, "May the 4th", 0 },
    { "<30>12: x", NULL, NULL, NULL, "12: x", 0 },
};

static void
rfc_3164_in_its_shapes(void **state)
{
    const int64_t now = (int64_t)time(NULL) * 1000, year = 366 * 86400000ll;

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *shape = &shapes[i];

        when_parsed(shape->line);
        then_is("hostname", shape->hostname);
        then_is("appname", shape->appname);
        then_is("procid", shape->procid);
        then_is("message", shape->message);
        then_is("severity", shape->line[0] == '<' ? find("severity")->text.ptr : NULL);
        then_is("version", NULL);
        if (shape->time > 1)
            then_time_is(shape->time);
        else
            assert_int_equal(rec.has_time, shape->time);
        if (shape->time == 1)
            assert_true(rec.time_ms > now - year && rec.time_ms <= now + 2 * 86400000);
    }
}

/* BusyBox on Alpine, and OpenWrt. */
static void
a_selector_is_a_priority(void **state)
{
    (void)state;
    when_parsed("Mar  1 2024 18:46:11 alpine user.notice root: hello");
    then_is("facility", "1");
    then_is("severity", "5");
    then_is("hostname", "alpine");
    then_is("appname", "root");
    then_is("message", "hello");
    then_time_is(MARCH_1);
    when_parsed("Fri Mar  1 18:46:11 2024 daemon.info dnsmasq[1]: started");
    then_is("facility", "3");
    then_is("severity", "6");
    then_is("hostname", NULL);
    then_is("appname", "dnsmasq");
    then_is("procid", "1");
    then_time_is(MARCH_1);
    when_parsed("Mar  1 18:46:11 alpine local7.debug x: y");
    then_is("facility", "23");
    then_is("severity", "7");
    when_parsed("Mar  1 18:46:11 user.example x: y");
    then_is("hostname", "user.example");
    then_is("facility", NULL);
    when_parsed("<30>Mar  1 18:46:11 host user.notice x: y");
    then_is("facility", "3");
    then_is("message", "user.notice x: y");
}

static void
what_is_no_syslog_says_so(void **state)
{
    static const char *const lines[] = {
        "", "plain text", "sshd[7]: x", "<192>Mar  1 18:46:11 h a: x", "<x>y", "<34", "29: x",
        "Mar 1st, a day", "March", "2024-03-01", "2024", "* x", "Mar  1 18:46 h a: x",
        "Mar  1 18:46:11h a: x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        then_refused(lines[i], "no match");
        assert_int_equal(rec.nvalues, 0);
    }
}

static void
the_end_of_a_frame_is_not_in_the_message(void **state)
{
    (void)state;
    assert_int_equal(parse_slice(SLICE("<14>app: x\0")), 0);
    then_is("message", "x");
    assert_int_equal(parse_slice(SLICE("<14>1 - h a - - - x\n")), 0);
    then_is("message", "x");
    assert_int_equal(parse_slice(SLICE("<14>app: a\0b")), 0);
    assert_int_equal(find("message")->text.len, 3);
}

/* ---- Settings ------------------------------------------------------------ */

static void
a_time_without_zone_is_the_machines(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    when_loaded();
    when_parsed("Mar  1 2024 19:46:11 h a: x");
    then_time_is(MARCH_1);
    when_parsed("Jun  1 2024 20:46:11 h a: x");
    then_time_is(MARCH_1 + 92 * 86400000ll);
    when_parsed("2024-03-01T18:46:11Z h a: x");
    then_time_is(MARCH_1);
}

static void
a_zone_can_be_set(void **state)
{
    (void)state;
    given_setting("zone", "-05:00");
    when_loaded();
    when_parsed("Mar  1 2024 13:46:11 h a: x");
    then_time_is(MARCH_1);
}

static void
a_field_may_be_parsed_instead_of_the_body(void **state)
{
    (void)state;
    given_setting("field", "inner");
    given_setting("zone", "UTC");
    when_loaded();
    record_begin(&rec, SLICE("outer"), SLICE("outer"), 0);
    record_set(&rec, names_find(names, SLICE("inner")), VALUE_TEXT, SLICE("<30>a: x"));
    assert_int_equal(parser->ops->parse(parser, &work, &rec), 0);
    then_is("message", "x");
    then_refused("<30>a: x", "the field to parse is missing");
}

static void
another_field_may_be_the_time(void **state)
{
    struct node *map = tree_entry(&tree, conf, "time", NODE_MAP, NULL);

    (void)state;
    tree_entry(&tree, map, "field", NODE_SCALAR, "structured_data.x@1.at");
    tree_entry(&tree, map, "format", NODE_SCALAR, "epoch_ms");
    when_loaded();
    when_parsed("<30>1 2003-02-30T22:14:15Z h a - - [x@1 at=\"1709318771000\"]");
    then_time_is(MARCH_1);
    when_parsed("<30>1 2003-10-11T22:14:15Z h a - - [x@1 at=\"1709318771000\"]");
    then_time_is(MARCH_1);
    when_parsed("<30>1 2024-03-01T18:46:11Z h a - - - the field is missing");
    then_time_is(MARCH_1);
    then_refused("<30>1 2024-03-01T18:46:11Z h a - - [x@1 at=\"noon\"]", "bad time");
    assert_false(rec.has_time);
    then_refused("<30>1 2024-02-30T18:46:11Z h a - - - both", "bad time");
}

static void
mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    given_setting("zone", "Mars");
    given_setting("feild", "x");
    assert_null(syslog_parser_type.load("parser 'logs'", conf, names, &errs));
    assert_int_equal(errs.count, 2);
    assert_non_null(strstr(errs.list[0].text, "did you mean 'field'?"));
    assert_non_null(strstr(errs.list[1].text, "'Mars'"));
    assert_int_equal(errs.list[1].at.line, 2);
}

/* No route sends all fields: only what a template mentions is set. */
static void
what_nobody_asks_for_is_left_out(void **state)
{
    (void)state;
    parser = syslog_parser_type.load("parser 'logs'", conf, names, &errs);
    (void)names_intern(names, SLICE("hostname"));
    (void)names_intern(names, SLICE("structured_data.x.y"));
    record_init(&rec, names);
    rec.numbered_only = true;
    when_parsed("<30>1 - h a - - [x y=\"1\" z=\"2\"] m");
    assert_int_equal(rec.nvalues, 2);
    then_is("hostname", "h");
    then_is("structured_data.x.y", "1");
}

/* A line full of parameters takes bounded time and memory. */
static void
more_parameters_than_fields_are_left_out(void **state)
{
    static char line[200000];
    size_t      len = (size_t)snprintf(line, sizeof line, "<30>1 - h a - - [x@1");

    (void)state;
    for (int i = 0; i < 10000; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, " p%d=\"%d\"", i, i);
    snprintf(line + len, sizeof line - len, "] m");
    when_parsed(line);
    assert_int_equal(rec.nvalues, RECORD_MAX_FIELDS);
    then_is("structured_data.x@1.p0", "0");
    then_is("message", "m");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_examples_of_rfc_5424),
        TEST(the_structured_data_of_rfc_5424),
        TEST(the_times_of_rfc_5424),
        TEST(nil_values_are_missing_fields),
        TEST(escapes_in_values_are_undone),
        TEST(the_longest_id_is_meant),
        TEST(structured_data_may_be_left_out),
        TEST(broken_messages_say_so),
        TEST(a_time_that_cannot_be_says_so_and_leaves_the_fields),
        TEST(the_examples_of_rfc_3164),
        TEST(rfc_3164_in_its_shapes),
        TEST(a_selector_is_a_priority),
        TEST(what_is_no_syslog_says_so),
        TEST(the_end_of_a_frame_is_not_in_the_message),
        TEST(a_time_without_zone_is_the_machines),
        TEST(a_zone_can_be_set),
        TEST(a_field_may_be_parsed_instead_of_the_body),
        TEST(another_field_may_be_the_time),
        TEST(mistakes_are_named_with_their_place),
        TEST(what_nobody_asks_for_is_left_out),
        TEST(more_parameters_than_fields_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
