/* kafka_settings.c - see kafka_settings.h.
 *
 * A map is read in four steps: other spellings get the table's names, the
 * table takes its keys, kafka_java.c and librdkafka take the rest, and at last
 * a producer is made without brokers, and freed again: only that finds a
 * certificate that is missing, or two properties that do not go together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_settings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/route.h"
#include "outputs/kafka_java.h"

enum { ACKS_ALL = -1 };
enum { NONE, GZIP, SNAPPY, LZ4, ZSTD };
enum { MAX_NAMES = 512, MAX_LINGER_MS = 60 * 1000, LINGER_MS = 1 /* librdkafka's own */ };

static const struct choice send_choices[] = {
    { "async", KAFKA_ASYNC }, { "fire_and_forget", KAFKA_FIRE_AND_FORGET }, { "sync", KAFKA_SYNC },
    { "transactional", KAFKA_TRANSACTIONAL }, { NULL, 0 },
};

static const struct choice acks_choices[] = {
    { "all", ACKS_ALL }, { "0", 0 }, { "1", 1 }, { "-1", ACKS_ALL }, { NULL, 0 },
};

static const struct choice compression_choices[] = {
    { "none", NONE }, { "gzip", GZIP }, { "snappy", SNAPPY }, { "lz4", LZ4 }, { "zstd", ZSTD },
    { NULL, 0 },
};

static const struct choice partitioner_choices[] = {
    { "murmur2_random", KAFKA_MURMUR2_RANDOM }, { "murmur2", KAFKA_MURMUR2 },
    { "consistent", KAFKA_CONSISTENT }, { "consistent_random", KAFKA_CONSISTENT_RANDOM },
    { "fnv1a", KAFKA_FNV1A }, { "fnv1a_random", KAFKA_FNV1A_RANDOM }, { "random", KAFKA_RANDOM },
    { "round_robin", KAFKA_ROUND_ROBIN }, { NULL, 0 },
};

static const struct choice keyless_choices[] = {
    { "sticky", KAFKA_STICKY }, { "round_robin", KAFKA_IN_TURN }, { "source", KAFKA_BY_SOURCE },
    { "random", KAFKA_ANYWHERE }, { NULL, 0 },
};

static const struct choice rejected_choices[] = {
    { "dead_letter", REJECTED_DEAD_LETTER }, { "drop", REJECTED_DROP }, { "halt", REJECTED_HALT },
    { NULL, 0 },
};

