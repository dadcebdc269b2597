/* test_straight_random.c - patterns made at random, straight ones and others near them: what the
 * straight ones match is what PCRE2 says.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/data/straight_twin.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_random_pattern_matches_what_pcre2_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
