/* group.c - see group.h.
 *
 * A line of the file is one *piece*, or several if it is long.  Pieces wait in two lists a
 * stream: those of the line that is not whole yet (its frames are partial), and those
 * of the group's whole lines.  Most records are one piece; nothing is copied for them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"

enum {
    GAP = 64 * 1024,        /* bytes of the other stream between two lines of one group */
    FRAME_ROOM = 4096,      /* what a container's log adds to a line, its escapes left out */
};

struct piece {
    struct slice text;      /* what it adds to the body */
    struct slice raw;       /* the line of the file that it is from */
    bool         goes_on;   /* the next piece is of the same line */
};

struct pieces {
    struct piece *list;
    size_t        count, room;
    size_t        size;     /* of the joined texts */
    uint64_t      begin;    /* offset of the first one's line */
    struct frame  frame;    /* of the first one */
};

struct stream {
    struct pieces          line;        /* not whole yet */
    struct pieces          group;       /* whole lines */
    struct multiline_group state;
    uint64_t               lines;       /* in the group */
    struct pieces          maybe;       /* its last line, if it may turn out to be none of it */
    uint64_t               last_end;    /* behind its last line */
    uint64_t               from;        /* what stands before was sent already */
    bool                   held;        /* from `held_at` on it is the next chunk's */
    uint64_t               held_at;
    bool                   over;        /* the line is too long: what follows of it is left out */
    bool                   is_long;     /* it is, and was counted */
};

struct groups {
    struct stream       streams[STREAMS];
    unsigned            nstreams;
    struct buf          joined;         /* a line of several pieces, to be matched */

    struct decoder     *decoder;        /* of the worker; NULL: UTF-8 */
    const struct encoding *encoding;
    const struct plan  *plan;           /* while a chunk is taken, as all below */
    struct parse_work  *work;
    struct chunk       *c;
    group_f            *record;
    void               *ctx;
    size_t              at;             /* in the chunk: where the next line begins */
};

struct groups *
groups_new(void)
{
    return NEW(struct groups);
}

void
groups_free(struct groups *g)
{
    if (g == NULL)
        return;
    for (unsigned i = 0; i < STREAMS; i++) {
        free(g->streams[i].line.list);
        free(g->streams[i].group.list);
        free(g->streams[i].maybe.list);
    }
    buf_fini(&g->joined);
    free(g);
}

/* ---- Limits ------------------------------------------------------------------- */

/* The most bytes of the file from the beginning of a group to the end of its last
 * line.  Without frames it follows from max_size; with them it bounds how far the streams
 * may be apart. */
static uint64_t
span_of(const struct plan *plan)
{
    const struct multiline *m = plan->multiline;

    if (plan->framing != NULL)
        return 2 * plan_longest(plan) + GAP;
    return encoding_unit(plan->encoding) * (m->max_size + m->max_lines + 2);
}

/* The longest line of the file that is looked at as a whole. */
static uint64_t
longest_line(const struct plan *plan)
{
    return plan->framing != NULL ? 2 * plan->max_line + FRAME_ROOM : plan->max_line;
}

size_t
groups_room(const struct plan *plan)
{
    const uint64_t span = span_of(plan), line = longest_line(plan);

    return (size_t)(span > line ? span : line) + 16;    /* CR LF, a character not cut */
}

/* ---- Pieces -------------------------------------------------------------------- */

static void
clear(struct pieces *p)
{
    p->count = p->size = 0;
}

static void
add(struct pieces *p, struct piece piece, uint64_t begin, const struct frame *frame)
{
    if (p->count == p->room) {
        p->room = p->room > 0 ? 2 * p->room : 16;
        p->list = mem_array(p->list, p->room, sizeof *p->list);
    }
    if (p->count == 0) {
        p->begin = begin;
        p->frame = *frame;
        p->size = 0;
    } else if (!p->list[p->count - 1].goes_on) {
        p->size++;          /* the LF between two lines */
    }
    p->size += piece.text.len;
    p->list[p->count++] = piece;
}

