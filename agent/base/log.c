/* log.c - see log.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"

enum { TELL_AGAIN_MS = 5 * 60 * 1000 };

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

static enum log_level  least_level = LOG_INFO;
static enum log_format line_format = LOG_TEXT;

void
log_set_up(enum log_level level, enum log_format format)
{
    least_level = level;
    line_format = format;
}

bool
log_wants(enum log_level level)
{
    return level <= least_level;
}

/* RFC 3339, UTC, milliseconds. */
static void
add_time(struct buf *line)
{
    const int64_t ms = clock_epoch_ms();
    const time_t  seconds = (time_t)(ms / 1000);
    struct tm     tm;
    char          text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(line, "%s.%03dZ", text, (int)(ms % 1000));
}

/* How many bytes the UTF-8 character at `p` has; 0: it is none (RFC 3629). */
static size_t
character_length(const unsigned char *p)
{
    const size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
                     : p[0] < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

/* A name in a message may hold any bytes: a control character must not break
 * the line, nor a quote the JSON, nor half a character its encoding. */
static void
add_escaped(struct buf *line, const char *text, bool json)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p != '\0') {
        const size_t len = character_length(p);

        if (len == 0)
            buf_printf(line, json ? "\\ufffd" : "\\x%02x", *p);
        else if (*p < 0x20 || *p == 0x7f)
            buf_printf(line, json ? "\\u%04x" : "\\x%02x", *p);
        else if (*p == '"' || *p == '\\')
            buf_printf(line, "\\%c", *p);
        else
            buf_add(line, p, len);
        p += len > 0 ? len : 1;
    }
}

static void
write_line(enum log_level level, const char *fmt, va_list ap, unsigned times)
{
    struct buf line = { NULL, 0, 0 }, text = { NULL, 0, 0 };

    buf_vprintf(&text, fmt, ap);
    if (times > 1)
        buf_printf(&text, " (%u times)", times);
    if (line_format == LOG_JSON) {
        buf_add_string(&line, "{\"time\":\"");
        add_time(&line);
        buf_printf(&line, "\",\"level\":\"%s\",\"message\":\"", level_names[level]);
        add_escaped(&line, buf_string(&text), true);
        buf_add_string(&line, "\"}\n");
    } else {
        buf_add_string(&line, "time=");
        add_time(&line);
        buf_printf(&line, " level=%s msg=\"", level_names[level]);
        add_escaped(&line, buf_string(&text), false);
        buf_add_string(&line, "\"\n");
    }
    /* One write, so that lines of several threads do not mix; nobody to tell if it fails. */
    if (write(STDERR_FILENO, line.ptr, line.len) < 0)
        (void)0;
    buf_fini(&text);
    buf_fini(&line);
}

#define DEFINE_LOG(name, level)                                                \
    void name(const char *fmt, ...)                                            \
    {                                                                          \
        va_list ap;                                                            \
                                                                               \
        if (!log_wants(level))                                                 \
            return;                                                            \
        va_start(ap, fmt);                                                     \
        write_line(level, fmt, ap, 1);                                         \
        va_end(ap);                                                            \
    }

DEFINE_LOG(log_error, LOG_ERROR)
DEFINE_LOG(log_warn, LOG_WARN)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_debug, LOG_DEBUG)

bool
log_again(struct log_repeat *repeat, enum log_level level, const char *fmt, ...)
{
    const uint64_t now = clock_ms();
    va_list        ap;

    repeat->untold++;
    if (!log_wants(level) || (repeat->told_at != 0 && now - repeat->told_at < TELL_AGAIN_MS))
        return false;
    va_start(ap, fmt);
    write_line(level, fmt, ap, repeat->untold);
    va_end(ap);
    repeat->told_at = now;
    repeat->untold = 0;
    return true;
}

void
log_over(struct log_repeat *repeat)
{
    *repeat = (struct log_repeat){ 0, 0 };
}