const struct field kafka_fields[] = {
    A_REQUIRED_LIST(struct kafka_settings, "bootstrap.servers", servers,
        "Some of the cluster's brokers, host:port; the others are found through them. Besides "
        "the keys of this table any producer property of librdkafka or of the Java client is "
        "accepted, and checked when the configuration is loaded. A Java name that librdkafka "
        "spells otherwise is translated; `buffer.memory` lowers `memory` of the section `agent`, "
        "for all outputs together."),
    A_CHOICE(struct kafka_settings, "send", send, "async", send_choices,
        "What moves the offset of a file. `async`: the broker's acknowledgement; at least once. "
        "`sync`: the same, and a source has one record out at a time, whose offset is on disk "
        "before the next is sent; strict order and at most one duplicate a source, but slow. "
        "`fire_and_forget`: that the client took the record; at most once. What the client holds, "
        "within `memory` of the section `agent`, is lost with the agent, and given up (counted, "
        "and an alarm) when memory is full and no broker has taken anything for 5 s. "
        "`transactional` is not supported yet."),
    A_CHOICE(struct kafka_settings, "acks", acks, "all", acks_choices,
        "How many replicas must have a record before it counts as arrived: none, the leader, or "
        "all that are in sync."),
    A_BOOL(struct kafka_settings, "enable.idempotence", idempotence, NULL,
        "No duplicates and no reordering from retries; true when `acks` is all. With 0 or 1 an "
        "explicit true is an error."),
    A_CHOICE(struct kafka_settings, "compression.type", compression, "lz4", compression_choices,
        "How batches are compressed. `zstd` means level 1, unless `compression.level` is set."),
    A_SIZE(struct kafka_settings, "message.max.bytes", max_message, "1048588", 1000, 1000000000,
        "The largest record, key and headers included (Java: `max.request.size`). The default is "
        "the broker's own."),
    A_TEXT(struct kafka_settings, "delivery.timeout.ms", delivery_timeout, "infinite",
        "After this time librdkafka gives a record back. It is sent again all the same: an outage "
        "is waiting, not failure. Only `send: fire_and_forget` gives it up then."),
    A_TEXT(struct kafka_settings, "linger.ms", linger_text, "5",
        "A quiet file is read at the earliest so many milliseconds after its last read, so that "
        "lines which come one by one travel together."),
    A_CHOICE(struct kafka_settings, "partitioner", partitioner, "murmur2_random",
        partitioner_choices,
        "Where a record with a key goes; the default is the Java client's. `murmur2`, "
        "`consistent` and `fnv1a` take a missing key for an empty one; `round_robin` deals every "
        "record in turn, key or not."),
    A_CHOICE(struct kafka_settings, "keyless", keyless, "sticky", keyless_choices,
        "Where a record without key goes: `sticky` keeps to one partition until a batch is full "
        "and then takes the one where least waits, `round_robin` deals record by record, "
        "`source` keeps every source to one partition, `random` takes any."),
    A_CHOICE(struct kafka_settings, "on_rejected", on_rejected, "dead_letter", rejected_choices,
        "What becomes of a record that will never be taken (too large, invalid, for a partition "
        "that does not exist). `dead_letter`: a JSON line in `state_dir/dead_letter/OUTPUT.jsonl`, "
        "which `stoker replay` sends again. `drop`: it is counted. `halt`: its source stops before "
        "it, with an alarm, and the next start tries it again; the others go on."),
    A_TEXT(struct kafka_settings, "dead_letter_topic", dead_letter_topic, NULL,
        "Rejected records go to this topic instead, with the headers `stoker.error`, "
        "`stoker.topic`, `stoker.partition`, `stoker.source` and `stoker.offset`. One that this "
        "topic does not take either goes to the file."),
    A_BOOL(struct kafka_settings, "create_topics", create_topics, "false",
        "Let the brokers create a topic that does not exist. Otherwise it is an alarm, and its "
        "records wait."),
    A_TEXT(struct kafka_settings, "client.id", client_id, "stoker",
        "How the agent is called in the brokers' logs and quotas."),
    NO_MORE_FIELDS
};

/* ---- What librdkafka gets before the user's own ---------------------------- */

static const char *const base_properties[][2] = {
    /* Memory is counted by the agent; these only must never be in the way. */
    { "queue.buffering.max.messages", "0" },
    { "queue.buffering.max.kbytes", "2097151" },
    /* A hand-over is one request: neither too small a batch nor too short a wait. */
    { "batch.num.messages", "1000000" },
    { "linger.ms", "1" },
    { "sticky.partitioning.linger.ms", "0" },
    { "socket.nagle.disable", "true" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.ms", "100" },
    { "reconnect.backoff.max.ms", "2000" },
    { "topic.metadata.refresh.interval.ms", "60000" },
    { "statistics.interval.ms", "10000" },
    { "log.queue", "true" },
};

static void
set_own(struct kafka_settings *s, const char *name, const char *value)
{
    char       why[256];
    const bool set = rd_kafka_conf_set(s->client, name, value, why, sizeof why) ==
                     RD_KAFKA_CONF_OK;

    assert(set);
}

static void
set_base(struct kafka_settings *s)
{
    s->client = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof base_properties / sizeof *base_properties; i++)
        set_own(s, base_properties[i][0], base_properties[i][1]);
}

bool
kafka_settings_get(const struct kafka_settings *s, const char *name, char *text, size_t room)
{
    return rd_kafka_conf_get(s->client, name, text, &room) == RD_KAFKA_CONF_OK;
}

static uint64_t
get_number(const struct kafka_settings *s, const char *name)
{
    char          text[32];
    const bool    there = kafka_settings_get(s, name, text, sizeof text);
    const int64_t number = there ? strtoll(text, NULL, 10) : 0;

    assert(there);
    return number > 0 ? (uint64_t)number : 0;
}

/* ---- Keys of the table ----------------------------------------------------- */

/* The place of a key's value, or of the whole map. */
static struct mark
place(const struct kafka_loading *l, const char *key)
{
    const struct node *n = node_get(l->map, key);

    return n != NULL ? n->at : l->map->at;
}

