/* transform.c - see transform.h.
 *
 *     bytes ─► line ─► record ─► parsers ─► routes ─► message ─► its run
 *
 * Everything that is made here borrows from the chunk: a message's value is a
 * part of the bytes that were read, unless a rule makes another one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/transform.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/flow/group.h"
#include "agent/flow/kubernetes.h"
#include "agent/flow/output.h"
#include "agent/flow/source.h"
#include "agent/flow/target.h"

enum {
    KEYS_PIECE = 2048,          /* bytes of the arena */
    VALUES_PIECE = 8192,
    VALUE_LOTS = 16,
};

/* A piece of an arena for texts of one kind, so that no others come between them. */
struct lot {
    char  *next;
    size_t room;
};

struct scratch {
    struct record     record;
    struct parse_work work;
    struct decoder   *decoder;
    const struct encoding *encoding;    /* of the chunk; NULL: UTF-8 */
    struct redact_work redact;
    struct buf        json;     /* a value of that format that does not fit into its lot */
    struct lot        keys;     /* of the chunk's arena, as all lots */
    struct lot        values[VALUE_LOTS];   /* of the first runs */
    uint64_t          now;      /* clock_ns() of the chunk, once somebody has asked; or 0 */
    bool              clock_stands;
    struct log_repeat told_cut_off;
    struct groups    *groups;   /* made when an input first needs it */
    struct message   *spare;    /* for sorting; as many as max_messages */
    uint32_t         *run_of;
    char             *gathered; /* CHUNK_SIZE bytes, to be exchanged with a chunk's; or NULL */
    uint32_t          max_messages;
    struct targets    targets;
    uint64_t          source;   /* the number of the chunk's source */
    uint32_t          room;     /* messages that must fit for another record */
    struct chunk     *chunk;    /* the one at work */
    const struct plan *plan;
};

struct scratch *
scratch_new(const struct names *names, size_t groups)
{
    struct scratch *w = NEW(struct scratch);

    record_init(&w->record, names);
    w->decoder = decoder_new();
    w->record.numbered_only = !names_all_asked(names);
    w->work.pattern = pattern_work_new(groups);
    w->work.shapes = json_shapes_new();
    return w;
}

void
scratch_free(struct scratch *w)
{
    if (w == NULL)
        return;
    targets_fini(&w->targets);
    free(w->run_of);
    free(w->spare);
    free(w->gathered);
    redact_work_fini(&w->redact);
    buf_fini(&w->json);
    groups_free(w->groups);
    pattern_work_free(w->work.pattern);
    json_shapes_free(w->work.shapes);
    decoder_free(w->decoder);
    record_fini(&w->record);
    free(w);
}

void
scratch_stop_clock(struct scratch *w)
{
    w->clock_stands = true;
}

const uint32_t *
scratch_runs(const struct scratch *w)
{
    return w->run_of;
}

/* ---- What a message says --------------------------------------------------- */

/* A whole decimal number; false for anything else. */
static bool
to_number(struct slice text, int64_t *number)
{
    char  digits[24];
    char *end;

    if (text.len == 0 || text.len >= sizeof digits || strchr("-0123456789", text.ptr[0]) == NULL)
        return false;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    errno = 0;
    *number = strtoll(digits, &end, 10);
    return errno == 0 && end == digits + text.len;
}

/* Values and headers outlive the record: what was made for it is in the arena,
 * what is a part of the line stays where it is.  Returns why there is no value,
 * or NULL: a null value by accident would, with a key, delete. */
static const char *
set_value(const struct route *route, struct scratch *w, struct message *m)
{
    const struct record *r = &w->record;
    struct slice         value = NO_SLICE;
    const char          *fault = NULL;

    switch (route->value) {
    case ROUTE_VALUE_BODY:
        value = r->body;
        break;
    case ROUTE_VALUE_RAW:
        value = r->raw;
        break;
    case ROUTE_VALUE_NONE:
        break;
    case ROUTE_VALUE_TEMPLATE:
        if (!template_render(route->value_template, r, &w->chunk->arena, &value)) {
            value = r->body;
            fault = "a field of the value is missing";
        }
        break;
    case ROUTE_VALUE_JSON:      /* set_json(), when its place is known */
        break;
    }
    m->value = value.ptr;
    m->value_len = (uint32_t)value.len;
    return fault;
}