static void
move(struct pieces *to, struct pieces *from)
{
    for (size_t i = 0; i < from->count; i++)
        add(to, from->list[i], from->begin, &from->frame);
    clear(from);
}

/* One slice that holds them all as they stand in the file, with one byte (the LF)
 * between two of them; no slice if they do not stand like that. */
static struct slice
in_place(const struct pieces *p, bool raw)
{
    struct slice all = raw ? p->list[0].raw : p->list[0].text;

    for (size_t i = 1; i < p->count; i++) {
        const struct slice next = raw ? p->list[i].raw : p->list[i].text;

        if (next.ptr != all.ptr + all.len + 1 || all.ptr[all.len] != '\n' ||
            (!raw && p->list[i - 1].goes_on))
            return NO_SLICE;
        all.len += 1 + next.len;
    }
    return all;
}

static size_t
write_joined(const struct pieces *p, bool raw, char *to)
{
    char *at = to;

    for (size_t i = 0; i < p->count; i++) {
        const struct slice part = raw ? p->list[i].raw : p->list[i].text;

        if (part.len > 0)
            memcpy(at, part.ptr, part.len);
        at += part.len;
        if (i + 1 < p->count && (raw || !p->list[i].goes_on))
            *at++ = '\n';
    }
    return (size_t)(at - to);
}

static struct slice
join(struct groups *g, const struct pieces *p, bool raw)
{
    struct slice whole = in_place(p, raw);
    size_t       room = p->size;

    if (whole.ptr != NULL)
        return whole;
    if (raw) {
        room = p->count;
        for (size_t i = 0; i < p->count; i++)
            room += p->list[i].raw.len;
    }
    return arena_commit(&g->c->arena, write_joined(p, raw, arena_reserve(&g->c->arena, room)));
}

/* The text of a line, only to be looked at, and until the next one is. */
static struct slice
line_text(struct groups *g, const struct pieces *line)
{
    if (line->count == 1)
        return line->list[0].text;
    buf_clear(&g->joined);
    g->joined.len = write_joined(line, false, buf_reserve(&g->joined, line->size + 1));
    return buf_slice(&g->joined);
}

/* ---- Records ------------------------------------------------------------------- */

/* A chunk of one record has it already: this one and what follows in its stream are the next
 * chunk's, which makes the same of them. */
static bool
is_held(struct groups *g, struct stream *s, uint64_t offset)
{
    if (!g->plan->one_at_a_time || g->c->nmessages == 0)
        return false;
    if (!s->held)
        s->held_at = offset;
    s->held = true;
    return true;
}

static void
hand_over(struct groups *g, struct slice raw, struct slice body, uint64_t offset,
          const struct frame *frame, const char *trouble)
{
    const struct group group = { raw, body, offset, frame, trouble };

    g->record(g->ctx, &group);
}

static void
send(struct groups *g, struct stream *s, struct slice raw, struct slice body, uint64_t offset,
     const struct frame *frame, const char *trouble)
{
    if (!is_held(g, s, offset))
        hand_over(g, raw, body, offset, frame, trouble);
}

static void
send_pieces(struct groups *g, struct stream *s, struct pieces *p)
{
    if (p->count > 0 && !is_held(g, s, p->begin))
        hand_over(g, join(g, p, true), join(g, p, false), p->begin,
                  g->plan->framing != NULL ? &p->frame : NULL, NULL);
    clear(p);
}

/* The group is complete, whatever comes. */
static void
end_group(struct groups *g, struct stream *s)
{
    send_pieces(g, s, &s->group);
    send_pieces(g, s, &s->maybe);
    s->state.state = 0;
    s->lines = 0;
}

static void
leave_out(struct groups *g, const struct stream *s)
{
    if (s->held)
        return;
    g->c->records++;
    g->c->filtered++;
}

/* A line that was shortened, or is to be left out. */
static void
end_long_line(struct groups *g, struct stream *s)
{
    if (g->plan->long_lines == LONG_DROP) {
        leave_out(g, s);
        clear(&s->line);
    }
    send_pieces(g, s, &s->line);
}

