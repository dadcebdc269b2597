/* multiline_presets.h - the stack traces of some languages, as tables of rules.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_MULTILINE_PRESETS_H
#define AGENT_FLOW_MULTILINE_PRESETS_H

enum preset { PRESET_NONE, PRESET_JAVA, PRESET_PYTHON, PRESET_GO, PRESET_RUBY, PRESET_INDENTED,
              PRESETS };

/* The state of a group says what its lines were so far; every preset has its own
 * beside the first two, and a rule may name several. */
enum {
    STATE_NONE = 0,         /* there is no group */
    STATE_PLAIN = 1 << 0,   /* a line like any other */
    STATE_ANY = 0xffff,         /* of a group; rules that begin one hold without a group too */
};

/* What else must hold for a rule. */
enum preset_condition {
    ALWAYS,
    AFTER_LOG_LINE,         /* the group's first line is one of a log: it has a time or a level */
    AFTER_LOUD_LINE,            /* the same, and it does not say that it is of a low level */
    NOT_LOG_LINE,           /* this line is none */
    LOGGED,                 /* both: the first line is one of a log, and this one is none */
    AFTER_RESCUE,           /* a line of the group says that another error was being handled */
};

enum preset_action { RULE_END, RULE_NEW, RULE_JOIN, RULE_MAYBE };

/* The first rule that fits decides; if none does, the line begins a plain group. */
struct preset_rule_text {
    unsigned              from;         /* states */
    enum preset_action    action;
    unsigned              to;           /* state; 0: as it was */
    enum preset_condition condition;
    const char           *pattern;      /* NULL: any line */
};

/* Ends with RULE_END. */
extern const struct preset_rule_text *const multiline_presets[PRESETS];

/* A line of a log, as opposed to one of a stack trace or a message. */
extern const char multiline_log_line[];

/* One of a low level. */
extern const char multiline_quiet_line[];

#endif
