/* straight_tree.c - see straight_tree.h.
 *
 * The pattern is read from its beginning, and judged from its end, where what may follow is known.
 * What is not understood, or leaves a choice, makes the parser `bad`, and that is all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/straight_tree.h"

#include <stdlib.h>

#include "agent/base/mem.h"

enum {
    MAX_PATTERN = 4096,         /* bytes */
    MAX_DEPTH = 20,             /* groups inside of groups */
};

/* ---- Sets of bytes ---------------------------------------------------------- */

static void
set_add_range(struct straight_set *s, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        s->bits[byte / 64] |= (uint64_t)1 << byte % 64;
}

static void
set_add(struct straight_set *s, const struct straight_set *other)
{
    for (int i = 0; i < 4; i++)
        s->bits[i] |= other->bits[i];
}

static void
set_invert(struct straight_set *s)
{
    for (int i = 0; i < 4; i++)
        s->bits[i] = ~s->bits[i];
}

static bool
set_meets(const struct straight_set *a, const struct straight_set *b)
{
    return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1]) | (a->bits[2] & b->bits[2]) |
            (a->bits[3] & b->bits[3])) != 0;
}

/* ---- Parsing ----------------------------------------------------------------- */

struct parser {
    const char                  *next, *end;
    struct straight_node        *nodes;         /* as many as the pattern has bytes, and one, */
    struct straight_alternative *alternatives;  /* and so here */
    size_t                       nnodes, nalternatives;
    unsigned                     groups, depth;
    bool                         bad;           /* it is not straight */
};

static int
peek(const struct parser *p)
{
    return p->next < p->end ? (unsigned char)*p->next : -1;
}

static int
take(struct parser *p)
{
    return p->next < p->end ? (unsigned char)*p->next++ : -1;
}