static void
check_rejected(struct kafka_loading *l)
{
    const struct kafka_settings *s = l->settings;

    if (s->on_rejected == REJECTED_HALT && s->send == KAFKA_FIRE_AND_FORGET)
        (void)errors_at(l->errs, place(l, "on_rejected"), "'on_rejected: halt' cannot go with "
                        "'send: fire_and_forget': the offset has moved over the record by then");
    if (s->dead_letter_topic == NULL)
        return;
    if (!route_topic_legal(slice_of(s->dead_letter_topic)))
        (void)errors_at(l->errs, place(l, "dead_letter_topic"), "'%s' cannot be a topic (1 to 249 "
                        "letters, digits, '.', '_' and '-', and neither '.' nor '..')",
                        node_shown(node_get(l->map, "dead_letter_topic")));
    if (s->on_rejected != REJECTED_DEAD_LETTER)
        (void)errors_at(l->errs, place(l, "dead_letter_topic"), "'dead_letter_topic' needs "
                        "'on_rejected: dead_letter'");
}

/* Behind "SASL_SSL://", which both clients take; any other scheme stays, and is wrong. */
static const char *
behind_protocol(const char *server)
{
    static const char *const protocols[] = {
        "PLAINTEXT://", "SSL://", "SASL_PLAINTEXT://", "SASL_SSL://",
    };

    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strncasecmp(server, protocols[i], strlen(protocols[i])) == 0)
            return server + strlen(protocols[i]);
    return server;
}

/* librdkafka leaves such a server out, and has none in the end. */
static void
check_protocol(struct kafka_loading *l, const struct node *n, const char *server, size_t len)
{
    const struct node *said = node_get(l->map, "security.protocol");
    const bool         plain = said == NULL || said->kind != NODE_SCALAR;
    const char        *protocol = plain ? "plaintext" : said->text;

    if (strlen(protocol) != len || strncasecmp(protocol, server, len) != 0)
        (void)errors_at(l->errs, n->at, "'%.*s://' says otherwise than security.protocol, which "
                        "is %s", (int)len, server, plain ? protocol : node_shown(said));
}

static void
check_server(struct kafka_loading *l, const struct node *n, const char *server, size_t len)
{
    const char *end = server + len, *host = behind_protocol(server), *colon = end;
    uint32_t    port = 0;

    if (memchr(host, '/', (size_t)(end - host)) != NULL) {
        (void)errors_at(l->errs, n->at, "'%.*s' is not host:port", (int)len, server);
        return;
    }
    while (colon > host && colon[-1] != ':' && colon[-1] != ']')
        colon--;
    if (colon == host || colon[-1] != ':')
        colon = NULL;               /* no port: the default one */
    for (const char *p = colon; p != NULL && p < end; p++)
        port = *p >= '0' && *p <= '9' && port <= 65535 ? port * 10 + (uint32_t)(*p - '0') : 65536;
    if (colon != NULL && (colon == end || colon - 1 == host || port == 0 || port > 65535))
        (void)errors_at(l->errs, n->at, "'%.*s' is not host:port", (int)len, server);
    else if (host > server)
        check_protocol(l, n, server, (size_t)(host - server) - strlen("://"));
}

/* "a:1, b:2" in one text, or a list of such. */
static void
check_servers(struct kafka_loading *l, struct buf *joined)
{
    const struct node *list = node_get(l->map, "bootstrap.servers");

    for (const struct node *n = node_first_of(list); n != NULL; n = node_next_of(list, n)) {
        const size_t before = joined->len;

        for (const char *p = n->text; p != NULL && n->kind == NODE_SCALAR; ) {
            size_t len;

            p += strspn(p, " \t\n,");
            len = strcspn(p, " \t\n,");
            if (len == 0)
                break;
            check_server(l, n, p, len);
            if (joined->len > 0)
                buf_add_char(joined, ',');
            buf_add(joined, p, len);
            p += len;
        }
        if (joined->len == before && n->kind == NODE_SCALAR)
            (void)errors_at(l->errs, n->at, "'bootstrap.servers' must be host:port");
    }
}

static void
set_servers(struct kafka_loading *l)
{
    struct buf joined = { NULL, 0, 0 };

    check_servers(l, &joined);
    strings_fini(&l->settings->servers);
    strings_add(&l->settings->servers, buf_string(&joined));
    buf_fini(&joined);
}

