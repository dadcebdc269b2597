/* multiline_presets.c - see multiline_presets.h.
 *
 * Written from what the runtimes print: java.lang.Throwable.printStackTrace and logback's
 * throwable converters; CPython's traceback.py; Go's runtime (panic.go, traceback.go) and
 * net/http; Ruby's error.c, eval_error.c and Rails' DebugExceptions.
 *
 * A logger often puts its message on a line of its own and the trace behind it, at
 * column 0: such a trace belongs to that line.  A line of a log is known by its time or
 * its level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/multiline_presets.h"

#include <stddef.h>

const char multiline_log_line[] =
    "^.{0,80}?(?:\\d:\\d\\d:\\d\\d|\\blevel=|"
    "\\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL)\\b)";

const char multiline_quiet_line[] = "^(?i).{0,80}?\\b(?:trace|debug|info|notice)\\b";

#define INDENTED "^[ \\t]"
#define EMPTY    "^[ \\t]*$"

/* ---- Java -------------------------------------------------------------------- */

enum {
    JAVA_HEAD = 1 << 1,         /* the exception's own line: its message may go on */
    JAVA_FRAMES = 1 << 2,
    JAVA_GAP = 1 << 3,          /* an empty line behind a line of the log, as Spring Boot has it */
};

#define JAVA_CLASS "(?:[\\w$]+\\.)+[A-Z][\\w$]*"
#define JAVA_ERROR                                                                       \
    "(?:[\\w$]+\\.)*[\\w$]*(?:Exception|Error|Throwable|Failure|ThreadDeath)"

static const struct preset_rule_text java[] = {
    { STATE_ANY, RULE_JOIN, JAVA_FRAMES, ALWAYS, "^[ \\t]+at |^[ \\t]*\\.\\.\\. \\d+ " },
    { STATE_ANY, RULE_JOIN, JAVA_HEAD, ALWAYS, "^[ \\t]*(?:Caused by|Suppressed|Wrapped by): " },
    { STATE_ANY, RULE_JOIN, 0, ALWAYS, INDENTED },
    { STATE_ANY, RULE_NEW, JAVA_HEAD, ALWAYS, "^Exception in thread " },   /* no logger's */
    { STATE_PLAIN, RULE_MAYBE, JAVA_GAP, AFTER_LOG_LINE, "^$" },
    { STATE_PLAIN | JAVA_GAP, RULE_JOIN, JAVA_HEAD, AFTER_LOG_LINE,
      "^(?:" JAVA_ERROR "|" JAVA_CLASS ")(?::|$)" },
    /* java.util.logging: the place on one line, level and message on the next */
    { STATE_PLAIN, RULE_JOIN, STATE_PLAIN, AFTER_LOG_LINE,
      "^(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): " },
    { STATE_ANY, RULE_NEW, JAVA_HEAD, ALWAYS, "^" JAVA_ERROR "(?::|$)" },
    { JAVA_HEAD, RULE_JOIN, JAVA_HEAD, NOT_LOG_LINE, NULL },
    { 0, RULE_END, 0, ALWAYS, NULL },
};

/* ---- Python ------------------------------------------------------------------ */

/* An interpreter that dies of an error prints it by itself, whatever was logged before: a line
 * of no trouble is not what it belongs to.  What it prints ends with the error's line; what a
 * logger writes goes on to its next line, for messages and notes may have several. */

enum {
    PYTHON_HEAD = 1 << 1,       /* of a thread, a process, a finaliser: the trace is to come */
    PYTHON_TRACE = 1 << 2,      /* files and lines; the error is to come */
    PYTHON_ERROR = 1 << 3,      /* its last line */
    PYTHON_GROUP_END = 1 << 4,  /* the same, of an exception group */
    PYTHON_GAP = 1 << 5,        /* an empty line behind it: is there another trace? */
    PYTHON_CHAIN = 1 << 6,      /* there is */
};

