/* route.c - see route.h.
 *
 * The table fills a struct of nodes and lists; from it the route is compiled, each key by
 * a function of its own, so that one run reports every mistake.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/route.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"

enum { LONGEST_TOPIC = 249 };

/* What the table fills. */
struct route_conf {
    struct strings     from, topics;
    const struct node *when, *unless, *output;
    const struct node *topic, *key, *key_serializer, *headers, *partition, *timestamp, *value;
    const struct node *redact, *sample, *rate_limit;
    bool               drop, go_on;
};

const struct field route_fields[] = {
    A_LIST(struct route_conf, "from", from, NULL,
        "The inputs whose records it takes: names or globs; without: all."),
    A_NODE(struct route_conf, "when", when,
        "A map of field and value, list of values or /regex/: it takes a record only if all "
        "entries hold. A missing field equals nothing."),
    A_NODE(struct route_conf, "unless", unless,
        "The same as `when`, turned round: it leaves a record alone if all entries hold."),
    A_NODE(struct route_conf, "output", output,
        "The output's name; may be left out if there is only one."),
    A_NODE(struct route_conf, "topic", topic,
        "Template of the topic; required for outputs that have topics."),
    A_LIST(struct route_conf, "topics", topics, NULL,
        "Names or globs that a topic made from fields must match; any other goes to the dead "
        "letters. A topic that begins with `__` must be listed by a glob that does, too."),
    A_NODE(struct route_conf, "key", key,
        "Template of the key; a record in which a field of it is missing has none."),
    A_NODE(struct route_conf, "key.serializer", key_serializer,
        "How the key is written: string, bytes, short, integer, long, float, double or uuid, or "
        "the name of the Java class that would write it; without: what the output says, else "
        "string. A record whose key does not convert is a rejected record."),
    A_NODE(struct route_conf, "headers", headers,
        "A map of name and template; a header whose field is missing is left out."),
    A_NODE(struct route_conf, "partition", partition,
        "Number of the partition, or a template that yields it; without: the partitioner "
        "chooses."),
    A_NODE(struct route_conf, "timestamp", timestamp,
        "Template that yields milliseconds since the epoch, or `read`; without: the record's "
        "own time, else the time of reading (of what waited in memory, that of sending)."),
    { .name = "value", .kind = FIELD_NODE, .preset = "body",
      .offset = FIELD_AT(struct route_conf, value, const struct node *),
      .help = "What is sent: `body`, `raw`, `none` (a null value), a template, or a map {format: "
              "json, include, exclude, add}. A record in which a field of the template is missing "
              "goes to the dead letters: give the field a default." },
    A_NODE(struct route_conf, "redact", redact,
        "A list of {pattern, with}: every match of the regular expression `pattern` in the body, "
        "the raw line and each field is replaced before a topic, key, header or value is made of "
        "them (not for `when` and `unless`, and not in host.name, input and log.file.*). Each "
        "route redacts for itself. `with` may hold groups: `$1`, `${name}`."),
    A_NODE(struct route_conf, "sample", sample,
        "Send only a part of the records that it takes, like `1/100`: the first of every hundred. "
        "The others are filtered. Counting begins anew with every start; what is read again is "
        "counted again."),
    A_NODE(struct route_conf, "rate_limit", rate_limit,
        "Send at most so many records, like `1000/s` (also `/m`, `/h`), all of them at once if "
        "need be. The others are filtered. It counts what `sample` has left."),
    A_BOOL(struct route_conf, "drop", drop, "false", "Take the record and send nothing."),
    A_BOOL(struct route_conf, "continue", go_on, "false",
        "Go on with the next routes after this one has taken the record."),
    NO_MORE_FIELDS
};


/* While one route is compiled. */
struct compiler {
    struct route             *r;
    const char               *what;
    const struct node        *conf;
    bool                      in_input;
    struct names             *names;
    const struct output_list *outputs;
    struct errors            *errs;
};