static bool
take_if(struct parser *p, char c)
{
    if (peek(p) != (unsigned char)c)
        return false;
    p->next++;
    return true;
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word(int c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* \d, \w, \s and their opposites: adds that set.  False: `c` is none of them. */
static bool
add_kind(struct straight_set *set, int c)
{
    struct straight_set kind = { { 0 } };

    switch (c | 0x20) {
    case 'd':
        set_add_range(&kind, '0', '9');
        break;
    case 'w':
        set_add_range(&kind, '0', '9');
        set_add_range(&kind, 'A', 'Z');
        set_add_range(&kind, 'a', 'z');
        set_add_range(&kind, '_', '_');
        break;
    case 's':
        set_add_range(&kind, '\t', '\r');
        set_add_range(&kind, ' ', ' ');
        break;
    default:
        return false;
    }
    if (c < 'a')
        set_invert(&kind);
    set_add(set, &kind);
    return true;
}

/* The byte that an escape stands for; -1: another kind of escape. */
static int
escaped(int c)
{
    switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'f': return '\f';
    default: return c >= ' ' && c < 0x80 && (c == '_' || !is_word(c)) ? c : -1;
    }
}

/* One thing in a class: a byte, which is returned; or a kind, -1. */
static int
class_item(struct parser *p, struct straight_set *set)
{
    int c = take(p);

    if (c == '[' && (peek(p) == ':' || peek(p) == '.' || peek(p) == '='))
        p->bad = true;
    if (c != '\\')
        return c;
    c = take(p);
    if (add_kind(set, c))
        return -1;
    c = escaped(c);
    p->bad = p->bad || c < 0;
    return c;
}

static bool
ends_range(const struct parser *p)
{
    return p->end - p->next >= 2 && p->next[0] == '-' && p->next[1] != ']';
}

/* Behind its bracket. */
static struct straight_set
parse_class(struct parser *p)
{
    const bool          inverted = take_if(p, '^');
    struct straight_set set = { { 0 } };
    bool                first = true;

    while (!p->bad && (first || !take_if(p, ']'))) {    /* a bracket at first is literal */
        const bool hyphen = peek(p) == '-';
        const int  low = class_item(p, &set);
        int        high = low;

        /* what a hyphen means in the middle, or behind \d, is left to others */
        if (low < 0 || hyphen)
            p->bad = p->bad || ends_range(p) || (hyphen && !first && peek(p) != ']');
        else if (ends_range(p)) {
            p->next++;
            high = class_item(p, &set);
            p->bad = p->bad || high < low;
        }
        if (low >= 0 && !p->bad)
            set_add_range(&set, (unsigned)low, (unsigned)high);
        p->bad = p->bad || p->next >= p->end;
        first = false;
    }
    if (inverted)
        set_invert(&set);
    return set;
}

static struct straight_set
parse_escape(struct parser *p)
{
    const int           c = take(p);
    struct straight_set set = { { 0 } };

    if (add_kind(&set, c))
        return set;
    if (escaped(c) < 0)
        p->bad = true;
    else
        set_add_range(&set, (unsigned)escaped(c), (unsigned)escaped(c));
    return set;
}

static unsigned
parse_number(struct parser *p)
{
    unsigned n = 0;

    p->bad = p->bad || !is_digit(peek(p));
    while (is_digit(peek(p)) && n < 100000)
        n = 10 * n + (unsigned)(take(p) - '0');
    return n;
}

/* How often, and how. */
static void
parse_repeat(struct parser *p, struct straight_node *n)
{
    n->min = n->max = 1;
    n->how = STRAIGHT_GREEDY;
    if (take_if(p, '*')) {
        n->min = 0;
        n->max = STRAIGHT_NO_LIMIT;
    } else if (take_if(p, '+')) {
        n->max = STRAIGHT_NO_LIMIT;
    } else if (take_if(p, '?')) {
        n->min = 0;
    } else if (take_if(p, '{')) {
        n->min = n->max = parse_number(p);
        if (take_if(p, ','))
            n->max = peek(p) == '}' ? STRAIGHT_NO_LIMIT : parse_number(p);
        p->bad = p->bad || !take_if(p, '}') || n->max == 0 || n->max < n->min;
    } else {
        return;
    }
    if (take_if(p, '?'))
        n->how = STRAIGHT_LAZY;
    else if (take_if(p, '+'))
        n->how = STRAIGHT_POSSESSIVE;
}

static struct straight_node *parse_sequence(struct parser *p);

static struct straight_alternative *
parse_alternatives(struct parser *p)
{
    struct straight_alternative *first = NULL, **link = &first;

    do {
        struct straight_alternative *a = &p->alternatives[p->nalternatives++];

        a->first = parse_sequence(p);
        *link = a;
        link = &a->next;
    } while (!p->bad && take_if(p, '|'));
    return first;
}

/* Behind its parenthesis: is it one that captures? */
static bool
parse_group_kind(struct parser *p)
{
    char close = '>';

    if (!take_if(p, '?'))
        return true;
    if (take_if(p, ':'))
        return false;
    if (take_if(p, '\''))
        close = '\'';
    else if (take_if(p, 'P') ? !take_if(p, '<') : !take_if(p, '<'))
        p->bad = true;
    p->bad = p->bad || !is_word(peek(p)) || is_digit(peek(p));
    while (is_word(peek(p)))
        p->next++;
    p->bad = p->bad || !take_if(p, close);
    return true;
}

static void
parse_group(struct parser *p, struct straight_node *n)
{
    n->kind = STRAIGHT_GROUP;
    if (parse_group_kind(p))
        n->capture = ++p->groups;
    if (++p->depth > MAX_DEPTH)
        p->bad = true;
    if (!p->bad)
        n->alternatives = parse_alternatives(p);
    p->depth--;
    p->bad = p->bad || !take_if(p, ')');
    parse_repeat(p, n);
    p->bad = p->bad || n->max != 1 || n->how != STRAIGHT_GREEDY;
}

static struct straight_node *
parse_node(struct parser *p)
{
    struct straight_node *n = &p->nodes[p->nnodes++];
    const int             c = take(p);

    switch (c) {
    case '(':
        parse_group(p, n);
        return n;
    case '$':
        n->kind = STRAIGHT_END;
        p->bad = p->bad || p->next < p->end;
        return n;
    case '[':
        n->set = parse_class(p);
        break;
    case '\\':
        n->set = parse_escape(p);
        break;
    case '.':
        set_add_range(&n->set, '\n', '\n');
        set_invert(&n->set);
        break;
    case '^': case '*': case '+': case '?': case '{':
        p->bad = true;
        break;
    default:
        set_add_range(&n->set, (unsigned)c, (unsigned)c);
        break;
    }
    parse_repeat(p, n);
    return n;
}

static struct straight_node *
parse_sequence(struct parser *p)
{
    struct straight_node *first = NULL, **link = &first;

    while (!p->bad && p->next < p->end && peek(p) != '|' && peek(p) != ')') {
        *link = parse_node(p);
        link = &(*link)->next;
    }
    return first;
}

/* ---- Judging ----------------------------------------------------------------- */

/* What may come at some place of the pattern. */
struct follow {
    struct straight_set set;        /* its first byte, */
    bool                nothing;    /* or the pattern ends, whatever comes, */
    bool                end;        /* or if it is the end of the subject ($) */
};

static bool
may_be_empty(const struct straight_node *n)
{
    for (; n != NULL; n = n->next) {
        bool empty = n->kind == STRAIGHT_SET && n->min == 0;

        if (n->kind == STRAIGHT_GROUP) {
            empty = n->min == 0;
            for (const struct straight_alternative *a = n->alternatives; a != NULL; a = a->next)
                empty = empty || may_be_empty(a->first);
        }
        if (!empty)
            return false;
    }
    return true;
}

static struct follow judge(struct parser *p, struct straight_node *n, struct follow after);

static struct follow
judge_set(struct parser *p, const struct straight_node *n, struct follow rest)
{
    /* One that takes all it can takes the last newline, too, and is at the end then. */
    const bool all = n->how == STRAIGHT_GREEDY && n->max == STRAIGHT_NO_LIMIT;

    if (n->min < n->max && n->how != STRAIGHT_POSSESSIVE &&
        (set_meets(&n->set, &rest.set) || (n->how == STRAIGHT_LAZY && rest.nothing) ||
         (!all && rest.end && straight_set_has(&n->set, '\n'))))
        p->bad = true;
    if (n->min > 0)
        return (struct follow){ n->set, false, false };
    set_add(&rest.set, &n->set);
    return rest;
}

/* An alternative that is entered is the only one: it must tell by its first byte. */
static struct follow
judge_group(struct parser *p, struct straight_node *n, struct follow rest)
{
    const bool    choice = n->alternatives->next != NULL || n->min == 0;
    struct follow all = { { { 0 } }, false, false };

    for (struct straight_alternative *a = n->alternatives; a != NULL; a = a->next) {
        const struct follow begins = judge(p, a->first, rest);

        a->begins = begins.set;
        if (choice && (may_be_empty(a->first) || set_meets(&begins.set, &all.set)))
            p->bad = true;
        set_add(&all.set, &begins.set);
        all.nothing = all.nothing || begins.nothing;
        all.end = all.end || begins.end;
    }
    n->set = all.set;
    if (n->min > 0)
        return all;
    if (rest.nothing || set_meets(&all.set, &rest.set) ||
        (rest.end && straight_set_has(&all.set, '\n')))
        p->bad = true;
    set_add(&rest.set, &all.set);
    return rest;
}

/* What comes at the place of this sequence, if `after` is what comes behind it. */
static struct follow
judge(struct parser *p, struct straight_node *n, struct follow after)
{
    struct follow rest;

    if (n == NULL)
        return after;
    rest = judge(p, n->next, after);
    switch (n->kind) {
    case STRAIGHT_SET:
        return judge_set(p, n, rest);
    case STRAIGHT_GROUP:
        return judge_group(p, n, rest);
    case STRAIGHT_END:
        break;
    }
    return (struct follow){ { { 0 } }, false, true };
}

/* Behind what says that it is matched from the beginning. */
static bool
is_anchored(struct slice *pattern)
{
    const size_t n = pattern->len > 0 && pattern->ptr[0] == '^' ? 1
        : pattern->len > 1 && pattern->ptr[0] == '\\' && pattern->ptr[1] == 'A' ? 2 : 0;

    pattern->ptr += n;
    pattern->len -= n;
    return n > 0;
}

bool
straight_tree_make(struct straight_tree *tree, struct slice pattern)
{
    const struct follow anything = { { { 0 } }, true, false };
    struct parser       p = { .bad = false };

    if (pattern.len > MAX_PATTERN || !is_anchored(&pattern))
        return false;
    p.next = pattern.ptr;
    p.end = pattern.ptr + pattern.len;
    p.nodes = mem_zero((pattern.len + 1) * sizeof *p.nodes);
    p.alternatives = mem_zero((pattern.len + 1) * sizeof *p.alternatives);
    *tree = (struct straight_tree){ .nodes = p.nodes, .alternatives = p.alternatives };
    tree->first = parse_sequence(&p);
    tree->groups = p.groups;
    p.bad = p.bad || p.next < p.end;
    if (!p.bad)
        (void)judge(&p, tree->first, anything);
    if (p.bad)
        straight_tree_fini(tree);
    return !p.bad;
}

void
straight_tree_fini(struct straight_tree *tree)
{
    free(tree->alternatives);
    free(tree->nodes);
    *tree = (struct straight_tree){ .nodes = NULL };
}
