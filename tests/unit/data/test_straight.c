/* test_straight.c - patterns that are matched without going back: which they are, and what they
 * match.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/data/straight_twin.h"

/* ---- Which are straight ------------------------------------------------- */

#define ACCESS \
    "^(?<client>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] \"(?<method>\\S+) (?<path>\\S+) " \
    "[^\"]*\" (?<status>\\d{3}) (?<bytes>\\d+|-) \"[^\"]*\" \"(?<agent>[^\"]*)\"$"
#define ACCESS_11 \
    "^(?<client>\\S+) (?<ident>\\S+) (?<user>\\S+) \\[(?<time>[^\\]]+)\\] " \
    "\"(?<method>\\S+) (?<path>\\S+) (?<protocol>[^\"]*)\" (?<status>\\d{3}) " \
    "(?<bytes>\\d+|-) \"(?<referer>[^\"]*)\" \"(?<agent>[^\"]*)\"$"
#define NGINX_ERROR \
    "^(?<time>\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d) \\[(?<level>[a-z]+)\\] " \
    "(?<pid>\\d+)#(?<tid>\\d+): (?:\\*(?<connection>\\d+) )?(?<message>[^*].*)$"
#define SYSLOG \
    "^(?<month>[A-Z][a-z]{2}) {1,2}(?<day>\\d{1,2}) (?<time>\\d\\d:\\d\\d:\\d\\d) (?<host>\\S+) " \
    "(?<program>[^\\[: ]+)(?:\\[(?<pid>\\d+)\\])?: (?<message>.*)$"
#define LOG4J \
    "^(?<time>\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2},\\d{3}) (?<level>[A-Z]+) +" \
    "\\[(?<thread>[^\\]]*)\\] (?<class>[\\w.$]+)(?::(?<line>\\d+))? - (?<message>.*)"
#define HAPROXY \
    "^(?<client>[^:]+):(?<port>\\d+) \\[(?<time>[^\\]]+)\\] (?<frontend>[^ ~]+)~? " \
    "(?<backend>[^/]+)/(?<server>\\S+) (?<timers>[-\\d/]+) (?<status>\\d{3}) (?<bytes>\\d+) " \
    "\\S \\S \\S{4} (?<conns>[\\d/]+) (?<queues>\\d+/\\d+) (?:\\{(?<headers>[^}]*)\\} )?" \
    "\"(?<request>[^\"]*)\"$"
#define LAST_FIELD_MAY_MISS "^(?<a>\\S+) (?<b>\\S+)(?: (?<x>\\S+))?$"

static void
then_is_straight(const char *text, size_t groups)
{
    given_straight(text);
    assert_int_equal(straight_groups(straight), groups);
}

static void
patterns_for_real_logs_are_straight(void **state)
{
    (void)state;
    then_is_straight(ACCESS, 8);
    then_is_straight(ACCESS_11, 11);
    then_is_straight(NGINX_ERROR, 6);
    then_is_straight(SYSLOG, 7);
    then_is_straight(LOG4J, 6);
    then_is_straight(HAPROXY, 13);
    then_is_straight(LAST_FIELD_MAY_MISS, 3);
}

static void
a_byte_and_every_kind_of_set_is_straight(void **state)
{
    char text[64];

    (void)state;
    for (size_t i = 0; i < STRAIGHT_SETS; i++) {
        snprintf(text, sizeof text, "^%s", sets[i]);
        then_is_straight(text, 0);
        snprintf(text, sizeof text, "^(%s)$", sets[i]);
        then_is_straight(text, 1);
        snprintf(text, sizeof text, "^x(%s{2})", sets[i]);
        then_is_straight(text, 1);
    }
}

