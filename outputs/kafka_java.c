/* kafka_java.c - see kafka_java.h.
 *
 * One table; a row says what becomes of a name.  Names that mean the same in
 * both clients need no row.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_java.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/log.h"
#include "agent/flow/output.h"

enum { SMALL_BATCH = 65536 };

typedef void take_f(struct kafka_loading *l, const struct node *entry, const char *text);

enum fate {
    RENAMED,        /* librdkafka calls it `other` */
    BOTH,           /* it means this, and `other` too where that is not said */
    IGNORED,        /* it has no meaning here; `why` says so in a warning */
    IF_KNOWN,       /* newer versions of librdkafka have it; otherwise IGNORED */
    REFUSED,        /* it cannot be honoured; `why` says why */
    SPECIAL,        /* `take` decides */
};

struct row {
    const char *name;
    enum fate   fate;
    const char *other;
    const char *why;
    take_f     *take;
};

/* ---- Those that need a decision -------------------------------------------- */

static int
refuse(struct kafka_loading *l, const struct node *entry, const char *why)
{
    return errors_at(l->errs, kafka_property_place(entry, l->map), "'%s' %s", entry->key, why);
}

static void
ignore(const struct kafka_loading *l, const struct node *entry, const char *why)
{
    log_warn("%s: '%s' is ignored: %s", l->what, entry->key, why);
}

static int
set(struct kafka_loading *l, const char *name, const char *text, const struct node *entry)
{
    return kafka_properties_set(l->properties, l->settings->client, name, text, entry, l->map,
                                l->errs);
}

static void
take_batch_size(struct kafka_loading *l, const struct node *entry, const char *text)
{
    char set_to[32];

    if (set(l, "batch.size", text, entry) == -1)
        return;
    if (!kafka_settings_get(l->settings, "batch.size", set_to, sizeof set_to))
        return;
    if (strtoull(set_to, NULL, 10) < SMALL_BATCH)
        log_warn("%s: batch.size %s makes small requests and costs throughput (leave it out: "
                 "a batch is then as large as what waits)", l->what, set_to);
}

/* Bytes that wait are counted by the agent, over all outputs: the least that one of them
 * asks for holds. */
static void
take_buffer_memory(struct kafka_loading *l, const struct node *entry, const char *text)
{
    struct error err;

    if (field_size(text, &l->settings->memory, &err) == -1)
        (void)refuse(l, entry, "must be a size");
    else if (l->settings->memory < OUTPUT_LEAST_MEMORY)
        (void)refuse(l, entry, "must be 4MiB at least: it lowers 'memory' of the section 'agent'");
}

/* A class of Kafka's without its package; others may have one of the same name. */
static const char *
kafkas_own(const char *class_name)
{
    static const char *const packages[] = {
        "org.apache.kafka.clients.producer.internals.", "org.apache.kafka.clients.producer.",
    };

    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strncmp(class_name, packages[i], strlen(packages[i])) == 0)
            return class_name + strlen(packages[i]);
    return class_name;
}

static void
take_partitioner_class(struct kafka_loading *l, const struct node *entry, const char *text)
{
    const char *name = kafkas_own(text);

    if (node_get(l->map, "partitioner") != NULL)
        (void)errors_at(l->errs, entry->key_at, "'%s' cannot stand beside 'partitioner'",
                        entry->key);
    else if (strcmp(name, "DefaultPartitioner") == 0)
        l->settings->partitioner = KAFKA_MURMUR2_RANDOM;
    else if (strcmp(name, "RoundRobinPartitioner") == 0)
        l->settings->partitioner = KAFKA_ROUND_ROBIN;
    else if (strcmp(name, "UniformStickyPartitioner") == 0)
        l->settings->ignore_keys = true;
    else
        (void)refuse(l, entry, "names a Java class that cannot be run here (use 'partitioner')");
}

static void
take_ignore_keys(struct kafka_loading *l, const struct node *entry, const char *text)
{
    struct error err;
    bool         yes;

    if (field_bool(text, &yes, &err) == -1)
        (void)refuse(l, entry, "must be true or false");
    else if (yes)
        l->settings->ignore_keys = true;        /* a partitioner.class may have said so, too */
}