static bool
in_bytes(const struct chunk *c, const char *p)
{
    return p >= c->bytes && p < c->bytes + c->len;
}

/* Keep a text in the arena, beside others of its kind. */
static struct slice
keep(struct scratch *w, struct lot *lot, size_t piece, struct slice text)
{
    struct slice kept;

    if (text.len == 0 || text.len > piece / 8)
        return arena_copy(&w->chunk->arena, text);
    if (text.len > lot->room) {
        lot->next = arena_reserve(&w->chunk->arena, piece);
        lot->room = piece;
        (void)arena_commit(&w->chunk->arena, piece);
    }
    kept = (struct slice){ memcpy(lot->next, text.ptr, text.len), text.len };
    lot->next += text.len;
    lot->room -= text.len;
    return kept;
}

/* A value that was made stands behind the one before it in the run, where there are few
 * runs: as transform_gather() does it for those that are parts of the bytes. */
static void
set_json(const struct route *route, struct scratch *w, struct message *m, uint32_t run)
{
    struct lot        none = { NULL, 0 };
    struct lot *const lot = run < VALUE_LOTS ? &w->values[run] : &none;
    struct slice      value =
        route_json(route, &w->record, &w->chunk->arena, lot->next, lot->room, &w->json);

    if (lot->room > 0 && value.ptr == lot->next) {
        lot->next += value.len;
        lot->room -= value.len;
    } else if (run < VALUE_LOTS) {
        value = keep(w, lot, VALUES_PIECE, value);
    } else {
        value = arena_copy(&w->chunk->arena, value);
    }
    m->value = value.ptr;
    m->value_len = (uint32_t)value.len;
}

/* The key is copied: side by side in the arena they cost the sender less than
 * each in its own line (a cache line of another core). */
static const char *
set_key(const struct route *route, struct scratch *w, struct message *m)
{
    struct slice key;
    const char  *why = NULL;

    if (route->key == NULL || !template_render(route->key, &w->record, &w->chunk->arena, &key))
        return NULL;
    if (route->key_serializer != SERIALIZER_TEXT)       /* if not: rejected with its text */
        why = serializer_apply(route->key_serializer, key, &w->chunk->arena, &key);
    if (key.len > MESSAGE_MAX_KEY)
        return "the key is too long";
    if (in_bytes(w->chunk, key.ptr))
        key = keep(w, &w->keys, KEYS_PIECE, key);
    m->key = key.len > 0 ? key.ptr : "";
    m->key_len = (uint32_t)key.len & MESSAGE_MAX_KEY;
    return why;
}

/* `odd`: a timestamp that is none, kept in a header; or no slice. */
static void
set_headers(const struct route *route, struct scratch *w, struct message *m, struct slice odd)
{
    const size_t    most = route->nheaders + 1;
    struct headers *h;

    if (route->nheaders == 0 && odd.ptr == NULL)
        return;
    h = arena_alloc(&w->chunk->arena, sizeof *h + most * sizeof h->list[0]);
    h->count = 0;
    for (size_t i = 0; i < route->nheaders; i++) {
        struct header *header = &h->list[h->count];

        header->name = route->headers[i].name;
        if (template_render(route->headers[i].text, &w->record, &w->chunk->arena, &header->value))
            h->count++;
    }
    if (odd.ptr != NULL)
        h->list[h->count++] = (struct header){ SLICE("stoker.timestamp"), odd };
    m->headers = h->count > 0 ? h : NULL;
}