static void
set_times(struct kafka_loading *l)
{
    struct kafka_settings *s = l->settings;
    char                   number[32];
    double                 ms = 0;

    if (!kafka_property_ms(s->linger_text, &ms) || ms > MAX_LINGER_MS)
        (void)errors_at(l->errs, place(l, "linger.ms"),
                        "'linger.ms' must be a number of milliseconds, 60000 at most, not '%s'",
                        s->linger_text);
    s->linger = (uint64_t)(ms + 0.5);
    ms = 0;
    if (strcmp(s->delivery_timeout, "infinite") != 0 &&
        (!kafka_property_ms(s->delivery_timeout, &ms) || ms > INT32_MAX))
        (void)errors_at(l->errs, place(l, "delivery.timeout.ms"),
                        "'delivery.timeout.ms' must be a number of milliseconds, %d at most, or "
                        "'infinite', not '%s'", INT32_MAX, s->delivery_timeout);
    else if (ms > 0 && ms <= (double)(s->linger > LINGER_MS ? s->linger : LINGER_MS))
        (void)errors_at(l->errs, place(l, "delivery.timeout.ms"), "'delivery.timeout.ms' must be "
                        "more than 'linger.ms', which is %s", s->linger_text);
    snprintf(number, sizeof number, "%.0f", ms > INT32_MAX ? 0 : ms);
    set_own(s, "message.timeout.ms", number);
}

static void
set_idempotence(struct kafka_loading *l)
{
    struct kafka_settings *s = l->settings;
    const struct node     *n = node_get(l->map, "enable.idempotence");
    const bool             said = n != NULL && n->kind == NODE_SCALAR;
    char                   acks[8];

    if (said && s->idempotence && s->acks != ACKS_ALL)
        (void)errors_at(l->errs, n->at, "'enable.idempotence' needs acks: all");
    if (!said)
        s->idempotence = s->acks == ACKS_ALL;
    if (s->acks == 0 && s->send != KAFKA_FIRE_AND_FORGET)
        log_warn("%s: with acks: 0 Kafka acknowledges nothing, and what is lost on its way is not "
                 "noticed (set acks: all, or send: fire_and_forget if that is meant)", l->what);
    snprintf(acks, sizeof acks, "%d", s->acks);
    set_own(s, "acks", acks);
    set_own(s, "enable.idempotence", s->idempotence && s->acks == ACKS_ALL ? "true" : "false");
    if (s->send == KAFKA_FIRE_AND_FORGET && !s->idempotence)
        set_own(s, "message.send.max.retries", "0");    /* it may have arrived */
}

static void
set_table(struct kafka_loading *l)
{
    struct kafka_settings *s = l->settings;
    char                   number[32];

    if (s->send == KAFKA_TRANSACTIONAL)
        (void)errors_at(l->errs, place(l, "send"), "'send: transactional' is not supported yet");
    check_rejected(l);
    set_servers(l);
    set_times(l);
    set_idempotence(l);
    snprintf(number, sizeof number, "%" PRIu64, s->max_message);
    set_own(s, "message.max.bytes", number);
    set_own(s, "compression.codec", compression_choices[s->compression].name);
    set_own(s, "allow.auto.create.topics", s->create_topics ? "true" : "false");
    set_own(s, "client.id", s->client_id);
}

/* ---- All other keys -------------------------------------------------------- */

/* "compression" or "servers": a key of the table by one of its parts, as others call it. */
static const char *
find_by_part(const char *part)
{
    const size_t len = strlen(part);

    for (const struct field *f = kafka_fields; f->kind != FIELD_END; f++) {
        const char *dot = strchr(f->name, '.');

        if (dot != NULL && (strcmp(dot + 1, part) == 0 ||
                            ((size_t)(dot - f->name) == len && strncmp(f->name, part, len) == 0)))
            return f->name;
    }
    return NULL;
}

static void
say_unknown(struct kafka_loading *l, const struct node *entry)
{
    const char *names[MAX_NAMES], *near;
    size_t      n = 0;

    for (const struct field *f = kafka_fields; f->kind != FIELD_END; f++)
        names[n++] = f->name;
    n += kafka_java_names(names + n, MAX_NAMES - n);
    n += kafka_properties_names(l->properties, names + n, MAX_NAMES - n);
    near = strings_nearest(entry->key, names, n);
    if (near == NULL)
        near = find_by_part(entry->key);
    if (near != NULL)
        (void)errors_at(l->errs, kafka_property_secret(near) ? kafka_property_away(entry, l->map)
                                                             : entry->key_at,
                        "%s has no setting '%s' (did you mean '%s'?)", l->what, entry->key, near);
    else
        (void)errors_at(l->errs, entry->key_at, "%s has no setting '%s'", l->what, entry->key);
}