#define TRACEBACK "Traceback \\(most recent call last\\):"
#define REMOTE_TRACE "^[\\w.]*RemoteTraceback: *$"    /* of a pool's process, between quotes */

static const struct preset_rule_text python[] = {
    { PYTHON_HEAD | PYTHON_CHAIN, RULE_JOIN, PYTHON_TRACE, ALWAYS,
      "^[ \\t|+]*(?:Exception Group )?" TRACEBACK },
    { STATE_PLAIN, RULE_JOIN, PYTHON_TRACE, AFTER_LOUD_LINE,
      "^[ \\t|+]*(?:Exception Group )?" TRACEBACK },
    { PYTHON_TRACE, RULE_JOIN, PYTHON_GROUP_END, ALWAYS, "^ +\\+-+$" },
    { PYTHON_TRACE, RULE_JOIN, 0, ALWAYS, "^(?:> File .*)?$" },     /* loguru's */
    { PYTHON_TRACE | PYTHON_ERROR | PYTHON_GROUP_END, RULE_JOIN, 0, ALWAYS, INDENTED },
    { STATE_PLAIN, RULE_JOIN, PYTHON_HEAD, AFTER_LOUD_LINE, REMOTE_TRACE },
    { PYTHON_CHAIN, RULE_JOIN, PYTHON_HEAD, ALWAYS, REMOTE_TRACE },
    { STATE_ANY, RULE_NEW, PYTHON_HEAD, ALWAYS,
      REMOTE_TRACE
      "|^(?:Exception in thread .*|Process \\S+|Error in \\S+):$|^Exception ignored " },
    { STATE_ANY, RULE_NEW, PYTHON_TRACE, ALWAYS, "^.{0,200}?" TRACEBACK },
    { STATE_ANY, RULE_JOIN, 0, ALWAYS, INDENTED },
    { PYTHON_HEAD | PYTHON_ERROR, RULE_JOIN, 0, ALWAYS, "^\"\"\"$" },
    /* asyncio says what it was about */
    { STATE_PLAIN, RULE_JOIN, 0, AFTER_LOUD_LINE, "^[a-z_]+: <" },
    { PYTHON_TRACE, RULE_JOIN, PYTHON_ERROR, ALWAYS, "^[A-Za-z_][\\w.<>]*(?::|$)" },
    { PYTHON_ERROR | PYTHON_GROUP_END, RULE_MAYBE, PYTHON_GAP, ALWAYS, "^$" },
    { PYTHON_ERROR | PYTHON_GROUP_END | PYTHON_GAP, RULE_JOIN, PYTHON_CHAIN, ALWAYS,
      "^(?:During handling of the above exception, another exception|"
      "The above exception was the direct cause)" },
    { PYTHON_ERROR | PYTHON_GAP, RULE_JOIN, PYTHON_ERROR, LOGGED, NULL },
    { PYTHON_CHAIN, RULE_JOIN, 0, ALWAYS, "^$" },
    { 0, RULE_END, 0, ALWAYS, NULL },
};

/* ---- Go ---------------------------------------------------------------------- */

enum {
    GO_PANIC = 1 << 1,          /* the message; the goroutines are to come */
    GO_PANIC_GAP = 1 << 2,
    GO_STACK = 1 << 3,
    GO_STACK_GAP = 1 << 4,
    GO_FRAME = 1 << 5,          /* a function, as zap and pkg/errors write it: its place follows */
    GO_FRAMES = 1 << 6,
    GO_WRAPPED = 1 << 7,        /* a message behind them: has it frames? */
};

#define GO_GOROUTINE "^(?:goroutine \\d+ .*\\]:$|runtime stack:$)"
#define GO_FUNCTION  "^[\\w./@~%+-]+\\.(?:\\(\\*?[^\\s()]+\\)\\.)?[\\w.\\[\\]-]+$"
#define GO_FATAL     "^(?:panic: |fatal error: |SIG[A-Z]+: |runtime: |unexpected fault address )"