static bool
is_given(const struct node *n)
{
    return n != NULL && n->kind != NODE_NULL;
}

/* Missing, and not because its mistake was reported already. */
static bool
is_missing(const struct compiler *c, const char *key)
{
    const struct node *n = node_get(c->conf, key);

    return n == NULL || (n->kind == NODE_NULL && !n->bad);
}

/* ---- Outputs ------------------------------------------------------------ */

static struct output *
find_output(const struct output_list *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (strcmp(outputs->list[i]->name, name) == 0)
            return outputs->list[i];
    return NULL;
}

static void
unknown_output(const struct compiler *c, const struct node *n)
{
    const char **names = mem_array(NULL, c->outputs->count, sizeof *names);
    const char  *nearest;

    for (size_t i = 0; i < c->outputs->count; i++)
        names[i] = c->outputs->list[i]->name;
    nearest = strings_nearest(n->text, names, c->outputs->count);
    free(names);
    if (nearest != NULL)
        errors_at(c->errs, n->at, "%s: there is no output '%s' (did you mean '%s'?)", c->what,
                  node_shown(n), nearest);
    else
        errors_at(c->errs, n->at, "%s: there is no output '%s'", c->what, node_shown(n));
}

static void
which_output(const struct compiler *c)
{
    struct buf names = { NULL, 0, 0 };

    for (size_t i = 0; i < c->outputs->count; i++)
        buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", c->outputs->list[i]->name);
    errors_at(c->errs, c->r->at, "%s: 'output' is missing, and there are several: %s", c->what,
              buf_string(&names));
    buf_fini(&names);
}

/* A route that drops needs none.  Where there are no outputs at all, that is one
 * mistake and not one of every route: whoever reads `outputs` reports it. */
static void
load_output(struct compiler *c, const struct node *n)
{
    struct route *r = c->r;

    if (c->outputs->count == 0)
        return;
    if (!is_given(n)) {
        if (c->outputs->count == 1)
            r->output = c->outputs->list[0];
        else if (is_missing(c, "output") && !r->drop)
            which_output(c);
    } else if (n->kind != NODE_SCALAR) {
        errors_at(c->errs, n->at, "%s: 'output' is the name of an output, not %s", c->what,
                  node_kind_name(n));
    } else {
        r->output = find_output(c->outputs, n->text);
        if (r->output == NULL)
            unknown_output(c, n);
    }
}

/* ---- Templates ---------------------------------------------------------- */

static struct template *
load_template(struct compiler *c, const struct node *n)
{
    return is_given(n) ? template_new(n, c->names, c->errs) : NULL;
}

/* A key without fields is converted now, to be refused now. */
static void
check_key(const struct compiler *c, const struct node *n)
{
    struct slice text, bytes;
    struct arena a;
    const char  *why;

    if (c->r->key == NULL || !template_constant(c->r->key, &text))
        return;
    arena_init(&a);
    why = serializer_apply(c->r->key_serializer, text, &a, &bytes);
    if (why != NULL)
        errors_at(c->errs, n->at, "%s: %s: '%s'", c->what, why, node_shown(n));
    arena_fini(&a);
}

static void
load_serializer(struct compiler *c, const struct node *n)
{
    const char *near;
    int         kind;

    if (!is_given(n)) {
        c->r->key_serializer = c->r->output != NULL ? c->r->output->key_serializer
                                                    : SERIALIZER_TEXT;
        return;
    }
    if (n->kind != NODE_SCALAR) {
        errors_at(c->errs, n->at, "%s: 'key.serializer' must be a text, not %s", c->what,
                  node_kind_name(n));
        return;
    }
    kind = serializer_find(n->text);
    if (kind >= 0) {
        c->r->key_serializer = (enum serializer)kind;
        return;
    }
    near = strings_nearest(n->text, serializer_words, SERIALIZER_WORDS);
    errors_at(c->errs, n->at, "%s: 'key.serializer' cannot be '%s'%s%s%s", c->what,
              node_shown(n), near != NULL ? " (did you mean '" : " (string, bytes, short, integer, "
              "long, float, double, uuid, or a class of org.apache.kafka.common.serialization",
              near != NULL ? near : "", near != NULL ? "'?)" : ")");
}

