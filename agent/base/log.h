/* log.h - what the agent tells its operator, on stderr.
 *
 * One line a message: key=value text, or JSON.  log_again() is for
 * what may repeat for hours: the same thing is told once, then at most every
 * five minutes, with how often it happened in between.  Messages are lower
 * case, factual, with the user's names in quotes and what to do next in
 * brackets.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Before the first other thread; until then: info, text. */
void log_set_up(enum log_level level, enum log_format format);

bool log_wants(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What may repeat, and when it was told last.  Zeroed: never told.  Belongs to
 * the thread that uses it. */
struct log_repeat {
    uint64_t told_at;   /* clock_ms() */
    unsigned untold;    /* how often since */
};

/* As log_error() and its like, but rarely; true if it was printed. */
bool log_again(struct log_repeat *repeat, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* It is over: the next one is new, and is told at once. */
void log_over(struct log_repeat *repeat);

#endif