/* What there is of a line is a record by itself. */
static void
end_line(struct groups *g, struct stream *s)
{
    if (s->over)
        end_long_line(g, s);
    else
        send_pieces(g, s, &s->line);
    s->over = false;
}

static bool
is_pending(const struct stream *s)
{
    return s->group.count > 0 || s->line.count > 0;
}

static uint64_t
pending_since(const struct stream *s)
{
    return s->group.count > 0 ? s->group.begin : s->line.begin;
}

/* ---- Lines and groups ---------------------------------------------------------- */

static enum multiline_answer
ask(struct groups *g, struct stream *s, struct slice text)
{
    if (s->group.count > 0)
        s->state.first = s->group.list[0].text;
    return multiline_next(g->plan->multiline, g->work->pattern, &s->state, text);
}

/* The last line turned out to be none of the group's: it is the first of another. */
static void
part_with_maybe(struct groups *g, struct stream *s)
{
    send_pieces(g, s, &s->group);
    move(&s->group, &s->maybe);
    s->state.state = 0;
    s->lines = 1;
    (void)ask(g, s, line_text(g, &s->group));
}

static bool
has_place(const struct groups *g, const struct stream *s, size_t len)
{
    const struct multiline *m = g->plan->multiline;
    const size_t            maybe = s->maybe.count > 0 ? s->maybe.size + 1 : 0;

    return s->lines < m->max_lines && s->group.size + maybe + 1 + len <= m->max_size;
}

/* s->line is whole: to which group does it belong? */
static void
take_whole_line(struct groups *g, struct stream *s)
{
    const struct multiline *m = g->plan->multiline;
    struct slice            text = line_text(g, &s->line);
    enum multiline_answer   answer = ask(g, s, text);

    if (answer == MULTILINE_NEW && s->maybe.count > 0) {
        part_with_maybe(g, s);
        text = line_text(g, &s->line);
        answer = ask(g, s, text);
    }
    if (s->group.count > 0 && answer != MULTILINE_NEW && !has_place(g, s, text.len)) {
        end_group(g, s);
        answer = ask(g, s, text);
    }
    if (answer == MULTILINE_NEW) {
        const struct multiline_group state = s->state;

        end_group(g, s);
        s->state = state;
    }
    move(&s->group, &s->maybe);
    move(answer == MULTILINE_MAYBE ? &s->maybe : &s->group, &s->line);
    s->lines++;
    if (s->lines >= m->max_lines || s->group.size >= m->max_size)
        end_group(g, s);
}

/* Once a line; one that goes on in another chunk is counted there again. */
static void
count_long(struct groups *g, struct stream *s)
{
    if (!s->is_long)
        g->c->long_lines++;
    s->is_long = true;
}

/* A text longer than max_line in one line of the file: all its pieces are records by
 * themselves, as the next chunk cannot begin inside of that line. */
static void
send_in_pieces(struct groups *g, struct stream *s, struct slice text, uint64_t begin,
               const struct frame *f)
{
    const size_t max = g->plan->max_line;

    if (is_held(g, s, begin))
        return;
    while (text.len > max) {
        const size_t       len = transform_cut(text.ptr, max);
        const struct slice part = { text.ptr, len };

        hand_over(g, part, part, begin, f, NULL);
        text = (struct slice){ text.ptr + len, text.len - len };
    }
    hand_over(g, text, text, begin, f, NULL);
}

static void take_frame(struct groups *g, struct stream *s, const struct frame *f,
                       struct slice raw, uint64_t begin);

/* A frame whose text would make the line longer than max_line. */
static void
take_long(struct groups *g, struct stream *s, const struct frame *f, struct slice raw,
          uint64_t begin)
{
    const size_t max = g->plan->max_line;
    struct piece piece = { f->body, raw, true };

    end_group(g, s);
    count_long(g, s);
    if (g->plan->long_lines != LONG_SPLIT) {
        if (!s->over) {
            piece.text.len = transform_cut(piece.text.ptr, max - s->line.size);
            add(&s->line, piece, begin, f);
        }
        s->over = f->partial;
        if (!f->partial)
            end_long_line(g, s);
        return;
    }
    send_pieces(g, s, &s->line);
    if (f->body.len <= max)
        take_frame(g, s, f, raw, begin);
    else
        send_in_pieces(g, s, f->body, begin, f);
}