static bool
listed(const struct strings *globs, const char *topic, bool internal)
{
    for (size_t i = 0; i < globs->count; i++)
        if ((!internal || strncmp(globs->list[i], "__", 2) == 0) &&
            fnmatch(globs->list[i], topic, 0) == 0)
            return true;
    return false;
}

static void
check_topic(const struct compiler *c, const struct node *n)
{
    const struct strings *topics = &c->r->topics;
    struct slice          text;

    if (!template_constant(c->r->topic, &text))
        return;
    if (c->r->output != NULL && !c->r->output->has_topics)
        return;
    if (!route_topic_legal(text))
        errors_at(c->errs, n->at, "%s: '%s' cannot be a topic (1 to 249 letters, digits, '.', "
                  "'_' and '-', and neither '.' nor '..')", c->what, node_shown(n));
    else if (topics->count > 0 && !listed(topics, n->text, false))
        errors_at(c->errs, n->at, "%s: topic '%s' is not among 'topics'", c->what,
                  node_shown(n));
}

static void
load_topic(struct compiler *c, const struct node *n)
{
    struct route *r = c->r;

    r->topic = load_template(c, n);
    if (r->topic != NULL)
        check_topic(c, n);
    else if (is_missing(c, "topic") && r->output != NULL && r->output->has_topics && !r->drop)
        errors_at(c->errs, r->at, "%s: 'topic' is missing (output '%s' needs one)", c->what,
                  r->output->name);
}

/* A whole number between `least` and `most`, and nothing else? */
static bool
is_number(struct slice text, long long least, long long most)
{
    char     *end;
    long long number;

    if (text.len == 0 || strchr("-0123456789", text.ptr[0]) == NULL)
        return false;
    errno = 0;
    number = strtoll(text.ptr, &end, 10);
    return errno == 0 && end == text.ptr + text.len && number >= least && number <= most;
}

static void
load_partition(struct compiler *c, const struct node *n)
{
    struct slice text;

    c->r->partition = load_template(c, n);
    if (c->r->partition != NULL && template_constant(c->r->partition, &text) &&
        !is_number(slice_of(n->text), 0, INT32_MAX))
        errors_at(c->errs, n->at, "%s: 'partition' is a number from 0 to 2147483647 or a "
                  "template, not '%s'", c->what, node_shown(n));
}

static void
load_timestamp(struct compiler *c, const struct node *n)
{
    struct slice text;

    if (is_given(n) && n->kind == NODE_SCALAR && strcmp(n->text, "read") == 0) {
        c->r->time_of_reading = true;
        return;
    }
    c->r->timestamp = load_template(c, n);
    if (c->r->timestamp != NULL && template_constant(c->r->timestamp, &text) &&
        !is_number(slice_of(n->text), 0, INT64_MAX))
        errors_at(c->errs, n->at, "%s: 'timestamp' is 'read' or a template that yields "
                  "milliseconds, not '%s'", c->what, node_shown(n));
}

static void
load_headers(struct compiler *c, const struct node *map)
{
    struct route *r = c->r;

    if (!is_given(map))
        return;
    if (map->kind != NODE_MAP) {
        errors_at(c->errs, map->at, "%s: 'headers' is a map of names and templates, not %s",
                  c->what, node_kind_name(map));
        return;
    }
    r->headers = mem_zero(node_count(map) * sizeof *r->headers);
    for (const struct node *n = map->first; n != NULL; n = n->next) {
        struct named_template *header = &r->headers[r->nheaders++];

        if (*n->key == '\0')
            errors_at(c->errs, n->key_at, "%s: a header needs a name", c->what);
        /* kept where all names of the configuration are */
        header->name = names_text(c->names, names_intern(c->names, slice_of(n->key)));
        header->text = template_new(n, c->names, c->errs);
    }
}

