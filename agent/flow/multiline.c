/* multiline.c - see multiline.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/multiline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/flow/multiline_presets.h"

struct preset_rule {
    const struct preset_rule_text *text;
    struct pattern                *pattern;     /* NULL: any line */
};

/* ---- Settings ---------------------------------------------------------------- */

static const struct choice preset_choices[] = {
    { "java", PRESET_JAVA }, { "python", PRESET_PYTHON }, { "go", PRESET_GO },
    { "ruby", PRESET_RUBY }, { "indented", PRESET_INDENTED }, { NULL, 0 },
};

const struct field multiline_fields[] = {
    A_NODE(struct multiline, "start", start_node,
        "A regular expression (PCRE2): a line that matches begins a record, all others belong to "
        "the record before."),
    A_NODE(struct multiline, "continue", continue_node,
        "A regular expression (PCRE2): a line that matches belongs to the record before, all "
        "others begin one."),
    A_CHOICE(struct multiline, "preset", preset, NULL, preset_choices,
        "Instead of the two: the stack traces of a language, together with the line of the log "
        "before them; `indented`: lines that begin with a blank or a tab."),
    A_TIME(struct multiline, "timeout", timeout, "5s", 10, 24 * 3600 * 1000,
        "After this long without another line a record is complete."),
    A_COUNT(struct multiline, "max_lines", max_lines, "1000", 1, 1000 * 1000,
        "The most lines of one record; the next line begins a new one."),
    A_SIZE(struct multiline, "max_size", max_size, "1MiB", 64, 64 * 1024 * 1024,
        "The most bytes of one record; the line that would exceed it begins a new one."),
    NO_MORE_FIELDS
};

static struct pattern *
load_pattern(const char *what, const char *key, const struct node *n, struct errors *errs)
{
    struct pattern *p;
    size_t          offset = 0;
    struct error    err;

    if (n == NULL || n->bad)
        return NULL;
    if (n->kind != NODE_SCALAR) {
        errors_at(errs, n->at, "%s: multiline: '%s' is a regular expression, not %s", what, key,
                  node_kind_name(n));
        return NULL;
    }
    p = pattern_new((struct slice){ n->text, n->len }, &offset, &err);
    if (p == NULL)
        errors_at(errs, node_mark(n, offset), "%s: multiline: %s", what, err.text);
    return p;
}

static struct pattern *
compile(const char *text)
{
    struct error    err;
    struct pattern *p = pattern_new(slice_of(text), NULL, &err);

    assert(p != NULL && pattern_groups(p) == 0);
    return p;
}

static void
compile_preset(struct multiline *m)
{
    const struct preset_rule_text *texts = multiline_presets[m->preset];

    while (texts[m->nrules].action != RULE_END)
        m->nrules++;
    m->rules = mem_array(NULL, m->nrules, sizeof *m->rules);
    for (size_t i = 0; i < m->nrules; i++)
        m->rules[i] = (struct preset_rule){
            &texts[i], texts[i].pattern != NULL ? compile(texts[i].pattern) : NULL };
    m->log_line = compile(multiline_log_line);
    m->quiet_line = compile(multiline_quiet_line);
}

static bool
is_given(const struct node *map, const char *key)
{
    const struct node *n = node_get(map, key);

    return n != NULL && (n->bad || n->kind != NODE_NULL);
}

/* Exactly one of the three. */
static void
check_ways(const char *what, const struct node *map, struct errors *errs)
{
    static const char *const ways[] = { "start", "continue", "preset" };
    const char              *first = NULL;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!is_given(map, ways[i]))
            continue;
        if (first != NULL)
            errors_at(errs, node_get(map, ways[i])->key_at,
                      "%s: multiline: '%s' cannot stand beside '%s'", what, ways[i], first);
        first = ways[i];
    }
    if (first == NULL)
        errors_at(errs, map->key_at, "%s: multiline needs 'start', 'continue' or 'preset'", what);
}