static void
take_key_serializer(struct kafka_loading *l, const struct node *entry, const char *text)
{
    const int kind = serializer_find(text);

    if (kind < 0)
        (void)refuse(l, entry, "can be string, bytes, short, integer, long, float, double, uuid, "
                               "or the class of Kafka's that writes one of them");
    else
        l->settings->key_serializer = (enum serializer)kind;
}

static void
take_value_serializer(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (serializer_find(text) != SERIALIZER_TEXT)
        (void)refuse(l, entry, "cannot be this class: values are made by the routes");
}

static void
take_encoding(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strcasecmp(text, "UTF-8") != 0 && strcasecmp(text, "UTF8") != 0)
        (void)refuse(l, entry, "can only be UTF-8: bytes pass as they were read");
}

static void
take_block_on_full(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strcasecmp(text, "true") != 0)
        (void)refuse(l, entry, "can only be true: reading waits while memory is full");
}

/* Java's -1, the system's default, is 0 here. */
static void
take_receive_buffer(struct kafka_loading *l, const struct node *entry, const char *text)
{
    (void)set(l, "socket.receive.buffer.bytes", strcmp(text, "-1") == 0 ? "0" : text, entry);
}

static void
take_send_buffer(struct kafka_loading *l, const struct node *entry, const char *text)
{
    (void)set(l, "socket.send.buffer.bytes", strcmp(text, "-1") == 0 ? "0" : text, entry);
}

static void
take_idle(struct kafka_loading *l, const struct node *entry, const char *text)
{
    (void)set(l, "connections.max.idle.ms", strcmp(text, "-1") == 0 ? "0" : text, entry);
}

static bool
is_whole_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Java writes a level for every codec; the one in use counts. */
static void
take_level(struct kafka_loading *l, const struct node *entry, const char *text)
{
    char codec[32], in_use[64] = "compression.";

    if (!kafka_settings_get(l->settings, "compression.codec", codec, sizeof codec))
        return;
    strcat(in_use, codec);
    strcat(in_use, ".level");
    if (strcmp(entry->key, in_use) == 0)
        (void)set(l, "compression.level", text, entry);
    else if (!is_whole_number(text))
        (void)refuse(l, entry, "must be a number");
}

static bool
store_is(const struct kafka_loading *l, const char *type_key, const char *type)
{
    const struct node *n = node_get(l->map, type_key);

    return n != NULL && n->kind == NODE_SCALAR && strcasecmp(n->text, type) == 0;
}

static bool
is_pem_file(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcasecmp(dot, ".pem") == 0 || strcasecmp(dot, ".crt") == 0);
}

static void
take_truststore(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (store_is(l, "ssl.truststore.type", "PEM"))
        (void)set(l, "ssl.ca.location", text, entry);
    else if (is_pem_file(text))
        (void)refuse(l, entry, "needs 'ssl.truststore.type: PEM', as with the Java client (or "
                               "write 'ssl.ca.location')");
    else
        (void)refuse(l, entry, "is a Java key store, which cannot be read here (export its "
                               "certificates as PEM and name that file in 'ssl.ca.location')");
}

static void
take_truststore_type(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strcasecmp(text, "PEM") != 0)
        (void)refuse(l, entry, "can only be PEM (export the certificates as PEM and name that "
                               "file in 'ssl.ca.location')");
}

static void
take_truststore_password(struct kafka_loading *l, const struct node *entry, const char *text)
{
    (void)text;
    if (store_is(l, "ssl.truststore.type", "PEM"))
        ignore(l, entry, "a PEM file of certificates has no password");
    else
        (void)refuse(l, entry, "belongs to a Java key store, which cannot be read here (use "
                               "'ssl.ca.location')");
}