/* ---- The value ---------------------------------------------------------- */

static const struct choice value_words[] = {
    { "body", ROUTE_VALUE_BODY },
    { "raw", ROUTE_VALUE_RAW },
    { "none", ROUTE_VALUE_NONE },
    { NULL, 0 }
};

static void
unknown_value(const struct compiler *c, const struct node *n)
{
    static const char *const words[] = { "body", "raw", "none" };
    const char *const        nearest = strings_nearest(n->text, words, 3);

    if (nearest != NULL && !n->secret)
        errors_at(c->errs, n->at, "%s: 'value' cannot be '%s' (did you mean '%s'?)", c->what,
                  n->text, nearest);
    else
        errors_at(c->errs, n->at, "%s: 'value' is body, raw, none, a template with ${...} or a "
                  "map with 'format', not '%s'", c->what, node_shown(n));
}

static void
load_value_word(struct compiler *c, const struct node *n)
{
    for (const struct choice *word = value_words; word->name != NULL; word++)
        if (strcmp(n->text, word->name) == 0) {
            c->r->value = (enum value_kind)word->value;
            return;
        }
    unknown_value(c, n);
}

static void
load_json(struct compiler *c, const struct node *n)
{
    struct buf what = { NULL, 0, 0 };

    buf_printf(&what, "%s: value", c->what);
    c->r->value = ROUTE_VALUE_JSON;
    c->r->json = json_value_new(buf_string(&what), n, c->names, c->errs);
    buf_fini(&what);
}

static void
load_value(struct compiler *c, const struct node *n)
{
    struct route *r = c->r;

    if (n == NULL) {
        r->value = ROUTE_VALUE_BODY;
    } else if (n->kind == NODE_MAP) {
        load_json(c, n);
    } else if (n->kind == NODE_SCALAR && strstr(n->text, "${") != NULL) {
        r->value = ROUTE_VALUE_TEMPLATE;
        r->value_template = template_new(n, c->names, c->errs);
    } else if (n->kind == NODE_SCALAR) {
        load_value_word(c, n);
    } else if (n->kind == NODE_NULL) {
        errors_at(c->errs, n->at, "%s: 'value' is empty (write none for a null value)", c->what);
    } else {
        errors_at(c->errs, n->at, "%s: 'value' is a text or a map, not %s", c->what,
                  node_kind_name(n));
    }
}

/* ---- The whole ---------------------------------------------------------- */

/* The other keys of an input are its own business. */
static bool
other_key(void *ctx, const struct node *entry, struct errors *errs)
{
    const struct compiler *c = ctx;

    (void)entry;
    (void)errs;
    return c->in_input;
}

static void
load_conditions(struct compiler *c, struct conditions *set, const char *key,
                const struct node *map)
{
    struct buf what = { NULL, 0, 0 };

    buf_printf(&what, "%s: %s", c->what, key);
    conditions_load(set, buf_string(&what), map, c->names, c->errs);
    if (conditions_groups(set) > c->r->groups)
        c->r->groups = conditions_groups(set);
    buf_fini(&what);
}

static void
load_redact(struct compiler *c, const struct node *list)
{
    struct buf what = { NULL, 0, 0 };

    buf_printf(&what, "%s: redact", c->what);
    redact_load(&c->r->redact, buf_string(&what), list, c->errs);
    if (c->r->redact.groups > c->r->groups)
        c->r->groups = c->r->redact.groups;
    buf_fini(&what);
}