static void
repeats_groups_and_alternatives_are_straight(void **state)
{
    static const struct { const char *text; size_t groups; } table[] = {
        { "^abc", 0 },
        { "^abc$", 0 },
        { "\\Aabc$", 0 },
        { "^a*", 0 },
        { "^a*b", 0 },
        { "^a+b", 0 },
        { "^a?b", 0 },
        { "^a{3}b", 0 },
        { "^a{2,}b", 0 },
        { "^a{2,4}b", 0 },
        { "^a{0,4}b", 0 },
        { "^a{9}b{19,29}(?<n9>c)", 1 },
        { "^a*?b", 0 },
        { "^a+?b", 0 },
        { "^a??b", 0 },
        { "^a{2,4}?b", 0 },
        { "^a*+b", 0 },
        { "^a++b", 0 },
        { "^a?+b", 0 },
        { "^a{2,4}+b", 0 },
        { "^[^ ]* [^ \\n]*$", 0 },
        { "^(a)(b)(c)$", 3 },
        { "^(a(b(c)))$", 3 },
        { "^(?:ab)$", 0 },
        { "^(?<n>ab)$", 1 },
        { "^(?:(a)b)(?<n>c)", 2 },
        { "^(a|b)$", 1 },
        { "^(a|b|c)$", 1 },
        { "^(\\d+|-)$", 1 },
        { "^(\\d+|-) x", 1 },
        { "^(?:GET|POST|HEAD) (\\S+)$", 1 },
        { "^(?:(a)|(b))c", 2 },
        { "^(?:(a)|b(c|d))e", 2 },
        { "^(a)?b", 1 },
        { "^(ab)?c", 1 },
        { "^(ab)?$", 1 },
        { "^(?:(a)|(b))?c", 2 },
        { "^(?:a(b)?)?c", 1 },
        { "^(a)?(b)?(c)?$", 3 },
        { "^(?: (\\S+))?$", 1 },
        { "^(?: (?<a>[^\\s,]+))?(?:,(?<b>\\S+))?$", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        then_is_straight(table[i].text, table[i].groups);
}

static void
then_is_not_straight(const char *text)
{
    if (!given_pattern(slice_of(text)))
        fail_msg("no pattern: %s", text);
    if (straight != NULL)
        fail_msg("straight: %s", text);
}

static void
what_leaves_a_choice_is_not_straight(void **state)
{
    static const char *const table[] = {
        "", "a", "(^a)", "(?:)^a", ".*a", "a$", "\\S+ \\S+",
        "^\\S+\\S", "^.*x", "^.*?x", "^\\S+ .* \\S+", "^(a|ab)c", "^(ab|a)c", "^(?:a|\\w)b",
        "^a*ab", "^a+a", "^a?a", "^a*?a", "^a{1,2}ab", "^[^b]*ac", "^a*b*a", "^a*b?a",
        "^a*(b)?a", "^a*(?:b|a)", "^(a*)(a)", "^(?:ab)?a", "^(?:ab)?(?:ac)?$", "^(ab)??a",
        "^(?:ab)?", "^(?:a{2})?", "^(ab)?(?:b|a)", "^(?:a*|ab)c", "^\\d*(?:-|0)",
        "^(?:GET|PUT|POST) ", "^(a?|\\w)b",
        "^a*?", "^(a+?)b?", "^[^\"]*?$", "^(?:\\nb)?$", "^(?:\\s+b)?$", "^(a|b)*?c",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        then_is_not_straight(table[i]);
}

static void
what_the_header_does_not_name_is_not_straight(void **state)
{
    static const char *const table[] = {
        "(?i)^a", "^(?i)a", "^(?i:a)", "^(?x) a", "^(?:(?i)a)b", "(?m)^a", "(?s)^.", "(*UTF)^a",
        "(*UCP)^\\w", "(*CRLF)^.",
        "^(?=a)a", "^(?!b)a", "^a(?<=a)b", "^a(?<!b)b", "^\\ba", "^a\\b", "^a\\B", "^a\\Kb",
        "^\\Ga", "^(a)\\1", "^(?<n>a)\\k<n>", "^(a)\\g{1}", "^(a)(?1)", "^a(?R)?b", "^(?>a)b",
        "^(?|(a)|(b))c", "^(?#why)a", "^(a)?(?(1)b|c)", "^[[:alpha:]]", "^[[:^digit:]x]",
        "^\\Qa.b\\E", "^[\\Qa-b\\E]", "^\\x41", "^[\\x41]", "^\\x{41}", "^\\101", "^\\o{101}",
        "^\\cA", "^\\p{L}", "^\\R", "^\\X", "^\\C",
        "^(ab)+", "^(ab)*c", "^(?:ab){2}", "^(a){2,3}b", "^(?:a|b)+c",
        "^(a|)b", "^(|a)b", "^(?:a||b)c", "^a|b", "^a|^b", "^(a)|(b)$",
        "^a^b", "^a$b", "^(?C1)a", "^a(*ACCEPT)b", "^(*FAIL)a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        then_is_not_straight(table[i]);
}

/* ---- What they match ---------------------------------------------------- */

/* groups[0] NULL: there is no match. */
static void
then_matches(const char *pattern, struct slice subject, const char *const *groups)
{
    assert_true(given_pattern(slice_of(pattern)));
    if (straight != NULL)
        then_the_same(pattern, subject);
    assert_int_equal(pattern_match(p, work, subject),
                     groups[0] != NULL ? PATTERN_YES : PATTERN_NO);
    for (size_t i = 0; groups[0] != NULL && i <= pattern_groups(p); i++) {
        const struct slice found = pattern_group(work, subject, i);

        if (!slice_is(found, groups[i]))
            fail_msg("pattern %s, subject %s: group %zu is %.*s", pattern, subject.ptr, i,
                     SLICE_ARG(found));
    }
}

static void
real_lines_come_apart(void **state)
{
    static const struct { const char *pattern, *subject, *groups[14]; } table[] = {
        { ACCESS, "203.0.1.9 - - [10/Oct/2026:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 - \"-\" "
                  "\"curl/8 (x y)\"",
          { "203.0.1.9 - - [10/Oct/2026:13:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 - \"-\" "
            "\"curl/8 (x y)\"",
            "203.0.1.9", "-", "10/Oct/2026:13:55:36 +0000", "GET", "/a?b=c", "200", "-",
            "curl/8 (x y)" } },
        { ACCESS_11, "::1 - bob [now] \"GET / \" 304 17 \"http://x/\" \"\"",
          { "::1 - bob [now] \"GET / \" 304 17 \"http://x/\" \"\"",
            "::1", "-", "bob", "now", "GET", "/", "", "304", "17", "http://x/", "" } },
        { ACCESS, "::1 - - [now] \"GET / HTTP/1.1\" 20 17 \"-\" \"-\"", { NULL } },
        { ACCESS, "::1 - - [now] \"GET / HTTP/1.1\" 200 17 \"-\" \"-", { NULL } },
        { NGINX_ERROR, "2026/11/26 02:03:04 [error] 12#13: *7 open() failed",
          { "2026/11/26 02:03:04 [error] 12#13: *7 open() failed", "2026/11/26 02:03:04", "error",
            "12", "13", "7", "open() failed" } },
        { NGINX_ERROR, "2026/11/26 02:03:04 [notice] 1#1: start",
          { "2026/11/26 02:03:04 [notice] 1#1: start", "2026/11/26 02:03:04", "notice", "1", "1",
            NULL, "start" } },
        { SYSLOG, "Nov  6 02:03:04 web-1 sshd[77]: Accepted",
          { "Nov  6 02:03:04 web-1 sshd[77]: Accepted", "Nov", "6", "02:03:04", "web-1", "sshd",
            "77", "Accepted" } },
        { SYSLOG, "Nov 26 02:03:04 web-1 kernel: ",
          { "Nov 26 02:03:04 web-1 kernel: ", "Nov", "26", "02:03:04", "web-1", "kernel", NULL,
            "" } },
        { SYSLOG, "Nov 26 02:03:04 web-1 sshd[x]: Accepted", { NULL } },
        { LOG4J, "2026-11-26 02:03:04,567 WARN  [main] org.x.Y$Z:12 - a - b\nat c",
          { "2026-11-26 02:03:04,567 WARN  [main] org.x.Y$Z:12 - a - b",
            "2026-11-26 02:03:04,567", "WARN", "main", "org.x.Y$Z", "12", "a - b" } },
        { LOG4J, "2026-11-26 02:03:04,567 INFO [] Y - ",
          { "2026-11-26 02:03:04,567 INFO [] Y - ", "2026-11-26 02:03:04,567", "INFO", "", "Y",
            NULL, "" } },
        { HAPROXY, "10.0.0.1:33 [now] web~ app/s1 0/0/1/2/-1 200 99 - - ---- 1/1/0/0/0 0/0 {a|b} "
                   "\"GET /\"",
          { "10.0.0.1:33 [now] web~ app/s1 0/0/1/2/-1 200 99 - - ---- 1/1/0/0/0 0/0 {a|b} "
            "\"GET /\"",
            "10.0.0.1", "33", "now", "web", "app", "s1", "0/0/1/2/-1", "200", "99", "1/1/0/0/0",
            "0/0", "a|b", "GET /" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        then_matches(table[i].pattern, slice_of(table[i].subject), table[i].groups);
}

static void
each_group_is_where_pcre2_says(void **state)
{
    static const struct { const char *pattern, *subject, *groups[5]; } table[] = {
        { "^", "abc", { "" } },
        { "^abc", "abcd", { "abc" } },
        { "^abc", "ab", { NULL } },
        { "^abc", "xabc", { NULL } },
        { "^(a*)(b*)$", "", { "", "", "" } },
        { "^(a*)(b*)$", "bb", { "bb", "", "bb" } },
        { "^(a*)(b*)$", "aab", { "aab", "aa", "b" } },
        { "^(a*)(b*)$", "aba", { NULL } },
        { "^a{2,3}(b)", "ab", { NULL } },
        { "^a{2,3}(b)", "aab", { "aab", "b" } },
        { "^a{2,3}(b)", "aaab", { "aaab", "b" } },
        { "^a{2,3}(b)", "aaaab", { NULL } },
        { "^(a{2,3})", "aaaa", { "aaa", "aaa" } },
        { "^(a+?)(b+?)c", "aabbc", { "aabbc", "aa", "bb" } },
        { "^(a++)b", "aab", { "aab", "aa" } },
        { "^(a{2,3}+)b", "aaab", { "aaab", "aaa" } },
        { "^(a)?b", "b", { "b", NULL } },
        { "^(a)?b", "ab", { "ab", "a" } },
        { "^(?:(a)|(b))c", "ac", { "ac", "a", NULL } },
        { "^(?:(a)|(b))c", "bc", { "bc", NULL, "b" } },
        { "^(?:(a)|(b))?c", "c", { "c", NULL, NULL } },
        { "^(a(b)?c)?$", "ac", { "ac", "ac", NULL } },
        { "^(a(b)?c)?$", "abc", { "abc", "abc", "b" } },
        { "^(a(b)?c)?$", "", { "", NULL, NULL } },
        { "^(a(b)?c)?$", "ab", { NULL } },
        { "^(\\d+|-)(?: (\\S+))?$", "- x", { "- x", "-", "x" } },
        { "^(\\d+|-)(?: (\\S+))?$", "12", { "12", "12", NULL } },
        { "^(\\d+|-)(?: (\\S+))?$", "12 ", { NULL } },
        { "^(\\d+|-)(?: (\\S+))?$", "1-", { NULL } },
        { "^(?:GET|POST|HEAD) (.)", "POST x", { "POST x", "x" } },
        { "^(?:GET|POST|HEAD) (.)", "PUT x", { NULL } },
        { "^(?:GET|POST|HEAD) (.)", "GEAD x", { NULL } },
        { "\\A([\x80-\xff]+)([^\x80-\xff])", "\xc3\xa9x", { "\xc3\xa9x", "\xc3\xa9", "x" } },
        { "^([a\\]]+)-([\\w-]+)$", "a]-b-c", { "a]-b-c", "a]", "b-c" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        given_straight(table[i].pattern);
        then_matches(table[i].pattern, slice_of(table[i].subject), table[i].groups);
    }
}

static void
the_end_may_lie_before_a_last_newline(void **state)
{
    static const struct { const char *pattern, *subject, *groups[3]; } table[] = {
        { "^a$", "a\n", { "a" } },
        { "^a$", "a\n\n", { NULL } },
        { "^a$", "a\nb", { NULL } },
        { "^a$", "a\r\n", { NULL } },
        { "^a\n$", "a\n", { "a\n" } },
        { "^a\n$", "a\n\n", { "a\n" } },
        { "^(.*)$", "", { "", "" } },
        { "^(.*)$", "\n", { "", "" } },
        { "^(.*)$", "ab\n", { "ab", "ab" } },
        { "^(.*)$", "ab\ncd", { NULL } },
        { "^(.*)$", "ab\n\n", { NULL } },
        { "^(.*)", "ab\ncd", { "ab", "ab" } },
        { "^([^\"]*)$", "ab\n", { "ab\n", "ab\n" } },
        { "^([^\"]+)$", "\n\n", { "\n\n", "\n\n" } },
        { "^(\\S+)(?: (\\S+))?$", "a\n", { "a", "a", NULL } },
        { "^(\\S+)(?: (\\S+))?$", "a b\n", { "a b", "a", "b" } },
        { "^(\\S+)(?: (\\S+))?$", "a \n", { NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        then_matches(table[i].pattern, slice_of(table[i].subject), table[i].groups);
}

static void
a_nul_is_a_byte(void **state)
{
    const char *const pattern = "^(\\S+) ([^\"]*)\"(.*)$";

    (void)state;
    given_straight(pattern);
    assert_true(then_the_same(pattern, SLICE("a\0b \0\0\"\0")));
    assert_int_equal(pattern_group(plain_work, SLICE("a\0b \0\0\"\0"), 1).len, 3);
    assert_false(then_the_same(pattern, SLICE("a\0b\0\0\0\"\0")));
    assert_true(given_pattern(SLICE("^a\0b")));
    assert_false(pattern_match(p, work, SLICE("a")) == PATTERN_YES);
    assert_true(pattern_match(p, work, SLICE("a\0b")) == PATTERN_YES);
}

/* Whatever steps a run is gone over in. */
static void
a_run_may_be_of_any_length_and_end_anywhere_before_the_end(void **state)
{
    enum { LONGEST = 70, MOST_BEHIND = 40 };
    static const char *const patterns[] = {
        "^(\\S+) (.*)$", "^(\\S*)( .*)?$", "^(0*) ", "^([^\" ]*) ([\\d ]*)$", "^(\\d{3,64}) ",
        "^(\\w+?) ", "^([\\d.]*+) [^x]*", "^([^ \\n]+)",
    };
    char   text[LONGEST + 1 + MOST_BEHIND];
    size_t matched = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        given_straight(patterns[i]);
        for (size_t run = 0; run <= LONGEST; run++)
            for (size_t behind = 0; behind <= MOST_BEHIND; behind++) {
                memset(text, '0', sizeof text);
                text[run] = ' ';
                matched += then_the_same(patterns[i], (struct slice){ text, run + 1 + behind });
                matched += then_the_same(patterns[i], (struct slice){ text, run });
            }
    }
    assert_true(matched > LONGEST * MOST_BEHIND * COUNT(patterns));
}

static void
a_run_ends_at_each_byte_that_is_not_in_the_set(void **state)
{
    static const size_t places[] = { 0, 1, 7, 8, 15, 16, 17, 31, 33 };
    char   pattern[64], text[40];
    size_t matched = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        char member = 0;

        snprintf(pattern, sizeof pattern, "^(%s*)", sets[i]);
        assert_true(given_pattern(slice_of(pattern)));
        if (straight == NULL)
            continue;
        for (int c = 255; c >= 0; c--) {
            text[0] = (char)c;
            matched += then_the_same(pattern, (struct slice){ text, 1 });
            if (pattern_group(plain_work, (struct slice){ text, 1 }, 1).len == 1)
                member = (char)c;
        }
        for (size_t at = 0; at < COUNT(places); at++)
            for (int c = 0; c < 256; c++) {
                memset(text, member, sizeof text);
                text[places[at]] = (char)c;
                then_the_same(pattern, (struct slice){ text, sizeof text });
            }
    }
    assert_true(matched >= 256 * STRAIGHT_SETS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(patterns_for_real_logs_are_straight),
        TEST(a_byte_and_every_kind_of_set_is_straight),
        TEST(repeats_groups_and_alternatives_are_straight),
        TEST(what_leaves_a_choice_is_not_straight),
        TEST(what_the_header_does_not_name_is_not_straight),
        TEST(real_lines_come_apart),
        TEST(each_group_is_where_pcre2_says),
        TEST(the_end_may_lie_before_a_last_newline),
        TEST(a_nul_is_a_byte),
        TEST(a_run_may_be_of_any_length_and_end_anywhere_before_the_end),
        TEST(a_run_ends_at_each_byte_that_is_not_in_the_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
