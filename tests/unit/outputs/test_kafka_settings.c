/* test_kafka_settings.c - every key is taken, translated or refused with its
 * reason and its place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_given.h"

/* ---- Defaults -------------------------------------------------------------- */

static void
the_smallest_configuration_is_safe_and_compressed(void **state)
{
    (void)state;
    when_loaded();
    then_property("bootstrap.servers", "localhost:9092");
    then_property("acks", "-1");
    then_property("enable.idempotence", "true");
    then_property("compression.codec", "lz4");
    then_property("message.max.bytes", "1048588");
    then_property("message.timeout.ms", "0");
    then_property("client.id", "stoker");
    then_property("allow.auto.create.topics", "false");
    then_property("linger.ms", "1");
    assert_int_equal(settings.linger, 5);
    assert_int_equal(settings.send, KAFKA_ASYNC);
    assert_int_equal(settings.on_rejected, REJECTED_DEAD_LETTER);
    assert_null(settings.dead_letter_topic);
    assert_int_equal(settings.partitioner, KAFKA_MURMUR2_RANDOM);
    assert_int_equal(settings.keyless, KAFKA_STICKY);
    assert_int_equal(settings.batch_bytes, 980000);
    assert_int_equal(settings.refresh, 60000);
}

static void
servers_may_be_a_list_or_a_text_with_commas(void **state)
{
    (void)state;
    nentries = 0;
    given_list("bootstrap.servers", "a:1", "b:2, [::1]:3");
    when_loaded();
    then_property("bootstrap.servers", "a:1,b:2,[::1]:3");
}

static void
a_server_with_a_bad_port_is_shown_in_its_place(void **state)
{
    const char *bad[] = { "a:0", "a:65536", "a:x", "a:", ":9092", "", "http://a:1", "a/b:1",
                          "SSL://:1", "ssl://a:0" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nentries = 0;
        given_list("bootstrap.servers", "good:1", bad[i]);
        when_loaded();
        then_refused(40, "host:port");
        tear_down(NULL);
        set_up(NULL);
    }
}

static void
without_servers_there_is_no_output(void **state)
{
    (void)state;
    nentries = 0;
    given("acks", "all");
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.count, 1);
    assert_non_null(strstr(errs.list[0].text, "'bootstrap.servers'"));
    assert_int_equal(errs.list[0].at.line, 9);
}

/* ---- Our own keys ---------------------------------------------------------- */

static void
idempotence_follows_acks_unless_it_contradicts_them(void **state)
{
    (void)state;
    takes("acks", "1", "enable.idempotence", "false");
    takes("acks", "0", "acks", "0");
    takes("acks", "-1", "enable.idempotence", "true");
    takes("enable.idempotence", "false", "enable.idempotence", "false");
    given("acks", "1");
    given("enable.idempotence", "true");
    when_loaded();
    then_refused(AT_VALUE, "needs acks: all");
}

static void
values_are_checked_in_their_place(void **state)
{
    (void)state;
    refuses("acks", "2", AT_VALUE, "'acks' must be");
    refuses("compression.type", "lz5", AT_VALUE, "did you mean 'lz4'");
    refuses("message.max.bytes", "10", AT_VALUE, "between");
    refuses("partitioner", "murmur3", AT_VALUE, "did you mean 'murmur2'");
    refuses("linger.ms", "soon", AT_VALUE, "'linger.ms'");
    refuses("linger.ms", "60001", AT_VALUE, "60000 at most");
    refuses("delivery.timeout.ms", "-1", AT_VALUE, "'delivery.timeout.ms'");
    refuses("delivery.timeout.ms", "5", AT_VALUE, "more than 'linger.ms', which is 5");
    refuses("create_topics", "perhaps", AT_VALUE, "true or false");
}

static void
what_is_not_there_yet_is_refused(void **state)
{
    (void)state;
    refuses("send", "transactional", AT_VALUE, "not supported yet");
    refuses("transactional.id", "x", AT_KEY, "not supported yet");
}