static const struct preset_rule_text go[] = {
    { GO_PANIC | GO_PANIC_GAP, RULE_JOIN, GO_PANIC, ALWAYS, GO_FATAL },
    { STATE_ANY, RULE_NEW, GO_PANIC, ALWAYS, GO_FATAL },
    { GO_PANIC | GO_PANIC_GAP | GO_STACK | GO_STACK_GAP, RULE_JOIN, GO_STACK, ALWAYS,
      GO_GOROUTINE },
    { STATE_PLAIN, RULE_JOIN, GO_STACK, AFTER_LOG_LINE, GO_GOROUTINE },
    { STATE_ANY, RULE_NEW, GO_STACK, ALWAYS, GO_GOROUTINE },
    { GO_PANIC | GO_PANIC_GAP, RULE_JOIN, GO_PANIC, ALWAYS,
      "^(?:\\[signal |PC=|\\[?originating )" },
    { GO_PANIC | GO_PANIC_GAP, RULE_MAYBE, GO_PANIC_GAP, ALWAYS, EMPTY },
    { GO_FRAME, RULE_JOIN, GO_FRAMES, ALWAYS, "^\\t\\S.*:\\d+$" },
    { STATE_ANY, RULE_JOIN, 0, ALWAYS, INDENTED },
    { STATE_PLAIN | GO_FRAMES | GO_WRAPPED, RULE_MAYBE, GO_FRAME, ALWAYS, GO_FUNCTION },
    { GO_FRAMES, RULE_MAYBE, GO_WRAPPED, LOGGED, "." },
    { GO_PANIC, RULE_JOIN, GO_PANIC, NOT_LOG_LINE, NULL },
    { GO_STACK, RULE_MAYBE, GO_STACK_GAP, ALWAYS, "^$" },
    { GO_STACK, RULE_JOIN, 0, ALWAYS,
      "^(?:[^\\s:]+\\(.*\\)$|created by |\\.\\.\\.(?:additional|\\d+) frames elided)" },
    /* the registers that follow a signal */
    { GO_STACK | GO_STACK_GAP, RULE_JOIN, GO_STACK, ALWAYS,
      "^(?:[re][a-z0-9]{1,2}|[cdefgs]s|[er]flags|x\\d+|lr|sp|pc|fault) +0x" },
    { 0, RULE_END, 0, ALWAYS, NULL },
};

/* ---- Ruby -------------------------------------------------------------------- */

enum {
    RUBY_HEAD = 1 << 1,         /* the error's own line */
    RUBY_SHOWN_HEAD = 1 << 2,   /* one behind which the source is shown */
    RUBY_SHOWN_GAP = 1 << 3,
    RUBY_FRAMES = 1 << 4,
    RUBY_REVERSED = 1 << 5,     /* Traceback: the error is to come */
    RUBY_RAILS = 1 << 6,        /* NameError (message): */
    RUBY_RAILS_OPEN = 1 << 7,   /* the same, with a message of several lines: its end is to come */
    RUBY_LOGGED = 1 << 8,       /* an error that Logger has written: its message may go on */
};

#define RUBY_PLACE ":\\d+:in [`'].*?'"
#define RUBY_SHOWS                                                                       \
    "^\\S.*?" RUBY_PLACE ": .*\\((?:NoMethodError|NameError|TypeError|ArgumentError)\\)$"

#define RUBY_RAILS_NAME "^(?:\\[[^]]*\\] )*[A-Z]\\w*"
#define RUBY_IN_RAILS RUBY_RAILS_NAME "(?:::[A-Z]\\w*)* \\(.*\\):\\s*$"
#define RUBY_IN_RAILS_OPEN RUBY_RAILS_NAME "(?:(?:::[A-Z]\\w*)+|(?<=Error)) \\((?!.*\\)\\W*$)"

#define RUBY_HEADS(from, action, condition)                                              \
    { (from), (action), RUBY_SHOWN_HEAD, (condition), RUBY_SHOWS },                      \
    { (from), (action), RUBY_HEAD, (condition), "^\\S.*?" RUBY_PLACE ": " }

