/* test_straight.c - patterns that are matched without going back: which they are, and that they
 * match what PCRE2 says.  The same pattern behind a `(?:)` does not begin with ^, so it never is
 * straight, and means the same: what it says is right.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/data/pattern.h"
#include "agent/data/straight.h"

enum { MAX_GROUPS = 64, MAX_PATTERN = 4096, MAX_SUBJECT = 4096 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct straight     *straight;
static struct pattern      *p, *plain;
static struct pattern_work *work, *plain_work;
static char                *subject_end;        /* behind it lies a page that cannot be read */

static int
set_up(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char        *room = mmap(NULL, MAX_SUBJECT + page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(room != MAP_FAILED && MAX_SUBJECT % page == 0);
    assert_int_equal(mprotect(room + MAX_SUBJECT, page, PROT_NONE), 0);
    subject_end = room + MAX_SUBJECT;
    straight = NULL;
    p = plain = NULL;
    work = pattern_work_new(MAX_GROUPS);
    plain_work = pattern_work_new(MAX_GROUPS);
    return 0;
}

static void
forget_pattern(void)
{
    straight_free(straight);
    pattern_free(p);
    pattern_free(plain);
    straight = NULL;
    p = plain = NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    forget_pattern();
    pattern_work_free(work);
    pattern_work_free(plain_work);
    munmap(subject_end - MAX_SUBJECT, MAX_SUBJECT + (size_t)sysconf(_SC_PAGESIZE));
    return 0;
}

/* As one would write it in C; one text at a time. */
static const char *
shown(struct slice text, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < text.len && len + 8 < size; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        len += (size_t)snprintf(out + len, size - len, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    return out;
}

/* ---- The pattern and its twin ------------------------------------------- */

/* False if PCRE2 does not take it.  If it is straight, it gets its twin. */
static bool
given_pattern(struct slice text)
{
    struct error err = { 0 };
    char         twin[MAX_PATTERN + 5];

    forget_pattern();
    assert_true(text.len <= MAX_PATTERN);
    memcpy(twin, "(?:)", 4);
    memcpy(twin + 4, text.ptr, text.len);
    p = pattern_new(text, NULL, &err);
    if (p == NULL)
        return false;
    straight = straight_new(text);
    if (straight == NULL)
        return true;
    plain = pattern_new((struct slice){ twin, text.len + 4 }, NULL, &err);
    assert_non_null(plain);
    assert_int_equal(straight_groups(straight), pattern_groups(plain));
    assert_true(pattern_groups(plain) <= MAX_GROUPS);
    return true;
}

static void
given_straight(const char *text)
{
    if (!given_pattern(slice_of(text)))
        fail_msg("no pattern: %s", text);
    if (straight == NULL)
        fail_msg("not straight: %s", text);
}

static bool
same_offsets(const size_t *a, const size_t *b)
{
    return memcmp(a, b, 2 * (pattern_groups(plain) + 1) * sizeof *a) == 0;
}

/* The subject, where the first byte behind it cannot be read. */
static struct slice
at_the_edge(struct slice subject)
{
    assert_true(subject.len <= MAX_SUBJECT);
    memcpy(subject_end - subject.len, subject.ptr, subject.len);
    return (struct slice){ subject_end - subject.len, subject.len };
}

/* Does it match?  What PCRE2 says, and nobody says anything else. */
static bool
matches_alike(struct slice text)
{
    const struct slice        subject = at_the_edge(text);
    const enum pattern_result expected = pattern_match(plain, plain_work, subject);
    const size_t             *right = pattern_offsets(plain_work);
    size_t                    offsets[2 * (MAX_GROUPS + 1)];

    assert_int_not_equal(expected, PATTERN_LIMIT);
    if (straight_match(straight, subject, offsets) != (expected == PATTERN_YES) ||
        pattern_match(p, work, subject) != expected)
        return false;
    return expected != PATTERN_YES ||
           (same_offsets(offsets, right) && same_offsets(pattern_offsets(work), right));
}

static bool
then_the_same(const char *pattern, struct slice subject)
{
    char text[2 * MAX_SUBJECT];

    if (!matches_alike(subject))
        fail_msg("pattern %s: another result for %s", pattern,
                 shown(subject, text, sizeof text));
    return pattern_match(plain, plain_work, subject) == PATTERN_YES;
}

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

/* Each is one byte; the differential test makes its patterns from them. */
static const char *const sets[] = {
    "a", "b", "c", "0", " ", "\"", ":", "/", ",", "-", "=", "<", "_", "~", "\xe9", "\xff",
    "\\.", "\\[", "\\]", "\\(", "\\)", "\\\\", "\\/", "\\\"", "\\-", "\\|", "\\$", "\\^", "\\*",
    "\\{", "\\}", ".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\t", "\\n", "\\r",
    "[abc]", "[^abc]", "[a-z]", "[A-Za-z0-9_]", "[^\"]", "[^ ]", "[^\\]]", "[-a]",
    "[a-]", "[^-]", "[a-c-]", "[\\w-]", "[\\w.-]", "[-\\d/]", "[\\d.]", "[^\\s]", "[^\\d\\s]",
    "[\\S]", "[\\D ]", "[\\-\\]\\\\^]", "[^^]", "[a^]", "[.*+?$|(){}]", "[ -~]", "[!-\\]]",
    "[\\[-\\]]", "[^\\n]", "[\\t ]", "[^\\t\\n]", "[a[b]", "[[]", "[\x80-\xff]", "[^\x80-\xff]",
    "[\xe9]", "[^\xe9]", "[]a]", "[^]a]", "[^]]",
    /* these need not be straight: */
    "[--a]", "[+--]", "[a-c-e]",
};
enum { STRAIGHT_SETS = COUNT(sets) - 3 };

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

/* ---- Random patterns ---------------------------------------------------- */

/* Not in the header, or on its edge; each with a text that it may match. */
static const struct odd { const char *text, *matches; } odds[] = {
    { "^", "" }, { "$", "" }, { "\\A", "" }, { "\\z", "" }, { "\\Z", "" }, { "\\b", "" },
    { "\\B", "" }, { "\\G", "" }, { "\\K", "" }, { "(?=a)", "" }, { "(?!a)", "" }, { "(?:)", "" },
    { "()", "" }, { "(?i)", "" }, { "(?-i)", "" }, { "(?s)", "" }, { "(?x) ", "" }, { "(?#x)", "" },
    { "\\E", "" }, { "\\Qa.\\E", "a." }, { "(?i:a)", "A" }, { "(?>a*)", "aa" }, { "\\x61", "a" },
    { "\\x{61}", "a" }, { "\\o{141}", "a" }, { "\\141", "a" }, { "\\0", "\x01" }, { "\\e", "\x1b" },
    { "\\a", "\a" }, { "\\f", "\f" }, { "\\v", "\v" }, { "\\h", "\t" }, { "\\H", "a" },
    { "\\V", "a" }, { "\\R", "\r\n" }, { "\\N", "a" }, { "\\C", "a" }, { "\\X", "a" },
    { "\\ca", "\x01" }, { "\\p{L}", "a" }, { "[[:alpha:]]", "a" }, { "[^[:^space:]]", " " },
    { "[a\\b]", "\b" }, { "[\\x61-c]", "b" }, { "[\\Qa-c\\E]", "-" }, { "[a-\\]]", "" },
    { "[\\h]", " " }, { "[a-\\d]", "-" }, { "[\\E]]", "]" },
    { "[^]", "" }, { "[\\w-\\d]", "-" }, { "]", "]" }, { "{", "{" },
    { "}", "}" }, { "a{", "a{" }, { "a{,2}", "a{,2}" }, { "a{2", "a{2" }, { "a{ 1}", "a{ 1}" },
    { "a{0}", "" }, { "(a){0}", "" }, { "(?|(a)|(b))", "b" }, { "(?<odd>a)", "a" },
    { "(?P<odd_p>a)", "a" }, { "(?'odd_q'a)", "a" }, { "(a)\\1", "aa" }, { "\\g{-1}", "" },
    { "(?1)", "a" }, { "(?(1)a|b)", "b" }, { "(?C1)", "" }, { "\n", "\n" }, { "(*ACCEPT)", "" },
    { "(*COMMIT)", "" }, { "(a*)*", "aa" }, { "(a?)+", "a" }, { "((a))", "a" },
};

static const struct repeat { const char *text; unsigned min, max; } repeats[] = {
    { "*", 0, 5 }, { "+", 1, 5 }, { "?", 0, 1 }, { "*", 0, 70 }, { "+", 1, 40 }, { "{2}", 2, 2 },
    { "{1,3}", 1, 3 }, { "{0,2}", 0, 2 }, { "{2,}", 2, 5 }, { "{0,1}", 0, 1 }, { "{0}", 0, 0 },
    { "{1}", 1, 1 }, { "{15,33}", 15, 33 },
};
static const struct repeat once = { "", 1, 1 };

enum { MAX_PARTS = 40, MAX_ALTERNATIVES = 3, MAX_DEPTH = 3 };

/* A set, a group or something odd; and what comes behind it. */
struct part {
    int                  set;           /* -1: none */
    const struct odd    *odd;
    const struct repeat *repeat;
    struct part         *alternatives[MAX_ALTERNATIVES];    /* NULL: empty */
    size_t               nalternatives;
    struct part         *next;
};

static struct part parts[MAX_PARTS];
static size_t      nparts;
static bool        members[COUNT(sets)][256];
static uint64_t    seed;

struct text {
    char   bytes[MAX_PATTERN];
    size_t len;
};

static struct text made, subject;

static unsigned
random_below(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static bool
one_in(unsigned n)
{
    return random_below(n) == 0;
}

static void
add(struct text *t, const char *bytes, size_t len)
{
    if (t->len + len > sizeof t->bytes)
        len = sizeof t->bytes - t->len;
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static void
say(const char *text)
{
    add(&made, text, strlen(text));
}

/* Which bytes are in each set (another test says that this is right). */
static void
learn_members(void)
{
    char text[64];

    for (size_t i = 0; i < COUNT(sets); i++) {
        snprintf(text, sizeof text, "^%s", sets[i]);
        assert_true(given_pattern(slice_of(text)));
        for (int c = 0; c < 256; c++) {
            const char byte = (char)c;

            members[i][c] = pattern_match(p, work, (struct slice){ &byte, 1 }) == PATTERN_YES;
        }
    }
}

static bool
share_a_byte(int a, int b)
{
    for (int c = 0; c < 256; c++)
        if (members[a][c] && members[b][c])
            return true;
    return false;
}

/* Mostly one that has no byte in common with `other` (-1: any): else few patterns were straight. */
static int
random_set(int other)
{
    int set = (int)random_below(COUNT(sets));

    if (other >= 0 && !one_in(20))
        for (int i = 0; i < 30 && share_a_byte(set, other); i++)
            set = (int)random_below(COUNT(sets));
    return set;
}

static struct part *make_sequence(int depth, int other);

/* Say how often, and whether lazy or possessive. */
static const struct repeat *
make_repeat(size_t choices)
{
    const struct repeat *repeat = &repeats[random_below((unsigned)choices)];

    say(repeat->text);
    if (one_in(4))
        say(one_in(2) ? "?" : "+");
    return repeat;
}

static void
make_group(struct part *part, int depth, int other)
{
    char name[16];

    snprintf(name, sizeof name, "(?<g%zu>", nparts);
    say(one_in(3) ? "(" : one_in(2) ? "(?:" : name);
    part->nalternatives = one_in(2) ? 1 : 1 + random_below(MAX_ALTERNATIVES);
    for (size_t i = 0; i < part->nalternatives; i++) {
        if (i > 0)
            say("|");
        part->alternatives[i] = make_sequence(depth + 1, other);
        if (part->alternatives[i] != NULL)
            other = part->alternatives[i]->set;
    }
    say(")");
    if (one_in(12))
        part->repeat = make_repeat(COUNT(repeats));
    else if (one_in(2)) {
        say(one_in(8) ? "??" : "?");
        part->repeat = &repeats[2];
    }
}

static struct part *
make_part(int depth, int other)
{
    struct part *part = &parts[nparts++];

    *part = (struct part){ .set = -1, .repeat = &once };
    if (one_in(60)) {
        part->odd = &odds[random_below(COUNT(odds))];
        say(part->odd->text);
    } else if (depth < MAX_DEPTH && one_in(4)) {
        make_group(part, depth, other);
    } else {
        part->set = random_set(other);
        say(sets[part->set]);
        if (one_in(2))
            part->repeat = make_repeat(COUNT(repeats));
    }
    return part;
}

/* What the bytes behind a part should not be. */
static int
last_set(const struct part *part)
{
    if (part->set >= 0 || part->nalternatives == 0 || part->alternatives[0] == NULL)
        return part->set;
    return part->alternatives[0]->set;
}

static struct part *
make_sequence(int depth, int other)
{
    struct part  *first = NULL, **end = &first;
    const unsigned n = one_in(30) ? 0 : 1 + random_below(depth == 0 ? 7 : 3);

    for (unsigned i = 0; i < n && nparts < MAX_PARTS; i++) {
        *end = make_part(depth, other);
        other = last_set(*end);
        end = &(*end)->next;
    }
    return first;
}

static const struct part *
make_pattern(void)
{
    const struct part *first;

    made.len = 0;
    nparts = 0;
    say(one_in(10) ? "\\A" : one_in(50) ? "" : "^");
    first = make_sequence(0, -1);
    if (one_in(60))
        say("|a");
    if (!one_in(3))
        say("$");
    return first;
}

/* ---- Random subjects ---------------------------------------------------- */

static const char usual[] = "abcABC019 \"[]-.:/,=_\n\t\\\xe9\xff\xc3";

static char
random_byte(void)
{
    return one_in(10) ? (char)random_below(256) : usual[random_below(sizeof usual)];
}

static char
random_member(int set)
{
    const unsigned from = random_below(sizeof usual), any = random_below(256);

    for (unsigned i = 0; i < sizeof usual; i++) {
        const char c = usual[(from + i) % sizeof usual];

        if (members[set][(unsigned char)c])
            return c;
    }
    for (unsigned i = 0; i < 256; i++)
        if (members[set][(any + i) % 256])
            return (char)((any + i) % 256);
    return 0;
}

/* Something that the parts may match, at the end of the subject. */
static void
derive(const struct part *part)
{
    for (; part != NULL; part = part->next) {
        const struct repeat *r = part->repeat;
        const unsigned       times = r->min + random_below(r->max - r->min + 1);

        for (unsigned i = 0; i < times && subject.len < MAX_SUBJECT / 8; i++) {
            const char byte = part->set >= 0 ? random_member(part->set) : 0;

            if (part->odd != NULL)
                add(&subject, part->odd->matches, strlen(part->odd->matches));
            else if (part->set >= 0)
                add(&subject, &byte, 1);
            else
                derive(part->alternatives[random_below((unsigned)part->nalternatives)]);
        }
    }
}

/* A byte becomes another, is missing or comes once more; the end is missing, or comes twice. */
static void
mutate(void)
{
    const size_t at = random_below((unsigned)subject.len + 1);
    const size_t behind = subject.len - at;
    char        *here = subject.bytes + at;
    char         tail[MAX_PATTERN];

    memcpy(tail, here, behind);
    switch (random_below(5)) {
    case 0:
        if (behind > 0)
            *here = random_byte();
        break;
    case 1:
        subject.len = at;
        add(&subject, tail + 1, behind > 0 ? behind - 1 : 0);
        break;
    case 2:
        subject.len = at;
        add(&subject, &(char){ random_byte() }, 1);
        add(&subject, tail, behind);
        break;
    case 3:
        subject.len = at;
        break;
    default:
        add(&subject, tail, behind < 40 ? behind : 40);
    }
}

static void
make_subject(const struct part *first)
{
    subject.len = 0;
    derive(first);
    while (one_in(2))
        mutate();
    if (one_in(5))
        add(&subject, "\n", 1);
}

static void
a_random_pattern_matches_what_pcre2_says(void **state)
{
    enum { PATTERNS = 6000, SUBJECTS = 16 };
    unsigned straights = 0, matches = 0, others = 0;
    char     text[4 * MAX_PATTERN];

    (void)state;
    learn_members();
    seed = 7;
    for (int i = 0; i < PATTERNS; i++) {
        const struct part *first = make_pattern();
        const struct slice pattern = { made.bytes, made.len };

        if (!given_pattern(pattern) || straight == NULL)
            continue;
        straights++;
        shown(pattern, text, sizeof text);
        for (int n = 0; n < SUBJECTS; n++) {
            make_subject(first);
            if (then_the_same(text, (struct slice){ subject.bytes, subject.len }))
                matches++;
            else
                others++;
        }
    }
    print_message("%u straight patterns, %u matches, %u others\n", straights, matches, others);
    assert_true(straights > PATTERNS / 5 && straights < PATTERNS * 9 / 10);
    assert_true(matches > straights * 4 && others > straights * 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
        TEST(a_random_pattern_matches_what_pcre2_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