/* Output and topics come first: the check of the topic asks for them. */
static void
compile(struct compiler *c, struct route_conf *conf)
{
    struct route *r = c->r;

    r->from = conf->from;
    r->topics = conf->topics;
    r->drop = conf->drop;
    r->go_on = conf->go_on;
    load_conditions(c, &r->when, "when", conf->when);
    load_conditions(c, &r->unless, "unless", conf->unless);
    load_output(c, conf->output);
    load_topic(c, conf->topic);
    r->key = load_template(c, conf->key);
    load_serializer(c, conf->key_serializer);
    check_key(c, conf->key);
    load_headers(c, conf->headers);
    load_partition(c, conf->partition);
    load_timestamp(c, conf->timestamp);
    load_value(c, conf->value);
    load_redact(c, conf->redact);
    r->limit = limit_new(c->what, conf->sample, conf->rate_limit, c->errs);
}

struct route *
route_new(const char *what, const struct node *conf, bool in_input, struct names *names,
          const struct output_list *outputs, struct errors *errs)
{
    const size_t      before = errs->count;
    struct route_conf filled = { 0 };
    struct settings   set = { &filled, route_fields };
    struct compiler   c = { NEW(struct route), what, conf, in_input, names, outputs, errs };

    c.r->at = conf->at;
    fields_load(&set, 1, what, conf, conf->at, other_key, &c, errs);
    if (in_input && node_get(conf, "from") != NULL)
        errors_at(errs, node_get(conf, "from")->key_at,
                  "%s: 'from' stands in 'routes' only (this route is for this input)", what);
    compile(&c, &filled);       /* takes the lists over: nothing else of `filled` is owned */
    if (errs->count > before) {
        route_free(c.r);
        return NULL;
    }
    return c.r;
}

void
route_free(struct route *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->nheaders; i++)
        template_free(r->headers[i].text);
    free(r->headers);
    limit_free(r->limit);
    redact_fini(&r->redact);
    json_value_free(r->json);
    template_free(r->value_template);
    template_free(r->timestamp);
    template_free(r->partition);
    template_free(r->key);
    template_free(r->topic);
    conditions_fini(&r->unless);
    conditions_fini(&r->when);
    strings_fini(&r->topics);
    strings_fini(&r->from);
    free(r);
}

/* ---- Asking ------------------------------------------------------------- */

bool
route_from(const struct route *r, const char *input)
{
    for (size_t i = 0; i < r->from.count; i++)
        if (fnmatch(r->from.list[i], input, 0) == 0)
            return true;
    return r->from.count == 0;
}

bool
route_matches(const struct route *r, const struct record *rec, struct arena *a,
              struct pattern_work *work)
{
    return conditions_hold(&r->when, rec, a, work) &&
           (r->unless.count == 0 || !conditions_hold(&r->unless, rec, a, work));
}

struct slice
route_json(const struct route *r, const struct record *rec, struct arena *a, char *place,
           size_t room, struct buf *b)
{
    assert(r->value == ROUTE_VALUE_JSON);
    return json_value_render(r->json, rec, a, place, room, b);
}

static bool
is_topic_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

bool
route_topic_legal(struct slice topic)
{
    if (topic.len == 0 || topic.len > LONGEST_TOPIC || slice_is(topic, ".") ||
        slice_is(topic, ".."))
        return false;
    for (size_t i = 0; i < topic.len; i++)
        if (!is_topic_letter(topic.ptr[i]))
            return false;
    return true;
}

bool
route_topic_allowed(const struct route *r, struct slice topic)
{
    char         name[LONGEST_TOPIC + 1];
    struct slice constant;

    if (!route_topic_legal(topic))
        return false;
    if (r->topic == NULL || template_constant(r->topic, &constant))
        return true;            /* checked at load */
    memcpy(name, topic.ptr, topic.len);
    name[topic.len] = '\0';
    if (strncmp(name, "__", 2) == 0)
        return listed(&r->topics, name, true);
    return r->topics.count == 0 || listed(&r->topics, name, false);
}