static void
take_property(struct kafka_loading *l, const struct node *entry)
{
    char *text;

    switch (kafka_properties_kind(l->properties, entry->key)) {
    case PROPERTY_UNKNOWN:
        say_unknown(l, entry);
        return;
    case PROPERTY_CONSUMER:
        (void)errors_at(l->errs, entry->key_at, "'%s' is a consumer's property, and this is a "
                        "producer", entry->key);
        return;
    case PROPERTY_PRODUCER:
        break;
    }
    text = kafka_property_text(entry, l->map, l->errs);
    if (text != NULL)
        (void)kafka_properties_set(l->properties, l->settings->client, entry->key, text, entry,
                                   l->map, l->errs);
    free(text);
}

/* Those that are in no table, once the table was read. */
static bool
wait_for_table(void *ctx, const struct node *entry, struct errors *errs)
{
    (void)ctx;
    (void)entry;
    (void)errs;
    return true;
}

static bool
in_table(const char *key)
{
    for (const struct field *f = kafka_fields; f->kind != FIELD_END; f++)
        if (strcmp(f->name, key) == 0)
            return true;
    return strcmp(key, "type") == 0;
}

static void
take_others(struct kafka_loading *l)
{
    for (const struct node *n = l->map->first; n != NULL && !errors_full(l->errs); n = n->next)
        if (!n->bad && n->kind != NODE_NULL && !in_table(n->key) && !kafka_java_take(l, n))
            take_property(l, n);
}

/* ---- All together ---------------------------------------------------------- */

static void
set_zstd_level(struct kafka_loading *l)
{
    char level[16];

    if (l->settings->compression == ZSTD &&
        kafka_settings_get(l->settings, "compression.level", level, sizeof level) &&
        strcmp(level, "-1") == 0)
        set_own(l->settings, "compression.level", "1");
}

/* As the Java client: who says only where the pauses begin wants no others. */
static void
set_reconnect(struct kafka_loading *l)
{
    char first[32];

    if (node_get(l->map, "reconnect.backoff.max.ms") == NULL &&
        get_number(l->settings, "reconnect.backoff.ms") >
        get_number(l->settings, "reconnect.backoff.max.ms") &&
        kafka_settings_get(l->settings, "reconnect.backoff.ms", first, sizeof first))
        set_own(l->settings, "reconnect.backoff.max.ms", first);
}

/* Without keys nothing is left for it to do; a missing one is not to be an empty one. */
static void
set_partitioner(struct kafka_settings *s)
{
    if (s->ignore_keys && (s->partitioner == KAFKA_MURMUR2 ||
                           s->partitioner == KAFKA_CONSISTENT || s->partitioner == KAFKA_FNV1A))
        s->partitioner = KAFKA_MURMUR2_RANDOM;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Never more at once than one request holds, less what stands around its
 * records: then a hand-over is one request. */
static void
set_batch(struct kafka_settings *s)
{
    const uint64_t request = least(get_number(s, "batch.size"), s->max_message);

    s->batch_bytes = least(KAFKA_BATCH_BYTES, request - request / 50);
    s->batch_messages = (uint32_t)least(KAFKA_BATCH_MESSAGES,
                                        get_number(s, "batch.num.messages"));
    s->refresh = get_number(s, "topic.metadata.refresh.interval.ms");
}

/* Is it the property in backquotes, by another name? */
static bool
is_quoted(const struct kafka_loading *l, const char *key, const char *why)
{
    const char  *from = strchr(why, '`');
    const size_t len = from != NULL ? strcspn(from + 1, "`") : 0;
    char         name[100];

    snprintf(name, sizeof name, "%.*s", (int)len, len > 0 ? from + 1 : "");
    return strcmp(kafka_properties_first_name(l->properties, key),
                  kafka_properties_first_name(l->properties, name)) == 0;
}

/* The entry that the library's complaint names, or the map. */
static struct mark
blame(const struct kafka_loading *l, const char *why)
{
    const struct node *named = NULL;

    for (const struct node *n = l->map->first; n != NULL; n = n->next) {
        if (is_quoted(l, n->key, why))
            return kafka_property_place(n, l->map);
        if (strstr(why, n->key) != NULL &&
            (named == NULL || strlen(n->key) > strlen(named->key)))
            named = n;
    }
    return named != NULL ? kafka_property_place(named, l->map) : l->map->at;
}

/* What OpenSSL's words mean. */
static const char *
advice_for(const char *why)
{
    static const char *const hints[][2] = {
        { "PEM lib", " (is it a PEM file, and ssl.key.password its password?)" },
        { "mac verify failure", " (is ssl.keystore.password its password?)" },
        { "key values mismatch", " (it is not the key of ssl.certificate.location)" },
    };

    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(why, hints[i][0]) != NULL)
            return hints[i][1];
    return "";
}