static const struct preset_rule_text ruby[] = {
    { STATE_ANY & ~STATE_PLAIN, RULE_JOIN, RUBY_FRAMES, ALWAYS, "^[ \\t]+from " },
    RUBY_HEADS(RUBY_REVERSED, RULE_JOIN, ALWAYS),
    RUBY_HEADS(RUBY_FRAMES, RULE_JOIN, AFTER_RESCUE),
    RUBY_HEADS(STATE_ANY, RULE_NEW, ALWAYS),
    { STATE_PLAIN, RULE_JOIN, RUBY_REVERSED, AFTER_LOG_LINE,
      "^Traceback \\(most recent call last\\)" },
    { STATE_ANY, RULE_NEW, RUBY_REVERSED, ALWAYS,
      "^Traceback \\(most recent call last\\)|^#<Thread:.* terminated with exception" },
    { STATE_PLAIN | RUBY_LOGGED, RULE_JOIN, RUBY_RAILS, AFTER_LOG_LINE, RUBY_IN_RAILS },
    { STATE_PLAIN | RUBY_LOGGED, RULE_JOIN, RUBY_RAILS_OPEN, AFTER_LOG_LINE, RUBY_IN_RAILS_OPEN },
    { RUBY_RAILS_OPEN, RULE_JOIN, RUBY_RAILS, ALWAYS, "\\):\\s*$" },
    { STATE_ANY, RULE_NEW, RUBY_RAILS, ALWAYS, RUBY_IN_RAILS },
    { STATE_ANY, RULE_NEW, RUBY_RAILS_OPEN, ALWAYS, RUBY_IN_RAILS_OPEN },
    { RUBY_RAILS, RULE_JOIN, 0, ALWAYS, EMPTY },
    { RUBY_RAILS_OPEN, RULE_JOIN, 0, ALWAYS, "^(?:LINE \\d+|DETAIL|HINT|CONTEXT|): " },
    { STATE_ANY & ~(STATE_PLAIN | RUBY_LOGGED), RULE_JOIN, 0, ALWAYS, "^\\S.*?" RUBY_PLACE "$" },
    { STATE_PLAIN | RUBY_LOGGED, RULE_JOIN, RUBY_FRAMES, ALWAYS, "^\\S.*?" RUBY_PLACE "$" },
    { STATE_ANY, RULE_JOIN, 0, ALWAYS, INDENTED },
    { STATE_ANY, RULE_NEW, RUBY_LOGGED, ALWAYS, "^[EF], \\[" },
    { RUBY_HEAD | RUBY_SHOWN_HEAD | RUBY_SHOWN_GAP, RULE_JOIN, RUBY_HEAD, ALWAYS,
      "^Did you mean\\?" },
    { RUBY_SHOWN_HEAD, RULE_MAYBE, RUBY_SHOWN_GAP, ALWAYS, "^$" },
    { RUBY_SHOWN_GAP, RULE_JOIN, RUBY_HEAD, NOT_LOG_LINE, NULL },
    { RUBY_FRAMES | RUBY_RAILS, RULE_JOIN, RUBY_HEAD, ALWAYS, "^Caused by: " },
    { RUBY_HEAD | RUBY_RAILS_OPEN | RUBY_LOGGED, RULE_JOIN, 0, NOT_LOG_LINE, NULL },
    { 0, RULE_END, 0, ALWAYS, NULL },
};

/* ---- Anything indented ---------------------------------------------------------- */

static const struct preset_rule_text indented[] = {
    { STATE_ANY, RULE_JOIN, 0, ALWAYS, INDENTED },
    { 0, RULE_END, 0, ALWAYS, NULL },
};

const struct preset_rule_text *const multiline_presets[PRESETS] = {
    [PRESET_JAVA] = java, [PRESET_PYTHON] = python, [PRESET_GO] = go,
    [PRESET_RUBY] = ruby, [PRESET_INDENTED] = indented,
};