/* Returns the text of a timestamp that is not one, or no slice. */
static struct slice
set_timestamp(const struct route *route, struct scratch *w, struct message *m)
{
    struct slice text;

    m->timestamp = NO_TIMESTAMP;
    if (route->time_of_reading)
        return NO_SLICE;
    if (route->timestamp != NULL &&
        template_render(route->timestamp, &w->record, &w->chunk->arena, &text)) {
        if (to_number(text, &m->timestamp) && m->timestamp >= 0)
            return NO_SLICE;
        m->timestamp = NO_TIMESTAMP;
        return text;
    }
    if (!w->record.has_time)
        return NO_SLICE;
    if (w->record.time_ms < 0 &&        /* Kafka has no time before 1970 */
        record_get(&w->record, NAME_TIME, &w->chunk->arena, &text))
        return text;
    m->timestamp = w->record.time_ms;
    return NO_SLICE;
}

/* Returns why the route's partition cannot be, or NULL. */
static const char *
set_partition(const struct route *route, struct scratch *w, struct message *m)
{
    struct slice text;
    int64_t      number;

    m->partition = PARTITION_FREE;
    if (route->partition == NULL)
        return NULL;
    if (!template_render(route->partition, &w->record, &w->chunk->arena, &text) ||
        !to_number(text, &number) || number < 0 || number > INT32_MAX)
        return "the partition is not a number";
    m->partition = (int32_t)number;
    return NULL;
}

static int32_t
choose_partition(const struct scratch *w, const struct target *t, const struct message *m)
{
    const struct output *o = t->output;

    if (t->place == NULL)
        return PARTITION_FREE;
    if (m->partition != PARTITION_FREE)
        return m->partition;
    return o->ops->place(o, t->place, message_key(m), w->source);
}

/* The first reason counts. */
static void
blame(const char **fault, const char *reason)
{
    if (*fault == NULL)
        *fault = reason;
}

/* `fault`: why it cannot be sent, or NULL. */
static void
make_message(struct scratch *w, const struct route *route, const char *fault)
{
    struct chunk   *c = w->chunk;
    struct message *m = chunk_add(c);
    struct slice    topic = SLICE("");
    bool            lasting = true;
    struct target  *t;
    uint32_t        run;

    m->at = (uint32_t)(w->record.offset - c->begin);
    if (route->topic != NULL) {
        lasting = template_constant(route->topic, &topic);
        if (!lasting && !template_render(route->topic, &w->record, &c->arena, &topic))
            topic = SLICE("");
    }
    blame(&fault, set_value(route, w, m));
    blame(&fault, set_key(route, w, m));
    set_headers(route, w, m, set_timestamp(route, w, m));
    blame(&fault, set_partition(route, w, m));
    if (route->output->has_topics && !lasting && !route_topic_allowed(route, topic))
        fault = "the topic is not allowed";
    t = targets_find(&w->targets, route->output, topic, lasting);
    run = fault != NULL ? target_rejected_run(&w->targets, t, fault)
                        : target_run(&w->targets, t, choose_partition(w, t, m));
    if (route->value == ROUTE_VALUE_JSON)
        set_json(route, w, m, run);
    w->run_of[c->nmessages - 1] = run;
}

/* ---- From a line to its messages ------------------------------------------- */

static void
parse(struct scratch *w)
{
    const struct plan *plan = w->plan;

    for (size_t i = 0; i < plan->nparsers; i++) {
        const struct parser *p = plan->parsers[i];

        if (p->ops->parse(p, &w->work, &w->record) == -1) {
            record_set(&w->record, NAME_PARSE_ERROR, VALUE_TEXT, slice_of(w->work.reason));
            return;
        }
    }
}

/* As make_message(), of what the route leaves of the record. */
static void
make_redacted(struct scratch *w, const struct route *r)
{
    const bool raw = r->value == ROUTE_VALUE_RAW || record_asked(&w->record, NAME_RAW);
    bool       whole;

    if (r->go_on)
        redact_keep(&w->redact, &w->record);
    whole = redact_record(&r->redact, &w->record, raw, &w->chunk->arena, &w->redact,
                          w->work.pattern);
    make_message(w, r, whole ? NULL : "the search for what to redact was given up");
    if (r->go_on)
        redact_undo(&w->redact, &w->record);
}