static void
take_frame(struct groups *g, struct stream *s, const struct frame *f, struct slice raw,
           uint64_t begin)
{
    const struct piece piece = { f->body, raw, f->partial };

    if (g->plan->framing != NULL &&
        (s->over || s->line.size + f->body.len > g->plan->max_line)) {
        take_long(g, s, f, raw, begin);
    } else if (f->partial || s->line.count > 0 || g->plan->multiline != NULL) {
        add(&s->line, piece, begin, f);
        if (!f->partial && g->plan->multiline != NULL)
            take_whole_line(g, s);
        else if (!f->partial)
            send_pieces(g, s, &s->line);
    } else {
        send(g, s, raw, f->body, begin, g->plan->framing != NULL ? f : NULL, NULL);
    }
    s->is_long = s->is_long && f->partial;
}

/* Groups that lie too far before the line that ends at `end`: the chunk would have to
 * hold everything between. */
static void
end_far(struct groups *g, uint64_t begin, uint64_t end)
{
    for (unsigned i = 0; i < g->nstreams; i++) {
        struct stream *s = &g->streams[i];

        if (!is_pending(s))
            continue;
        if (end - pending_since(s) > span_of(g->plan)) {
            end_group(g, s);
            if (s->line.count > 0)
                count_long(g, s);
            end_line(g, s);
        } else if (s->line.count == 0 && begin - s->last_end > GAP) {
            end_group(g, s);
        }
    }
}

/* ---- Lines of the file ----------------------------------------------------------- */

static struct slice
without_mark(struct slice line, uint64_t begin)
{
    if (begin == 0 && line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0)
        return (struct slice){ line.ptr + 3, line.len - 3 };
    return line;
}

/* One CR directly before LF belongs to the line end. */
static void
drop_cr(struct slice *body, struct slice line, bool ended)
{
    if (ended && body->len > 0 && body->ptr[body->len - 1] == '\r' &&
        body->ptr + body->len == line.ptr + line.len)
        body->len--;
}

static struct slice
decoded(struct groups *g, struct slice text)
{
    if (g->encoding == NULL)
        return text;
    return decoder_text(g->decoder, g->encoding, text, &g->c->arena, &g->c->undecoded);
}

/* The text of a line, or a piece of it, without frames. */
static struct slice
plain_text(struct groups *g, struct slice raw, uint64_t begin, bool ended)
{
    if (ended)
        raw.len -= encoding_cr(g->encoding, raw.ptr, raw.len);
    return without_mark(decoded(g, raw), begin);
}

static size_t
cut(const struct groups *g, const char *text, size_t most)
{
    return g->encoding == NULL ? transform_cut(text, most)
                               : decoder_cut(g->decoder, g->encoding, text, most);
}

/* How many bytes the end of a line has, but for CR. */
static size_t
end_len(const struct groups *g, bool ended)
{
    return ended ? encoding_unit(g->encoding) : 0;
}

/* No container has written it: it is a record by itself, in its place in stdout. */
static void
take_unframed(struct groups *g, struct slice raw, struct slice body, uint64_t begin)
{
    struct stream *s = &g->streams[STREAM_STDOUT];

    end_group(g, s);
    end_line(g, s);
    send(g, s, raw, body, begin, NULL, g->work->reason);
}

static bool
frame(struct groups *g, struct slice line, bool ended, struct frame *f)
{
    const struct parser *framing = g->plan->framing;

    if (framing->framing->frame(framing, g->work, line, f) == -1)
        return false;
    if (!f->partial)
        drop_cr(&f->body, line, ended);
    return true;
}