static void
ways_to_send_and_to_reject_go_together_or_not(void **state)
{
    (void)state;
    given("send", "fire_and_forget");
    given("on_rejected", "drop");
    when_loaded();
    assert_int_equal(settings.send, KAFKA_FIRE_AND_FORGET);
    assert_int_equal(settings.on_rejected, REJECTED_DROP);
    tear_down(NULL);
    set_up(NULL);
    given("send", "sync");
    given("on_rejected", "halt");
    when_loaded();
    assert_int_equal(settings.send, KAFKA_SYNC);
    assert_int_equal(settings.on_rejected, REJECTED_HALT);
    tear_down(NULL);
    set_up(NULL);
    given("send", "fire_and_forget");
    given("acks", "1");
    takes("linger.ms", "5", "message.send.max.retries", "0");       /* no duplicates from retries */
    given("send", "fire_and_forget");
    given("acks", "1");
    takes("retries", "3", "message.send.max.retries", "3");
    given("send", "fire_and_forget");
    refuses("on_rejected", "halt", AT_VALUE, "cannot go with 'send: fire_and_forget'");
    given("on_rejected", "drop");
    refuses("dead_letter_topic", "dead", AT_VALUE, "needs 'on_rejected: dead_letter'");
    refuses("dead_letter_topic", "a/b", AT_VALUE, "cannot be a topic");
    refuses("send", "synch", AT_VALUE, "did you mean 'sync'");
}

static void
a_key_serializer_is_for_routes_that_do_not_say(void **state)
{
    (void)state;
    given("key.serializer", "org.apache.kafka.common.serialization.IntegerSerializer");
    when_loaded();
    assert_int_equal(settings.key_serializer, SERIALIZER_INTEGER);
    tear_down(NULL);
    set_up(NULL);
    refuses("value.serializer", "org.apache.kafka.common.serialization.LongSerializer", AT_VALUE,
            "values are made by the routes");
}

static void
times_and_sizes_may_have_units(void **state)
{
    (void)state;
    takes("delivery.timeout.ms", "120000", "message.timeout.ms", "120000");
    takes("delivery.timeout.ms", "2m", "message.timeout.ms", "120000");
    takes("delivery.timeout.ms", "infinite", "message.timeout.ms", "0");
    takes("message.max.bytes", "2MiB", "message.max.bytes", "2097152");
    takes("reconnect.backoff.ms", "1s", "reconnect.backoff.ms", "1000");
    takes("socket.send.buffer.bytes", "64KiB", "socket.send.buffer.bytes", "65536");
    takes("socket.keepalive.enable", "no", "socket.keepalive.enable", "false");
}

static void
the_users_linger_is_the_pause_between_reads(void **state)
{
    (void)state;
    given("linger.ms", "20");
    when_loaded();
    then_property("linger.ms", "1");
    assert_int_equal(settings.linger, 20);
}

static void
a_batch_fits_into_one_request(void **state)
{
    (void)state;
    given("message.max.bytes", "100000");
    when_loaded();
    assert_int_equal(settings.batch_bytes, 98000);
    tear_down(NULL);
    set_up(NULL);
    given("batch.size", "200000");
    given("batch.num.messages", "100");
    when_loaded();
    assert_int_equal(settings.batch_bytes, 196000);
    assert_int_equal(settings.batch_messages, 100);
}

static void
zstd_means_its_first_level(void **state)
{
    (void)state;
    takes("compression.type", "zstd", "compression.level", "1");
    takes("compression.type", "gzip", "compression.level", "-1");
    given("compression.type", "zstd");
    takes("compression.level", "5", "compression.level", "5");
    given("compression.type", "zstd");
    takes("compression.zstd.level", "7", "compression.level", "7");
    given("compression.type", "zstd");
    takes("compression.lz4.level", "9", "compression.level", "1");
}