static bool
is_within_limit(struct scratch *w, const struct route *r)
{
    if (w->now == 0)
        w->now = clock_ns();
    return limit_takes(r->limit, w->now);
}

/* The route has taken the record. */
static void
use_route(struct scratch *w, const struct route *r)
{
    if (r->drop || (r->limit != NULL && !is_within_limit(w, r)))
        return;
    if (r->redact.count > 0)
        make_redacted(w, r);
    else
        make_message(w, r, NULL);
}

static void
route(struct scratch *w)
{
    const struct plan *plan = w->plan;
    const uint32_t     before = w->chunk->nmessages;

    for (size_t i = 0; i < plan->nroutes; i++) {
        const struct route *r = plan->routes[i];

        if (!route_matches(r, &w->record, &w->chunk->arena, w->work.pattern))
            continue;
        use_route(w, r);
        if (!r->go_on)
            break;
    }
    if (w->chunk->nmessages == before)
        w->chunk->filtered++;
}

static void
begin_record(struct scratch *w, struct slice raw, struct slice body, uint64_t offset)
{
    const struct plan *plan = w->plan;

    w->chunk->records++;
    record_begin(&w->record, raw, body, offset);
    for (size_t i = 0; i < plan->nfields; i++)
        record_set(&w->record, plan->fields[i].number, VALUE_TEXT,
                   slice_of(plan->fields[i].text));
}

/* What a container's log says beside the line. */
static void
set_frame(struct scratch *w, const struct frame *f)
{
    const struct parser *p = w->plan->framing;

    record_set(&w->record, NAME_LOG_IOSTREAM, VALUE_TEXT,
               f->stream == STREAM_STDERR ? SLICE("stderr") : SLICE("stdout"));
    w->record.has_time = f->has_time;
    w->record.time_ms = f->time_ms;
    if (f->attributes.ptr != NULL && p->framing->attributes != NULL)
        p->framing->attributes(p, &w->work, f->attributes, &w->record);
    if (f->trouble != NULL)
        record_set(&w->record, NAME_PARSE_ERROR, VALUE_TEXT, slice_of(f->trouble));
}

static void
take_group(void *ctx, const struct group *group)
{
    struct scratch *w = ctx;

    begin_record(w, group->raw, group->body, group->offset);
    if (group->frame != NULL)
        set_frame(w, group->frame);
    if (group->trouble != NULL)
        record_set(&w->record, NAME_PARSE_ERROR, VALUE_TEXT, slice_of(group->trouble));
    else
        parse(w);
    route(w);
}

/* A record of bytes [at, at + len) of the chunk; its body ends before `body_len`. */
static void
take_record(struct scratch *w, size_t at, size_t len, size_t body_len)
{
    struct chunk *c = w->chunk;
    struct slice  raw = { c->bytes + at, len }, body = { c->bytes + at, body_len };

    if (w->encoding != NULL)
        body = decoder_text(w->decoder, w->encoding, body, &c->arena, &c->undecoded);
    if (c->begin + at == 0 && body.len >= 3 && memcmp(body.ptr, "\xef\xbb\xbf", 3) == 0) {
        body.ptr += 3;
        body.len -= 3;
    }
    begin_record(w, raw, body, c->begin + at);
    parse(w);
    route(w);
}

/* ---- From bytes to lines ----------------------------------------------------- */

size_t
transform_cut(const char *text, size_t most)
{
    size_t len = most;

    for (unsigned back = 0; back < 4 && len > 0; back++, len--)
        if (((unsigned char)text[len] & 0xc0) != 0x80)
            return len;
    return most;        /* no UTF-8 at all */
}

/* A line without its end that is longer than max_line: what of it begins at
 * `at` is to become of.  Returns how many of its bytes were used up. */