/* One line of `len` bytes, or a piece of one that is too long; `ended`: LF is behind it. */
static void
take_line(struct groups *g, size_t len, bool ended)
{
    const struct parser *framing = g->plan->framing;
    const struct slice   raw = { g->c->bytes + g->at, len };
    const uint64_t       begin = g->c->begin + g->at, end = begin + len + end_len(g, ended);
    struct frame         f = { .stream = STREAM_STDOUT };
    const bool           framed = framing == NULL || frame(g, without_mark(raw, begin), ended, &f);
    struct stream       *s = &g->streams[framed ? f.stream : STREAM_STDOUT];

    end_far(g, begin, end);
    g->at = (size_t)(end - g->c->begin);
    if (begin < s->from)
        return;
    s->last_end = end;
    if (framing == NULL || !framed)
        f.body = plain_text(g, raw, begin, ended);
    if (framed)
        take_frame(g, s, &f, raw, begin);
    else
        take_unframed(g, raw, f.body, begin);
}

/* A line that is longer than longest_line(), of which `len` bytes are there: its first
 * piece is a record by itself.  `used`: what is used up when the rest is left out. */
static void
take_piece(struct groups *g, size_t used)
{
    const size_t       longest = longest_line(g->plan);
    const uint64_t     begin = g->c->begin + g->at;
    const struct slice raw = { g->c->bytes + g->at, cut(g, g->c->bytes + g->at, longest) };
    struct stream     *s = &g->streams[0];

    if (g->plan->framing != NULL) {
        take_line(g, raw.len, false);
        return;
    }
    end_group(g, s);
    if (g->plan->long_lines == LONG_DROP)
        leave_out(g, s);
    else
        send(g, s, raw, plain_text(g, raw, begin, false), begin, NULL, NULL);
    g->at += g->plan->long_lines == LONG_SPLIT ? raw.len : used;
}

/* Room for every record that a line of this length can complete?  A chunk that holds
 * none yet takes the line, however much its groups need. */
static bool
has_room(const struct groups *g, size_t len)
{
    const size_t records = 12 + len / g->plan->max_line;

    if (g->plan->one_at_a_time && g->c->nmessages > 0)
        return false;
    return g->c->records == 0 || chunk_has_room(g->c, (uint32_t)(records * g->plan->nroutes));
}