static void
take_keystore(struct kafka_loading *l, const struct node *entry, const char *text)
{
    const char *dot = strrchr(text, '.');

    if (store_is(l, "ssl.keystore.type", "PEM")) {
        (void)set(l, "ssl.certificate.location", text, entry);
        (void)set(l, "ssl.key.location", text, entry);
    } else if (!store_is(l, "ssl.keystore.type", "PKCS12") && is_pem_file(text)) {
        (void)refuse(l, entry, "needs 'ssl.keystore.type: PEM', as with the Java client (or write "
                               "'ssl.certificate.location' and 'ssl.key.location')");
    } else if (!store_is(l, "ssl.keystore.type", "PKCS12") && dot != NULL &&
               strcasecmp(dot, ".jks") == 0) {
        (void)refuse(l, entry, "is a Java key store, which cannot be read here (convert it to "
                               "PKCS#12 with keytool -importkeystore -deststoretype PKCS12)");
    } else {
        (void)set(l, "ssl.keystore.location", text, entry);
    }
}

static void
take_keystore_type(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strcasecmp(text, "PEM") != 0 && strcasecmp(text, "PKCS12") != 0)
        (void)refuse(l, entry, "can be PKCS12 or PEM (convert the store with keytool "
                               "-importkeystore -deststoretype PKCS12)");
}

static void
take_endpoint_check(struct kafka_loading *l, const struct node *entry, const char *text)
{
    (void)set(l, "ssl.endpoint.identification.algorithm", *text == '\0' ? "none" : text, entry);
}

static void
take_tls_versions(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strstr(text, "TLSv1.2") == NULL && strcmp(text, "TLS") != 0 &&
        strcmp(entry->key, "ssl.enabled.protocols") == 0)
        (void)refuse(l, entry, "cannot be honoured: OpenSSL negotiates TLS 1.2 or 1.3 (set "
                               "MinProtocol in openssl.cnf)");
    else
        ignore(l, entry, "OpenSSL negotiates TLS 1.2 or 1.3");
}

static void
take_ciphers(struct kafka_loading *l, const struct node *entry, const char *text)
{
    if (strncmp(text, "TLS_", 4) == 0)
        (void)refuse(l, entry, "must be in OpenSSL's names, such as ECDHE-RSA-AES256-GCM-SHA384");
    else
        (void)set(l, "ssl.cipher.suites", text, entry);
}

/* ---- The table ------------------------------------------------------------- */

static const char why_callback[] = "is code, which cannot be set in a configuration";
static const char why_class[] = "names a Java class, which cannot be run here";
static const char why_lanes[] =
    "is not for a user to set: batches are made before they reach librdkafka";
static const char why_transactions[] =
    "belongs to 'send: transactional', which is not supported yet";
static const char why_oauth[] = "is not supported by librdkafka";
static const char no_metrics[] = "the agent has metrics of its own (see 'admin')";
static const char no_waiting[] = "reading waits as long as sending must";
static const char no_rebalance[] = "records without key go where the least waits";
static const char no_refresh[] = "librdkafka renews logins by itself";
static const char no_provider[] = "OpenSSL decides";
static const char newer[] = "this version of librdkafka has it not";

#define RENAME(name, other) { name, RENAMED, other, NULL, NULL }
#define IGNORE(name, why) { name, IGNORED, NULL, why, NULL }
#define REFUSE(name, why) { name, REFUSED, NULL, why, NULL }
#define NEWER(name) { name, IF_KNOWN, NULL, newer, NULL }
#define TAKE(name, take) { name, SPECIAL, NULL, NULL, take }