static size_t
take_long(struct scratch *w, size_t at, size_t len)
{
    const size_t max = w->plan->max_line;
    const char  *line = w->chunk->bytes + at;
    const size_t piece = w->encoding == NULL
        ? transform_cut(line, max)
        : decoder_cut(w->decoder, w->encoding, line, max);

    switch ((enum long_lines)w->plan->long_lines) {
    case LONG_SPLIT:
        take_record(w, at, piece, piece);
        return piece;
    case LONG_TRUNCATE:
        take_record(w, at, piece, piece);
        break;
    case LONG_DROP:
        w->chunk->records++;
        w->chunk->filtered++;
        break;
    }
    w->chunk->long_lines++;
    return len;
}

/* A long line is counted where it begins, which may have been in an older chunk. */
static void
count_split(struct scratch *w, size_t at)
{
    struct chunk *c = w->chunk;

    c->long_lines += at > 0 || c->begin == 0 || c->begin != c->source->cut_at;
}

/* A whole line of `len` bytes without its LF; false if the chunk is full first:
 * then `*at` is where to go on. */
static bool
take_line(struct scratch *w, size_t *at, size_t len, bool ended)
{
    struct chunk *c = w->chunk;
    const size_t  lf = ended ? encoding_unit(w->encoding) : 0;
    size_t        body = len;

    if (ended)
        body -= encoding_cr(w->encoding, c->bytes + *at, len);
    if (body > w->plan->max_line && w->plan->long_lines == LONG_SPLIT)
        count_split(w, *at);
    while (body > w->plan->max_line) {
        const size_t used = take_long(w, *at, body);

        *at += used;
        if (used == body) {
            *at += len - body + lf;
            return true;
        }
        len -= used;
        body -= used;
        if (!chunk_has_room(c, w->room)) {
            c->cut = true;
            return false;
        }
    }
    take_record(w, *at, len, body);
    *at += len + lf;
    return true;
}

/* Bytes without LF at the end of the chunk: what can be decided now? */
static enum transform_result
take_rest(struct scratch *w, size_t *at, bool final)
{
    struct chunk *c = w->chunk;

    while (*at < c->len && chunk_has_room(c, w->room)) {
        const size_t len = c->len - *at;

        if (final) {
            if (!take_line(w, at, len, false))
                break;
        } else if (len < w->plan->max_line + 2 * encoding_unit(w->encoding)) {
            /* CR and LF may still follow */
            break;
        } else if (w->plan->long_lines == LONG_SPLIT) {
            if (!c->cut)
                count_split(w, *at);
            c->cut = true;
            *at += take_long(w, *at, len);
        } else {
            return *at == 0 ? TRANSFORM_LONG : TRANSFORM_DONE;
        }
    }
    if (*at > 0)
        return TRANSFORM_DONE;
    return c->len == c->size && c->size < transform_room(w->plan) ? TRANSFORM_GROW
                                                                 : TRANSFORM_PARTIAL;
}

static void
begin(const struct plan *plan, struct scratch *w, struct chunk *c)
{
    w->plan = plan;
    w->chunk = c;
    w->work.arena = &c->arena;
    w->keys.room = 0;
    for (int i = 0; i < VALUE_LOTS; i++)
        w->values[i] = (struct lot){ NULL, 0 };
    w->encoding = c->encoding;
    if (w->encoding == NULL && plan->encoding != NULL)
        w->encoding = encoding_marked(plan->encoding, c->bytes, c->begin == 0 ? c->len : 0);
    w->now = w->clock_stands ? 1 : 0;
    w->source = source_number(c->source);
    w->record.around = (struct slice){ c->bytes, c->size };
    w->room = plan->one_at_a_time ? c->max_messages : (uint32_t)plan->nroutes;
    w->record.constant[NAME_HOST_NAME] = slice_of(plan->host_name);
    w->record.constant[NAME_INPUT] = slice_of(plan->input);
    w->record.constant[NAME_LOG_FILE_PATH] = c->path;
    w->record.constant[NAME_LOG_FILE_NAME] = c->name;
    kubernetes_set(w->record.constant, c->path, c->target);
    if (w->max_messages < c->max_messages) {
        w->spare = mem_array(w->spare, c->max_messages, sizeof *w->spare);
        w->run_of = mem_array(w->run_of, c->max_messages, sizeof *w->run_of);
        w->max_messages = c->max_messages;
    }
    targets_begin(&w->targets, c);
}