static size_t
shorter(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A whole line of `len` bytes; false if there is no room for all of it. */
static bool
take_whole(struct groups *g, size_t len, bool ended)
{
    const size_t longest = longest_line(g->plan), stop = g->at + len;
    const size_t cr = ended && g->plan->framing == NULL
        ? encoding_cr(g->encoding, g->c->bytes + g->at, len) : 0;

    if (len - cr > longest)
        g->c->long_lines++;
    while (stop - g->at - cr > longest) {
        take_piece(g, stop - g->at + end_len(g, ended));
        if (g->at >= stop)
            return true;
        if (!has_room(g, shorter(stop - g->at, longest)))
            return false;
    }
    take_line(g, stop - g->at, ended);
    return true;
}

/* Bytes without LF at the end of the chunk: what can be decided now? */
static enum transform_result
take_rest(struct groups *g, bool final)
{
    const size_t longest = longest_line(g->plan), end = g->c->len;
    const bool   plain = g->plan->framing == NULL;

    while (g->at < end && !g->c->stopped) {
        const size_t len = end - g->at;

        if (!has_room(g, shorter(len, longest))) {
            g->c->stopped = true;
        } else if (final) {
            g->c->stopped = !take_whole(g, len, false);
        } else if (len < longest + (plain ? 2 * encoding_unit(g->encoding) : 1)) {
            /* CR and LF may still follow */
            end_far(g, g->c->begin + g->at, g->c->begin + end);
            break;
        } else if (plain && g->plan->long_lines != LONG_SPLIT) {
            end_group(g, &g->streams[0]);
            return g->at == 0 ? TRANSFORM_LONG : TRANSFORM_DONE;
        } else {
            take_piece(g, len);
        }
    }
    return TRANSFORM_DONE;
}

/* ---- The chunk --------------------------------------------------------------------- */

static void
begin_stream(struct stream *s, uint64_t from)
{
    clear(&s->line);
    clear(&s->group);
    clear(&s->maybe);
    s->state = (struct multiline_group){ 0, NO_SLICE, false };
    s->lines = 0;
    s->last_end = 0;
    s->from = from;
    s->over = s->is_long = s->held = false;
}

static void
begin(struct groups *g, const struct plan *plan, struct parse_work *work, struct chunk *c)
{
    const uint64_t ahead = c->begin + (uint64_t)(c->lead < 0 ? -c->lead : c->lead);

    g->plan = plan;
    g->work = work;
    g->c = c;
    g->at = 0;
    g->nstreams = plan->framing != NULL ? STREAMS : 1;
    begin_stream(&g->streams[STREAM_STDOUT], c->lead > 0 ? ahead : c->begin);
    begin_stream(&g->streams[STREAM_STDERR], c->lead < 0 ? ahead : c->begin);
}

static void
end_stream(struct groups *g, struct stream *s, bool final)
{
    struct chunk *c = g->c;
    const bool    ends = final || (s->line.count == 0 && s->last_end <= c->waited);

    if (ends && is_pending(s) && g->plan->one_at_a_time && c->nmessages > 0) {
        c->stopped = true;      /* the next chunk's */
        return;
    }
    if (ends)
        end_group(g, s);
    if (final)
        end_line(g, s);
    if (s->group.count > 0 && s->line.count == 0 && (c->waits == 0 || s->last_end < c->waits))
        c->waits = s->last_end;
}

/* What is pending at the end of the chunk, and has waited long enough or will not go on: the
 * older one first. */
static void
end_waiting(struct groups *g, bool final)
{
    struct stream *one = &g->streams[STREAM_STDOUT], *other = &g->streams[STREAM_STDERR];
    const bool     other_first = g->nstreams > 1 && is_pending(one) && is_pending(other) &&
                             pending_since(other) < pending_since(one);

    if (other_first)
        end_stream(g, other, final);
    end_stream(g, one, final);
    if (g->nstreams > 1 && !other_first)
        end_stream(g, other, final);
}

/* From where on this stream is to be read by the next chunk. */
static uint64_t
resume_at(const struct groups *g, const struct stream *s)
{
    const uint64_t at = g->c->begin + g->at;

    if (s->held)
        return s->held_at;
    if (is_pending(s))
        return pending_since(s);
    return s->from > at ? s->from : at;
}

/* Set `end` and `lead`; false if there was nothing in the chunk. */
static bool
set_end(struct groups *g)
{
    struct chunk  *c = g->c;
    const uint64_t one = resume_at(g, &g->streams[STREAM_STDOUT]);
    const uint64_t other = g->nstreams > 1 ? resume_at(g, &g->streams[STREAM_STDERR]) : one;

    c->end = one < other ? one : other;
    c->stopped = c->stopped || g->streams[STREAM_STDOUT].held || g->streams[STREAM_STDERR].held;
    if (c->end == c->begin && c->records == 0)
        return false;
    c->lead = (int64_t)one - (int64_t)other;
    return true;
}

void
groups_decode(struct groups *g, struct decoder *decoder, const struct encoding *encoding)
{
    g->decoder = decoder;
    g->encoding = encoding;
}

enum transform_result
groups_take(struct groups *g, const struct plan *plan, struct parse_work *work, struct chunk *c,
            bool final, group_f *record, void *ctx)
{
    enum transform_result result = TRANSFORM_DONE;
    size_t                line;

    g->record = record;
    g->ctx = ctx;
    begin(g, plan, work, c);
    while (!c->stopped &&
           (line = encoding_first_line(g->encoding, c->bytes + g->at, c->len - g->at)) > 0) {
        const size_t len = line - encoding_unit(g->encoding);

        c->stopped = !has_room(g, shorter(len, longest_line(plan))) || !take_whole(g, len, true);
    }
    if (!c->stopped)
        result = take_rest(g, final);
    if (result == TRANSFORM_LONG)
        return result;
    end_waiting(g, final && !c->stopped);
    if (set_end(g))
        return TRANSFORM_DONE;
    assert(c->len < c->size || c->size < groups_room(plan));
    return c->len == c->size ? TRANSFORM_GROW : TRANSFORM_PARTIAL;
}