static const struct row rows[] = {
    /* the Java producer's */
    NEWER("client.dns.lookup"),
    NEWER("retry.backoff.max.ms"),
    NEWER("metadata.recovery.strategy"),
    NEWER("metadata.recovery.rebootstrap.trigger.ms"),
    NEWER("enable.metrics.push"),
    { "request.timeout.ms", BOTH, "socket.timeout.ms", NULL, NULL },
    RENAME("timeout.ms", "request.timeout.ms"),
    RENAME("metadata.max.age.ms", "topic.metadata.refresh.interval.ms"),
    IGNORE("metadata.fetch.timeout.ms", no_waiting),
    IGNORE("metadata.max.idle.ms", "topics stay known as long as the agent runs"),
    IGNORE("max.block.ms", no_waiting),
    TAKE("block.on.buffer.full", take_block_on_full),
    TAKE("buffer.memory", take_buffer_memory),
    TAKE("batch.size", take_batch_size),
    TAKE("compression.gzip.level", take_level),
    TAKE("compression.lz4.level", take_level),
    TAKE("compression.zstd.level", take_level),
    TAKE("partitioner.class", take_partitioner_class),
    TAKE("partitioner.ignore.keys", take_ignore_keys),
    IGNORE("partitioner.adaptive.partitioning.enable", no_rebalance),
    IGNORE("partitioner.availability.timeout.ms", no_rebalance),
    TAKE("key.serializer", take_key_serializer),
    TAKE("value.serializer", take_value_serializer),
    TAKE("key.serializer.encoding", take_encoding),
    TAKE("value.serializer.encoding", take_encoding),
    TAKE("serializer.encoding", take_encoding),
    IGNORE("interceptor.classes", "interceptors are Java classes"),
    IGNORE("metric.reporters", no_metrics),
    IGNORE("metrics.num.samples", no_metrics),
    IGNORE("metrics.recording.level", no_metrics),
    IGNORE("metrics.sample.window.ms", no_metrics),
    IGNORE("auto.include.jmx.reporter", no_metrics),
    IGNORE("security.providers", "providers are Java classes"),
    REFUSE("config.providers", "is not needed: use ${env:NAME} or ${file:PATH}"),
    TAKE("receive.buffer.bytes", take_receive_buffer),
    TAKE("send.buffer.bytes", take_send_buffer),
    TAKE("connections.max.idle.ms", take_idle),
    IGNORE("socket.connection.setup.timeout.max.ms", "the time-out does not grow"),
    TAKE("ssl.truststore.location", take_truststore),
    TAKE("ssl.truststore.type", take_truststore_type),
    TAKE("ssl.truststore.password", take_truststore_password),
    RENAME("ssl.truststore.certificates", "ssl.ca.pem"),
    TAKE("ssl.keystore.location", take_keystore),
    TAKE("ssl.keystore.type", take_keystore_type),
    RENAME("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    RENAME("ssl.keystore.key", "ssl.key.pem"),
    TAKE("ssl.endpoint.identification.algorithm", take_endpoint_check),
    TAKE("ssl.protocol", take_tls_versions),
    TAKE("ssl.enabled.protocols", take_tls_versions),
    TAKE("ssl.cipher.suites", take_ciphers),
    IGNORE("ssl.provider", no_provider),
    IGNORE("ssl.keymanager.algorithm", no_provider),
    IGNORE("ssl.trustmanager.algorithm", no_provider),
    IGNORE("ssl.secure.random.implementation", no_provider),
    REFUSE("ssl.engine.factory.class", why_class),
    TAKE("sasl.jaas.config", kafka_jaas_take),
    IGNORE("sasl.kerberos.ticket.renew.window.factor", no_refresh),
    IGNORE("sasl.kerberos.ticket.renew.jitter", no_refresh),
    IGNORE("sasl.login.refresh.window.factor", no_refresh),
    IGNORE("sasl.login.refresh.window.jitter", no_refresh),
    IGNORE("sasl.login.refresh.min.period.seconds", no_refresh),
    IGNORE("sasl.login.refresh.buffer.seconds", no_refresh),
    IGNORE("sasl.login.connect.timeout.ms", no_refresh),
    IGNORE("sasl.login.read.timeout.ms", no_refresh),
    IGNORE("sasl.login.retry.backoff.ms", no_refresh),
    IGNORE("sasl.login.retry.backoff.max.ms", no_refresh),
    REFUSE("sasl.login.class", why_class),
    REFUSE("sasl.login.callback.handler.class", why_class),
    REFUSE("sasl.client.callback.handler.class", why_class),
    REFUSE("sasl.oauthbearer.jwks.endpoint.url", why_oauth),
    REFUSE("sasl.oauthbearer.scope.claim.name", why_oauth),
    REFUSE("sasl.oauthbearer.sub.claim.name", why_oauth),
    REFUSE("transactional.id", why_transactions),
    REFUSE("transaction.timeout.ms", why_transactions),

    /* librdkafka's own */
    REFUSE("queue.buffering.max.messages", "is not for a user to set (use 'memory' of the "
                                           "section 'agent')"),
    REFUSE("queue.buffering.max.kbytes", "is not for a user to set (use 'memory' of the section "
                                         "'agent')"),
    REFUSE("queue.buffering.backpressure.threshold", why_lanes),
    REFUSE("queuing.strategy", why_lanes),
    REFUSE("sticky.partitioning.linger.ms", "is not for a user to set (use 'keyless')"),
    REFUSE("enable.gapless.guarantee", "is not needed: what fails is sent again, in order"),
    REFUSE("delivery.report.only.error", "cannot be set: every report moves a checkpoint"),
    REFUSE("produce.offset.report", "cannot be set: every report moves a checkpoint"),
    REFUSE("statistics.interval.ms", "cannot be set: the agent has metrics of its own (see "
                                     "'admin')"),
    REFUSE("log.queue", "is not for a user to set"),
    REFUSE("enabled_events", "is not for a user to set"),
    REFUSE("builtin.features", "cannot be set: it says what librdkafka was built with"),
    REFUSE("opaque", why_callback),
    REFUSE("msg_order_cmp", why_callback),
    REFUSE("default_topic_conf", why_callback),
    REFUSE("interceptors", why_callback),
};

enum { NROWS = sizeof rows / sizeof *rows };

static const struct row *
find_row(const char *name)
{
    for (size_t i = 0; i < NROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void
take_row(struct kafka_loading *l, const struct row *row, const struct node *entry,
         const char *text)
{
    switch (row->fate) {
    case RENAMED:
        (void)set(l, row->other, text, entry);
        return;
    case BOTH:
        if (node_get(l->map, row->other) != NULL || set(l, row->other, text, entry) == 0)
            (void)set(l, row->name, text, entry);
        return;
    case IF_KNOWN:
        if (kafka_properties_kind(l->properties, row->name) != PROPERTY_UNKNOWN) {
            (void)set(l, row->name, text, entry);
            return;
        }
        /* fall through */
    case IGNORED:
        ignore(l, entry, row->why);
        return;
    case REFUSED:
        (void)errors_at(l->errs, entry->key_at, "'%s' %s", entry->key, row->why);
        return;
    case SPECIAL:
        row->take(l, entry, text);
        return;
    }
}

bool
kafka_java_take(struct kafka_loading *l, const struct node *entry)
{
    const struct row *row = find_row(entry->key);
    char             *text;

    if (row == NULL)
        return false;
    text = kafka_property_text(entry, l->map, l->errs);
    if (text != NULL)
        take_row(l, row, entry, text);
    free(text);
    return true;
}

/* ---- Names ----------------------------------------------------------------- */

static const struct alias {
    const char *name, *key;
} aliases[] = {
    { "metadata.broker.list", "bootstrap.servers" },
    { "request.required.acks", "acks" },
    { "max.request.size", "message.max.bytes" },
    { "compression.codec", "compression.type" },
    { "message.timeout.ms", "delivery.timeout.ms" },
    { "queue.buffering.max.ms", "linger.ms" },
    { "allow.auto.create.topics", "create_topics" },
};

enum { NALIASES = sizeof aliases / sizeof *aliases };

const char *
kafka_java_alias(const char *name)
{
    for (size_t i = 0; i < NALIASES; i++)
        if (strcmp(aliases[i].name, name) == 0)
            return aliases[i].key;
    return NULL;
}

size_t
kafka_java_names(const char **names, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < NROWS && n < room; i++)
        if (rows[i].fate != REFUSED)
            names[n++] = rows[i].name;
    for (size_t i = 0; i < NALIASES && n < room; i++)
        names[n++] = aliases[i].name;
    return n;
}