static void
finish(struct scratch *w)
{
    struct chunk *c = w->chunk;

    c->cut_off = pattern_work_take_limits(w->work.pattern);
    if (c->cut_off > 0)
        log_again(&w->told_cut_off, LOG_WARN,
                  "%u searches for a regular expression in '%.*s' were given up: the match limit "
                  "(input '%s'; write it so that it fails sooner)", c->cut_off, SLICE_ARG(c->path),
                  w->plan->input);
    chunk_sort(c, w->run_of, w->spare);
}

static enum transform_result
transform_groups(struct scratch *w, bool final)
{
    enum transform_result result;

    if (w->groups == NULL)
        w->groups = groups_new();
    groups_decode(w->groups, w->decoder, w->encoding);
    result = groups_take(w->groups, w->plan, &w->work, w->chunk, final, take_group, w);
    if (result == TRANSFORM_DONE)
        finish(w);
    return result;
}

enum transform_result
transform_chunk(const struct plan *plan, struct scratch *w, struct chunk *c, bool final)
{
    enum transform_result result = TRANSFORM_DONE;
    size_t                at = 0;

    begin(plan, w, c);
    if (plan_has_groups(plan))
        return transform_groups(w, final);
    for (;;) {
        const size_t line = encoding_first_line(w->encoding, c->bytes + at, c->len - at);

        if (line == 0) {
            result = take_rest(w, &at, final);
            break;
        }
        if (!take_line(w, &at, line - encoding_unit(w->encoding), true) ||
            !chunk_has_room(c, w->room))
            break;
    }
    c->end = c->begin + at;
    finish(w);
    return result;
}

void
transform_long(const struct plan *plan, struct scratch *w, struct chunk *c, uint64_t end)
{
    begin(plan, w, c);
    assert(plan->long_lines != LONG_SPLIT && c->len > plan->max_line);
    (void)take_long(w, 0, c->len);
    c->end = end;
    finish(w);
}

/* ---- Sorted values --------------------------------------------------------- */

/* Only values are moved: nothing else may point into the bytes. */
static bool
can_gather(const struct chunk *c)
{
    size_t size = 0;

    if (c->nruns < 2 || c->size != CHUNK_SIZE)
        return false;
    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct message *m = &c->messages[i];

        if (m->headers != NULL)
            return false;
        size += in_bytes(c, m->value) ? m->value_len : 0;
    }
    return size <= CHUNK_SIZE;      /* more, if several records share a value */
}

void
transform_gather(struct scratch *w, struct chunk *c)
{
    char *to, *emptied = c->bytes;

    if (!can_gather(c))
        return;
    if (w->gathered == NULL)
        w->gathered = mem_alloc(CHUNK_SIZE);
    to = w->gathered;
    for (uint32_t i = 0; i < c->nmessages; i++) {
        struct message *m = &c->messages[i];

        if (!in_bytes(c, m->value))
            continue;
        memcpy(to, m->value, m->value_len);
        m->value = to;
        to += m->value_len;
    }
    c->bytes = w->gathered;
    w->gathered = emptied;
}

size_t
transform_room(const struct plan *plan)
{
    /* CR LF of the longest, and a character that is not cut */
    size_t longest = plan->max_line + 2 * ENCODING_UNIT + 4;

    if (plan_has_groups(plan) && groups_room(plan) > longest)
        longest = groups_room(plan);
    return longest > CHUNK_SIZE ? longest : CHUNK_SIZE;
}
