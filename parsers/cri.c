/* cri.c - the log of a container, as containerd and CRI-O write it.
 *
 *     2016-10-06T00:17:09.669794202Z stdout F what the container has written
 *     2016-10-06T00:17:09.669794202Z stderr P the beginning of a long line
 *
 * Time, stream, tags, text.  Tags are separated by ':', and the first is P (the line goes on)
 * or F.  Source: Kubernetes' CRI (cri-api, LogStreamType and LogTag; kubelet's
 * pkg/kubelet/kuberuntime/logs, parseCRILog).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/check.h"
#include "agent/base/mem.h"
#include "agent/flow/parser.h"
#include "parsers/rfc3339.h"

enum {
    MAGIC = 0x63726920,
    USUAL_TIME = sizeof "2016-10-06T00:17:09.669794202Z" - 1,
    STREAM_LEN = sizeof "stdout" - 1,
};

struct cri_parser {
    struct parser parser;
    unsigned      magic;
};

static const struct field cri_fields[] = { NO_MORE_FIELDS };

static size_t
time_len(struct slice line)
{
    const char *blank;

    if (line.len > USUAL_TIME && line.ptr[USUAL_TIME] == ' ')
        return USUAL_TIME;
    blank = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    return blank != NULL ? (size_t)(blank - line.ptr) : line.len;
}

/* Behind the stream and its blank. */
static bool
take_stream(struct slice *rest, unsigned *stream)
{
    if (rest->len <= STREAM_LEN || rest->ptr[STREAM_LEN] != ' ')
        return false;
    if (memcmp(rest->ptr, "stdout", STREAM_LEN) == 0)
        *stream = STREAM_STDOUT;
    else if (memcmp(rest->ptr, "stderr", STREAM_LEN) == 0)
        *stream = STREAM_STDERR;
    else
        return false;
    *rest = (struct slice){ rest->ptr + STREAM_LEN + 1, rest->len - STREAM_LEN - 1 };
    return true;
}

/* The blank behind the tags may be missing when the text is empty. */
static bool
take_tags(struct slice *rest, bool *partial)
{
    size_t n = 1;

    if (rest->len == 0 || (rest->ptr[0] != 'F' && rest->ptr[0] != 'P'))
        return false;
    *partial = rest->ptr[0] == 'P';
    if (rest->len > 1 && rest->ptr[1] == ':')
        while (n < rest->len && rest->ptr[n] != ' ')
            n++;
    if (n < rest->len && rest->ptr[n] != ' ')
        return false;
    n += n < rest->len ? 1 : 0;
    *rest = (struct slice){ rest->ptr + n, rest->len - n };
    return true;
}

static int
frame(const struct parser *p, struct parse_work *work, struct slice line, struct frame *f)
{
    const size_t        len = time_len(line);
    struct slice        rest = { line.ptr + len, line.len - len };
    enum rfc3339_result result;

    (void)p;
    work->reason = "no line of a container's log";
    *f = (struct frame){ .stream = STREAM_STDOUT };
    result = rfc3339_read((struct slice){ line.ptr, len }, &f->time_ms);
    if (result == RFC3339_OTHER || rest.len == 0)
        return -1;
    rest = (struct slice){ rest.ptr + 1, rest.len - 1 };
    if (!take_stream(&rest, &f->stream) || !take_tags(&rest, &f->partial))
        return -1;
    f->body = rest;
    f->has_time = result == RFC3339_TIME;
    f->trouble = f->has_time ? NULL : "bad time";
    return 0;
}

static void
free_parser(struct parser *p)
{
    struct cri_parser *cri = (struct cri_parser *)p;

    CHECK_MAGIC(cri, MAGIC);
    cri->magic = 0;
    free(cri);
}

static const struct parser_ops  cri_ops = { .free = free_parser };
static const struct framing_ops framing = { .frame = frame };

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    const size_t          before = errs->count;
    const struct settings set[] = { { NULL, cri_fields }, { NULL, type_fields } };
    struct cri_parser    *cri;

    (void)names;
    fields_load(set, 2, what, conf, conf->at, NULL, NULL, errs);
    if (errs->count > before)
        return NULL;
    cri = NEW(struct cri_parser);
    cri->parser.ops = &cri_ops;
    cri->parser.framing = &framing;
    cri->magic = MAGIC;
    return &cri->parser;
}

extern const struct parser_type cri_parser_type;        /* registry.c */

const struct parser_type cri_parser_type = {
    .name = "cri",
    .help = "The log of a container, as containerd and CRI-O write it: sets the body, the time and "
            "`log.iostream`; partial lines are joined, each stream by itself. It must be the first "
            "parser of its input.",
    .fields = cri_fields,
    .load = load,
};