static void
try_client(struct kafka_loading *l)
{
    rd_kafka_conf_t *copy = rd_kafka_conf_dup(l->settings->client);
    char             why[400] = "";
    rd_kafka_t      *rk = rd_kafka_new(RD_KAFKA_PRODUCER, copy, why, sizeof why);

    if (rk == NULL) {
        rd_kafka_conf_destroy(copy);
        (void)errors_at(l->errs, blame(l, why), "%s: the client refuses it: %s%s", l->what, why,
                        advice_for(why));
        return;
    }
    rd_kafka_destroy(rk);
}

/* A copy of the map in which every key has the table's spelling; the entries
 * are in *entries, which the caller frees. */
static struct node
respell(struct kafka_loading *l, struct node **entries)
{
    const size_t count = node_count(l->map);
    struct node  map = *l->map;
    struct node *copy = mem_array(NULL, count, sizeof *copy);
    size_t       i = 0;

    for (const struct node *n = l->map->first; n != NULL; n = n->next, i++) {
        const char *key = kafka_java_alias(n->key);

        copy[i] = *n;
        copy[i].next = n->next != NULL ? &copy[i + 1] : NULL;
        if (key == NULL)
            continue;
        copy[i].key = key;
        if (node_get(l->map, key) != NULL)
            (void)errors_at(l->errs, n->key_at, "'%s' is the same setting as '%s', which is there "
                            "too", n->key, key);
    }
    map.first = count > 0 ? copy : NULL;
    *entries = copy;
    return map;
}

static void
load_all(struct kafka_loading *l)
{
    const size_t before = l->errs->count;

    set_table(l);
    take_others(l);
    kafka_security_check(l);
    if (l->errs->count > before)
        return;
    set_zstd_level(l);
    set_reconnect(l);
    set_partitioner(l->settings);
    set_batch(l->settings);
    try_client(l);
    if (l->errs->count == before)
        set_own(l->settings, "bootstrap.servers", l->settings->servers.list[0]);
}

int
kafka_settings_load(struct kafka_settings *s, const char *what, const struct node *map,
                    struct errors *errs)
{
    const struct settings set[] = { { s, kafka_fields }, { NULL, type_fields } };
    struct kafka_loading  l = { .settings = s, .map = map, .what = what, .errs = errs };
    const size_t          before = errs->count;
    struct node          *entries = NULL, spelled;

    *s = (struct kafka_settings){ .client = NULL };
    if (map == NULL || map->kind != NODE_MAP) {
        (void)fields_load(set, 2, what, map, map != NULL ? map->at : NO_MARK, NULL, NULL, errs);
        kafka_settings_fini(s);
        return -1;
    }
    spelled = respell(&l, &entries);
    l.map = &spelled;
    l.properties = kafka_properties_new();
    set_base(s);
    (void)fields_load(set, 2, what, &spelled, map->key_at.file != NULL ? map->key_at : map->at,
                      wait_for_table, NULL, errs);
    load_all(&l);
    kafka_properties_free(l.properties);
    free(entries);
    if (errs->count == before)
        return 0;
    kafka_settings_fini(s);
    return -1;
}

void
kafka_settings_fini(struct kafka_settings *s)
{
    const struct settings set[] = { { s, kafka_fields } };

    fields_fini(set, 1);
    if (s->client != NULL)
        rd_kafka_conf_destroy(s->client);
    s->client = NULL;
}