/* ---- Names of the Java client ---------------------------------------------- */

static void
java_names_are_translated(void **state)
{
    (void)state;
    takes("max.request.size", "500000", "message.max.bytes", "500000");
    takes("metadata.max.age.ms", "30000", "topic.metadata.refresh.interval.ms", "30000");
    takes("request.timeout.ms", "20000", "socket.timeout.ms", "20000");
    takes("request.timeout.ms", "20000", "request.timeout.ms", "20000");
    takes("timeout.ms", "15000", "request.timeout.ms", "15000");
    takes("receive.buffer.bytes", "65536", "socket.receive.buffer.bytes", "65536");
    takes("receive.buffer.bytes", "-1", "socket.receive.buffer.bytes", "0");
    takes("send.buffer.bytes", "-1", "socket.send.buffer.bytes", "0");
    takes("connections.max.idle.ms", "-1", "connections.max.idle.ms", "0");
    takes("ssl.endpoint.identification.algorithm", "", "ssl.endpoint.identification.algorithm",
          "none");
    takes("security.protocol", "SSL", "security.protocol", "ssl");
    takes("compression.codec", "gzip", "compression.codec", "gzip");
    takes("request.required.acks", "1", "acks", "1");
    takes("allow.auto.create.topics", "true", "allow.auto.create.topics", "true");
    takes("message.timeout.ms", "5000", "message.timeout.ms", "5000");
    given("queue.buffering.max.ms", "30");
    when_loaded();
    assert_int_equal(settings.linger, 30);
    tear_down(NULL);
    set_up(NULL);
    nentries = 0;
    takes("metadata.broker.list", "a:1,b:2", "bootstrap.servers", "a:1,b:2");
}

static void
buffer_memory_is_what_the_agent_may_hold(void **state)
{
    (void)state;
    when_loaded();
    assert_int_equal(settings.memory, 0);
    tear_down(NULL);
    set_up(NULL);
    given("buffer.memory", "33554432");
    when_loaded();
    assert_true(loaded);
    assert_int_equal(settings.memory, 33554432);
}

/* librdkafka would take the digits before the first letter, octal and hexadecimal numbers, and
 * cut off the high bits. */
static void
a_number_is_a_whole_decimal_number_in_its_range(void **state)
{
    (void)state;
    takes("retries", "2147483647", "message.send.max.retries", "2147483647");
    takes("retries", "010", "message.send.max.retries", "10");
    refuses("retries", "2147483648", AT_VALUE, "0 .. 2147483647");
    refuses("retries", "99999999999", AT_VALUE, "0 .. 2147483647");
    refuses("retries", "99999999999999999999999", AT_VALUE, "0 .. 2147483647");
    refuses("retries", "12abc", AT_VALUE, "0 .. 2147483647");
    refuses("retries", "0x10", AT_VALUE, "0 .. 2147483647");
    refuses("retries", "1.5", AT_VALUE, "0 .. 2147483647");
    refuses("batch.size", "1e6", AT_VALUE, "1 .. 2147483647");
    refuses("batch.size", "5000000000", AT_VALUE, "1 .. 2147483647");
    refuses("batch.num.messages", "4294967297", AT_VALUE, "1 .. 1000000");
}

static void
names_that_mean_the_same_pass(void **state)
{
    (void)state;
    takes("client.rack", "r1", "client.rack", "r1");
    takes("retries", "5", "message.send.max.retries", "5");
    takes("retry.backoff.ms", "250", "retry.backoff.ms", "250");
    takes("reconnect.backoff.max.ms", "5000", "reconnect.backoff.max.ms", "5000");
    takes("connections.max.idle.ms", "60000", "connections.max.idle.ms", "60000");
    takes("socket.connection.setup.timeout.ms", "10000", "socket.connection.setup.timeout.ms",
          "10000");
    takes("max.in.flight.requests.per.connection", "3", "max.in.flight", "3");
    takes("batch.size", "500000", "batch.size", "500000");
    takes("batch.size", "16384", "batch.size", "16384");
    takes("sasl.kerberos.service.name", "broker", "sasl.kerberos.service.name", "broker");
    takes("sasl.mechanism", "PLAIN", "sasl.mechanism", "PLAIN");
    takes("debug", "broker,topic", "debug", "broker,topic");
}