struct multiline *
multiline_load(const char *what, const struct node *map, struct errors *errs)
{
    struct multiline *m = NEW(struct multiline);
    struct settings   set = { m, multiline_fields };
    const size_t      before = errs->count;
    char             *owner = mem_alloc(strlen(what) + sizeof ": multiline");

    strcat(strcpy(owner, what), ": multiline");
    (void)fields_load(&set, 1, owner, map, map->at, NULL, NULL, errs);
    free(owner);
    if (map->kind == NODE_MAP || (map->kind == NODE_NULL && !map->bad))
        check_ways(what, map, errs);
    if (map->kind == NODE_MAP) {
        m->start = load_pattern(what, "start", m->start_node, errs);
        m->next = load_pattern(what, "continue", m->continue_node, errs);
    }
    if (errs->count > before || map->bad) {
        multiline_free(m);
        return NULL;
    }
    if (m->preset != PRESET_NONE)
        compile_preset(m);
    return m;
}

void
multiline_free(struct multiline *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->nrules; i++)
        pattern_free(m->rules[i].pattern);
    free(m->rules);
    pattern_free(m->log_line);
    pattern_free(m->quiet_line);
    pattern_free(m->start);
    pattern_free(m->next);
    free(m);
}

size_t
multiline_groups(const struct multiline *m)
{
    const size_t start = m->start != NULL ? pattern_groups(m->start) : 0;

    return m->next != NULL ? pattern_groups(m->next) : start;
}

/* ---- Deciding ------------------------------------------------------------------ */

/* A pattern that backtracks over its limit does not match. */
static bool
matches(const struct pattern *p, struct pattern_work *work, struct slice line)
{
    return pattern_match(p, work, line) == PATTERN_YES;
}

static bool
holds(const struct multiline *m, enum preset_condition condition, struct pattern_work *work,
      const struct multiline_group *g, struct slice line)
{
    switch (condition) {
    case ALWAYS:
        break;
    case AFTER_LOG_LINE:
        return matches(m->log_line, work, g->first);
    case AFTER_LOUD_LINE:
        return matches(m->log_line, work, g->first) && !matches(m->quiet_line, work, g->first);
    case NOT_LOG_LINE:
        return !matches(m->log_line, work, line);
    case LOGGED:
        return matches(m->log_line, work, g->first) && !matches(m->log_line, work, line);
    case AFTER_RESCUE:
        return g->rescued;
    }
    return true;
}

static bool
fits(const struct multiline *m, const struct preset_rule *rule, struct pattern_work *work,
     const struct multiline_group *g, struct slice line)
{
    const struct preset_rule_text *text = rule->text;

    if (g->state == STATE_NONE ? text->action != RULE_NEW : (text->from & g->state) == 0)
        return false;
    if (rule->pattern != NULL && !matches(rule->pattern, work, line))
        return false;
    return holds(m, text->condition, work, g, line);
}

static bool
says_rescued(const struct multiline *m, struct slice line)
{
    return m->preset == PRESET_RUBY && (memmem(line.ptr, line.len, "rescue in ", 10) != NULL ||
                                        memmem(line.ptr, line.len, "ensure in ", 10) != NULL);
}

static enum multiline_answer
ask_preset(const struct multiline *m, struct pattern_work *work, struct multiline_group *g,
           struct slice line)
{
    for (size_t i = 0; i < m->nrules; i++) {
        const struct preset_rule_text *text = m->rules[i].text;

        if (!fits(m, &m->rules[i], work, g, line))
            continue;
        g->state = text->to != 0 ? text->to : g->state;
        if (text->action == RULE_NEW) {
            g->rescued = says_rescued(m, line);
            return MULTILINE_NEW;
        }
        g->rescued = g->rescued || says_rescued(m, line);
        return text->action == RULE_MAYBE ? MULTILINE_MAYBE : MULTILINE_JOIN;
    }
    g->state = STATE_PLAIN;
    g->rescued = says_rescued(m, line);
    return MULTILINE_NEW;
}

enum multiline_answer
multiline_next(const struct multiline *m, struct pattern_work *work, struct multiline_group *g,
               struct slice line)
{
    const bool is_first = g->state == STATE_NONE;
    bool       joins;

    if (m->preset != PRESET_NONE)
        return ask_preset(m, work, g, line);
    g->state = STATE_PLAIN;
    if (is_first)
        return MULTILINE_NEW;
    joins = m->start != NULL ? !matches(m->start, work, line) : matches(m->next, work, line);
    return joins ? MULTILINE_JOIN : MULTILINE_NEW;
}