static void
partitioner_classes_become_our_ways(void **state)
{
    (void)state;
    given("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner");
    when_loaded();
    assert_int_equal(settings.partitioner, KAFKA_ROUND_ROBIN);
    tear_down(NULL);
    set_up(NULL);
    given("partitioner.class", "org.apache.kafka.clients.producer.UniformStickyPartitioner");
    when_loaded();
    assert_true(settings.ignore_keys);
    tear_down(NULL);
    set_up(NULL);
    refuses("partitioner.class", "com.example.Mine", AT_VALUE, "cannot be run here");
    refuses("partitioner.class", "com.example.RoundRobinPartitioner", AT_VALUE,
            "cannot be run here");
    given("partitioner.ignore.keys", "true");
    when_loaded();
    assert_true(settings.ignore_keys);
    tear_down(NULL);
    set_up(NULL);
    given("partitioner.class", "UniformStickyPartitioner");
    given("partitioner.ignore.keys", "false");      /* of no account beside a class, as in Java */
    when_loaded();
    assert_true(settings.ignore_keys);
}

/* Not all of them to the partition of an empty key. */
static void
records_whose_keys_are_ignored_are_keyless_with_every_partitioner(void **state)
{
    static const char *const strict[] = { "murmur2", "consistent", "fnv1a" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        given("partitioner", strict[i]);
        given("partitioner.ignore.keys", "true");
        when_loaded();
        assert_true(loaded && settings.ignore_keys);
        assert_int_equal(settings.partitioner, KAFKA_MURMUR2_RANDOM);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void
names_without_meaning_here_are_let_pass(void **state)
{
    static const char *const names[] = {
        "client.dns.lookup", "retry.backoff.max.ms", "metadata.fetch.timeout.ms", "max.block.ms",
        "partitioner.adaptive.partitioning.enable", "partitioner.availability.timeout.ms",
        "interceptor.classes", "metric.reporters", "metrics.num.samples",
        "metrics.recording.level", "metrics.sample.window.ms", "auto.include.jmx.reporter",
        "security.providers", "metadata.max.idle.ms", "metadata.recovery.strategy",
        "socket.connection.setup.timeout.max.ms", "enable.metrics.push", "ssl.provider",
        "ssl.keymanager.algorithm", "ssl.trustmanager.algorithm",
        "ssl.secure.random.implementation", "sasl.login.refresh.window.factor",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        takes(names[i], "1", "client.id", "stoker");
    takes("block.on.buffer.full", "true", "client.id", "stoker");
    takes("key.serializer", "org.apache.kafka.common.serialization.StringSerializer", "client.id",
          "stoker");
    takes("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer",
          "client.id", "stoker");
    takes("value.serializer.encoding", "UTF8", "client.id", "stoker");
    takes("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", "client.id", "stoker");
    takes("ssl.protocol", "TLSv1.3", "client.id", "stoker");
}

static void
what_cannot_be_honoured_says_why(void **state)
{
    (void)state;
    refuses("buffer.memory", "4194303", AT_VALUE, "'memory' of the section 'agent'");
    refuses("buffer.memory", "much", AT_VALUE, "must be a size");
    refuses("block.on.buffer.full", "false", AT_VALUE, "can only be true");
    refuses("key.serializer", "io.confluent.KafkaAvroSerializer", AT_VALUE, "class of Kafka's");
    refuses("value.serializer.encoding", "UTF-16", AT_VALUE, "only be UTF-8");
    refuses("ssl.truststore.location", "/x/trust.jks", AT_VALUE, "ssl.ca.location");
    refuses("ssl.truststore.type", "JKS", AT_VALUE, "PEM");
    refuses("ssl.keystore.location", "/x/key.jks", AT_VALUE, "PKCS#12");
    refuses("ssl.keystore.type", "JKS", AT_VALUE, "PKCS12");
    refuses("ssl.enabled.protocols", "TLSv1.3", AT_VALUE, "openssl.cnf");
    refuses("ssl.cipher.suites", "TLS_AES_256_GCM_SHA384", AT_VALUE, "OpenSSL's names");
    refuses("ssl.engine.factory.class", "x.Y", AT_KEY, "Java class");
    refuses("sasl.login.callback.handler.class", "x.Y", AT_KEY, "Java class");
    refuses("config.providers", "file", AT_KEY, "${file:PATH}");
    refuses("sasl.mechanism", "OAUTHBEARER", AT_VALUE, "oidc");
}

/* Every property of the Java producer (3.9 and 4.x) that no other test here has: what
 * becomes of it.  `name` NULL: nothing, it is let pass; `result` is then not used. */
static void
every_property_of_the_java_producer_is_known(void **state)
{
    static const struct { const char *key, *value, *name, *result; } rows[] = {
        { "client.id", "shop", "client.id", "shop" },
        { "acks", "all", "acks", "-1" },
        { "compression.type", "snappy", "compression.codec", "snappy" },
        { "compression.gzip.level", "9", "compression.level", "-1" },   /* lz4 is in use */
        { "compression.lz4.level", "9", "compression.level", "9" },
        { "enable.idempotence", "true", "enable.idempotence", "true" },
        { "max.in.flight.requests.per.connection", "5", "max.in.flight", "5" },
        { "delivery.timeout.ms", "120000", "message.timeout.ms", "120000" },
        { "linger.ms", "5", "linger.ms", "1" },
        { "max.request.size", "1048576", "message.max.bytes", "1048576" },
        { "reconnect.backoff.ms", "50", "reconnect.backoff.ms", "50" },
        { "reconnect.backoff.max.ms", "1000", "reconnect.backoff.max.ms", "1000" },
        { "retries", "2147483647", "message.send.max.retries", "2147483647" },
        { "send.buffer.bytes", "131072", "socket.send.buffer.bytes", "131072" },
        { "metadata.recovery.rebootstrap.trigger.ms", "300000", NULL, NULL },
        { "partitioner.class",
          "org.apache.kafka.clients.producer.internals.DefaultPartitioner", NULL, NULL },
        { "key.serializer.encoding", "utf-8", NULL, NULL },
        { "serializer.encoding", "UTF8", NULL, NULL },
        { "key.serializer", "org.apache.kafka.common.serialization.UUIDSerializer", NULL, NULL },
        { "sasl.kerberos.kinit.cmd", "/usr/bin/kinit", "sasl.kerberos.kinit.cmd",
          "/usr/bin/kinit" },
        { "sasl.kerberos.min.time.before.relogin", "60000",
          "sasl.kerberos.min.time.before.relogin", "60000" },
        { "sasl.kerberos.ticket.renew.window.factor", "0.8", NULL, NULL },
        { "sasl.kerberos.ticket.renew.jitter", "0.05", NULL, NULL },
        { "sasl.login.refresh.window.jitter", "0.05", NULL, NULL },
        { "sasl.login.refresh.min.period.seconds", "60", NULL, NULL },
        { "sasl.login.refresh.buffer.seconds", "300", NULL, NULL },
        { "sasl.login.connect.timeout.ms", "1", NULL, NULL },
        { "sasl.login.read.timeout.ms", "1", NULL, NULL },
        { "sasl.login.retry.backoff.ms", "100", NULL, NULL },
        { "sasl.login.retry.backoff.max.ms", "10000", NULL, NULL },
        { "security.protocol", "PLAINTEXT", "security.protocol", "plaintext" },
        { "ssl.endpoint.identification.algorithm", "https",
          "ssl.endpoint.identification.algorithm", "https" },
        { "ssl.cipher.suites", "ECDHE-RSA-AES256-GCM-SHA384", "ssl.cipher.suites",
          "ECDHE-RSA-AES256-GCM-SHA384" },
        { "ssl.truststore.type", "PEM", NULL, NULL },
        { "ssl.keystore.type", "PKCS12", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        takes(rows[i].key, rows[i].value, rows[i].name != NULL ? rows[i].name : "client.rack",
              rows[i].name != NULL ? rows[i].result : "");
}

static void
properties_of_the_java_producer_that_cannot_be_say_why(void **state)
{
    static const struct { const char *key, *value; unsigned column; const char *part; } no[] = {
        { "transaction.timeout.ms", "60000", AT_KEY, "not supported yet" },
        { "serializer.encoding", "latin1", AT_VALUE, "only be UTF-8" },
        { "key.serializer.encoding", "latin1", AT_VALUE, "only be UTF-8" },
        { "value.serializer", "org.example.Mine", AT_VALUE, "made by the routes" },
        { "sasl.login.class", "x.Y", AT_KEY, "Java class" },
        { "sasl.client.callback.handler.class", "x.Y", AT_KEY, "Java class" },
        { "sasl.oauthbearer.jwks.endpoint.url", "http://x", AT_KEY, "not supported by librdkafka" },
        { "sasl.oauthbearer.scope.claim.name", "x", AT_KEY, "not supported by librdkafka" },
        { "sasl.oauthbearer.sub.claim.name", "x", AT_KEY, "not supported by librdkafka" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        refuses(no[i].key, no[i].value, no[i].column, no[i].part);
}

static void
certificates_written_into_the_configuration_are_taken(void **state)
{
    static const char *const names[][3] = {
        { "ssl.truststore.certificates", "ssl.ca.pem", "-----BEGIN A-----" },
        { "ssl.keystore.certificate.chain", "ssl.certificate.pem", "-----BEGIN B-----" },
        { "ssl.keystore.key", "ssl.key.pem", "-----BEGIN C-----" },
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        (void)given(names[i][0], names[i][2]);
    when_loaded();
    for (size_t i = 0; i < 3; i++) {
        char text[100] = "";

        assert_true(loaded && kafka_settings_get(&settings, names[i][1], text, sizeof text));
    }
}

static void
properties_of_the_design_are_not_the_users(void **state)
{
    static const char *const names[] = {
        "queue.buffering.max.messages", "queue.buffering.max.kbytes",
        "queue.buffering.backpressure.threshold", "queuing.strategy",
        "sticky.partitioning.linger.ms", "enable.gapless.guarantee", "delivery.report.only.error",
        "produce.offset.report", "builtin.features", "statistics.interval.ms", "log.queue",
        "enabled_events", "opaque", "msg_order_cmp",
        "default_topic_conf", "interceptors", "dr_msg_cb", "dr_cb", "error_cb", "log_cb",
        "partitioner_cb", "socket_cb",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuses(names[i], "1", AT_KEY, names[i]);
}

static void
a_consumers_property_is_told_apart_from_an_unknown_one(void **state)
{
    (void)state;
    refuses("group.id", "g", AT_KEY, "consumer's property");
    refuses("auto.offset.reset", "earliest", AT_KEY, "consumer's property");
    refuses("compresion.type", "lz4", AT_KEY, "did you mean 'compression.type'");
    refuses("sasl.usrname", "x", AT_KEY, "did you mean 'sasl.username'");
    refuses("max.reqest.size", "1", AT_KEY, "did you mean 'max.request.size'");
    refuses("zzzzzzzz", "1", AT_KEY, "output 'main' has no setting 'zzzzzzzz'");
}

static void
values_of_properties_are_checked_in_their_place(void **state)
{
    (void)state;
    refuses("socket.timeout.ms", "1", AT_VALUE, "10 .. 300000");
    refuses("socket.timeout.ms", "abc", AT_VALUE, "10 .. 300000");
    refuses("security.protocol", "tls", AT_VALUE, "sasl_ssl");
    refuses("socket.nagle.disable", "2x", AT_VALUE, "true, false");
    refuses("compression.level", "13", AT_VALUE, "12");
    refuses("compression.lz4.level", "17", AT_VALUE, "-1 .. 12");
    refuses("compression.gzip.level", "best", AT_VALUE, "must be a number");    /* not in use */
}

/* Which of them would count? */
static void
two_spellings_of_one_setting_are_a_mistake(void **state)
{
    static const char *const both[][4] = {
        { "message.max.bytes", "5000", "max.request.size", "5000" },
        { "retries", "3", "message.send.max.retries", "5" },
        { "message.send.max.retries", "3", "retries", "5" },
        { "max.in.flight.requests.per.connection", "1", "max.in.flight", "5" },
        { "sasl.mechanism", "PLAIN", "sasl.mechanisms", "PLAIN" },
        { "receive.buffer.bytes", "65536", "socket.receive.buffer.bytes", "65536" },
        { "topic.metadata.refresh.interval.ms", "5000", "metadata.max.age.ms", "5000" },
        { "request.timeout.ms", "5000", "timeout.ms", "5000" },
        { "compression.level", "5", "compression.lz4.level", "9" },
    };
    char part[100];

    (void)state;
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        given(both[i][0], both[i][1]);
        snprintf(part, sizeof part, "'%s' is the same setting as '%s'", both[i][2], both[i][0]);
        refuses(both[i][2], both[i][3], AT_KEY, part);
    }
    given("partitioner", "murmur2");
    refuses("partitioner.class", "RoundRobinPartitioner", AT_KEY, "beside 'partitioner'");
}

/* Java's means both times, librdkafka's one of them: who writes both means librdkafka's. */
static void
a_time_out_of_both_clients_yields_to_what_is_said_besides(void **state)
{
    (void)state;
    given("request.timeout.ms", "20000");
    takes("socket.timeout.ms", "60000", "socket.timeout.ms", "60000");
    given("socket.timeout.ms", "60000");
    takes("request.timeout.ms", "20000", "socket.timeout.ms", "60000");
    given("socket.timeout.ms", "60000");
    takes("request.timeout.ms", "20000", "request.timeout.ms", "20000");
}

/* The client's own limit would be in the way of a pause that is longer. */
static void
a_longer_first_pause_between_connections_is_the_longest_too(void **state)
{
    (void)state;
    takes("reconnect.backoff.ms", "1s", "reconnect.backoff.max.ms", "2000");
    takes("reconnect.backoff.ms", "5s", "reconnect.backoff.max.ms", "5000");
    given("reconnect.backoff.ms", "5000");
    takes("reconnect.backoff.max.ms", "8000", "reconnect.backoff.max.ms", "8000");
}

/* Which librdkafka would leave out, so that "no brokers" were left. */
static void
a_protocol_before_a_server_is_that_of_the_output(void **state)
{
    static const struct { const char *server, *protocol; bool good; } cases[] = {
        { "SSL://a:1", NULL, false }, { "plaintext://a:1", NULL, true },
        { "SSL://a:1", "ssl", true }, { "SSL://a", "sasl_ssl", false },
        { "PLAINTEXT://a:1", "SSL", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nentries = 0;
        given_list("bootstrap.servers", "good:1", cases[i].server);
        if (cases[i].protocol != NULL) {
            given("security.protocol", cases[i].protocol);
            entries[1].at.line = entries[0].at.line;
        }
        if (cases[i].protocol != NULL && strcmp(cases[i].protocol, "sasl_ssl") == 0)
            given("sasl.kerberos.keytab", "/etc/hostname");
        when_loaded();
        assert_int_equal(loaded, cases[i].good);
        assert_int_equal(errs.count, cases[i].good ? 0 : 1);
        if (!cases[i].good) {
            assert_non_null(strstr(errs.list[0].text, "otherwise than security.protocol"));
            assert_int_equal(errs.list[0].at.line, 10);
            assert_int_equal(errs.list[0].at.column, 40);
        }
        tear_down(NULL);
        set_up(NULL);
    }
}

static void
properties_that_do_not_go_together_are_found_at_load(void **state)
{
    (void)state;
    refuses("retries", "0", AT_VALUE, "when `enable.idempotence` is true");
    refuses("message.send.max.retries", "0", AT_VALUE, "when `enable.idempotence` is true");
    given("enable.idempotence", "true");
    refuses("retries", "0", AT_VALUE, "when `enable.idempotence` is true");
    refuses("max.in.flight", "6", AT_VALUE, "max.in.flight");
    refuses("max.in.flight.requests.per.connection", "6", AT_VALUE, "max.in.flight");
    refuses("ssl.ca.location", "/does/not/exist.pem", AT_VALUE, "'/does/not/exist.pem'");
    given("security.protocol", "ssl");
    refuses("ssl.ca.location", "/etc/hostname", AT_VALUE, "ssl.ca.location");
    takes("ssl.ca.location", "probe", "ssl.ca.location", "probe");      /* not a file */
}

static void
every_mistake_is_told_not_only_the_first(void **state)
{
    (void)state;
    given("acks", "7");
    given("group.id", "g");
    given("socket.timeout.ms", "0");
    given("nonsense.key", "0");
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.count, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_smallest_configuration_is_safe_and_compressed),
        TEST(servers_may_be_a_list_or_a_text_with_commas),
        TEST(a_server_with_a_bad_port_is_shown_in_its_place),
        TEST(without_servers_there_is_no_output),
        TEST(idempotence_follows_acks_unless_it_contradicts_them),
        TEST(values_are_checked_in_their_place),
        TEST(what_is_not_there_yet_is_refused),
        TEST(ways_to_send_and_to_reject_go_together_or_not),
        TEST(a_key_serializer_is_for_routes_that_do_not_say),
        TEST(times_and_sizes_may_have_units),
        TEST(the_users_linger_is_the_pause_between_reads),
        TEST(a_batch_fits_into_one_request),
        TEST(zstd_means_its_first_level),
        TEST(java_names_are_translated),
        TEST(buffer_memory_is_what_the_agent_may_hold),
        TEST(a_number_is_a_whole_decimal_number_in_its_range),
        TEST(names_that_mean_the_same_pass),
        TEST(partitioner_classes_become_our_ways),
        TEST(records_whose_keys_are_ignored_are_keyless_with_every_partitioner),
        TEST(names_without_meaning_here_are_let_pass),
        TEST(what_cannot_be_honoured_says_why),
        TEST(every_property_of_the_java_producer_is_known),
        TEST(properties_of_the_java_producer_that_cannot_be_say_why),
        TEST(certificates_written_into_the_configuration_are_taken),
        TEST(properties_of_the_design_are_not_the_users),
        TEST(a_consumers_property_is_told_apart_from_an_unknown_one),
        TEST(values_of_properties_are_checked_in_their_place),
        TEST(two_spellings_of_one_setting_are_a_mistake),
        TEST(a_time_out_of_both_clients_yields_to_what_is_said_besides),
        TEST(a_longer_first_pause_between_connections_is_the_longest_too),
        TEST(a_protocol_before_a_server_is_that_of_the_output),
        TEST(properties_that_do_not_go_together_are_found_at_load),
        TEST(every_mistake_is_told_not_only_the_first),
    };

    return cmocka_run_group_tests_name("kafka_settings", tests, NULL, NULL);
}
