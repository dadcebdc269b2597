/* test_kafka_errors.c - every mistake in a connection is told in the user's words.
 *
 * Codes and texts are those that librdkafka 2.0.2 gave against Kafka.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "outputs/kafka_errors.h"

#define TRANSPORT RD_KAFKA_RESP_ERR__TRANSPORT
#define SSL_FAILED RD_KAFKA_RESP_ERR__SSL
#define LOGIN RD_KAFKA_RESP_ERR__AUTHENTICATION

static const struct heard {
    rd_kafka_resp_err_t err;
    const char         *text;
    enum kafka_trouble  trouble;
    const char         *advice;
} heard[] = {
    { LOGIN, "SASL authentication error: Authentication failed: Invalid username or password",
      TROUBLE_LOGIN, "sasl.password" },
    { LOGIN, "SASL authentication error: Authentication failed during authentication due to "
      "invalid credentials with SASL mechanism SCRAM-SHA-256", TROUBLE_LOGIN, "2.6.1" },
    { LOGIN, "SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported SASL mechanism",
      TROUBLE_LOGIN, "sasl.mechanism" },
    { LOGIN, "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL "
      "state: broker's supported mechanisms: ", TROUBLE_LOGIN, "PLAINTEXT or SSL" },
    { SSL_FAILED, "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: "
      "broker certificate could not be verified", TROUBLE_CERTIFICATE, "ssl.ca.location" },
    { TRANSPORT, "ssl://h:9093: SSL routines::certificate verify failed", TROUBLE_CERTIFICATE,
      "names the host" },
    { TRANSPORT, "Disconnected: sslv3 alert bad certificate: SSL alert number 42",
      TROUBLE_CLIENT, "ssl.certificate.location" },
    { TRANSPORT, "Receive failed: SSL routines::sslv3 alert certificate unknown: SSL alert number "
      "46", TROUBLE_CLIENT, "who signed it" },
    { TRANSPORT, "Receive failed: SSL routines::tlsv13 alert certificate required: SSL alert "
      "number 116", TROUBLE_CLIENT, "ssl.key.location" },
    { SSL_FAILED, "SSL handshake failed: SSL routines::tlsv1 alert unknown ca: SSL alert number 48",
      TROUBLE_CLIENT, "ssl.certificate.location" },
    { SSL_FAILED, "SSL handshake failed: SSL routines::wrong version number: connecting to a "
      "PLAINTEXT broker listener?", TROUBLE_NOT_TLS, "port" },
    { SSL_FAILED, "SSL handshake failed: SSL routines::no protocols available", TROUBLE_OTHER,
      "ssl.*" },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "SASL Authentication failed", TROUBLE_LOGIN,
      "sasl.password" },
    { TRANSPORT, "Disconnected while requesting ApiVersion: might be caused by incorrect "
      "security.protocol configuration", TROUBLE_NEEDS_TLS, "security.protocol" },
    { TRANSPORT, "Disconnected: verify that security.protocol is correctly configured, broker "
      "might require SASL authentication", TROUBLE_NEEDS_LOGIN, "SASL" },
    { SSL_FAILED, "SSL handshake failed: SSL routines::unexpected eof while reading",
      TROUBLE_NOT_TLS, "port" },
    { TRANSPORT, "Connect to ipv4#127.0.0.1:1 failed: Connection refused", TROUBLE_REFUSED,
      "bootstrap.servers" },
    { TRANSPORT, "Connect to ipv4#192.0.2.1:9092 failed: No route to host", TROUBLE_REFUSED,
      "bootstrap.servers" },
    { TRANSPORT, "Connection setup timed out in state CONNECT", TROUBLE_REFUSED, "firewall" },
    { RD_KAFKA_RESP_ERR__RESOLVE, "Failed to resolve 'nosuch:9092'", TROUBLE_RESOLVE, "DNS" },
    { TRANSPORT, "Failed to resolve 'inside:9092'", TROUBLE_RESOLVE, "advertised.listeners" },
    { RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down", TROUBLE_DOWN, "wait" },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed",
      TROUBLE_OTHER, "IdempotentWrite" },
};

static void
every_mistake_has_its_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        const struct kafka_advice a = kafka_errors_judge(heard[i].err, heard[i].text, false);

        assert_int_equal(a.trouble, heard[i].trouble);
        assert_non_null(strstr(a.advice, heard[i].advice));
        assert_int_equal(a.advice[0], ' ');
        assert_int_equal(a.advice[1], '(');
        assert_int_equal(a.advice[strlen(a.advice) - 1], ')');
    }
}

static void
once_a_connection_worked_a_mere_loss_does_not_blame_the_configuration(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        if (heard[i].trouble == TROUBLE_NEEDS_LOGIN || heard[i].trouble == TROUBLE_NEEDS_TLS ||
            (heard[i].trouble == TROUBLE_REFUSED && heard[i].err == TRANSPORT)) {
            const struct kafka_advice a = kafka_errors_judge(heard[i].err, heard[i].text, true);

            assert_int_equal(a.trouble, TROUBLE_LOST);
            assert_string_equal(a.advice, "");
        }
}

static void
a_wrong_password_is_told_even_after_a_connection_worked(void **state)
{
    (void)state;
    assert_int_equal(kafka_errors_judge(LOGIN, heard[0].text, true).trouble, TROUBLE_LOGIN);
}

static void
a_certificate_that_is_not_trusted_is_told_with_its_reason(void **state)
{
    static const char *const text = "certificate verify failed";
    const int      authority = 20, expired = 10, other_host = 62, nobody_knows = 4711;
    const struct { int why; const char *advice; } cases[] = {
        { authority, "(check ssl.ca.location)" }, { expired, "renew" },
        { other_host, "bootstrap.servers" }, { nobody_knows, "ssl.ca.location, and that" },
        { 0, "ssl.ca.location, and that" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct kafka_advice a = kafka_errors_explain(SSL_FAILED, text, false, cases[i].why);

        assert_int_equal(a.trouble, TROUBLE_CERTIFICATE);
        assert_non_null(strstr(a.advice, cases[i].advice));
    }
    assert_int_equal(kafka_errors_explain(LOGIN, "", false, other_host).trouble, TROUBLE_LOGIN);
}

static void
a_broker_that_does_not_answer_is_no_unknown_error(void **state)
{
    const struct kafka_advice a =
        kafka_errors_judge(RD_KAFKA_RESP_ERR__TIMED_OUT, "127.0.0.1:9092/3: 1 request(s) timed "
                           "out: disconnect (after 5166ms in state UP)", true);

    (void)state;
    assert_int_equal(a.trouble, TROUBLE_LOST);
    assert_non_null(strstr(a.text, "does not answer"));
}

static void
what_is_not_known_is_told_as_it_is(void **state)
{
    const struct kafka_advice a = kafka_errors_judge(RD_KAFKA_RESP_ERR__IN_PROGRESS, "x", false);

    (void)state;
    assert_int_equal(a.trouble, TROUBLE_OTHER);
    assert_string_equal(a.advice, "");
}

static void
only_what_lies_in_a_message_is_its_fault(void **state)
{
    (void)state;
    assert_true(kafka_errors_fault(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
    assert_true(kafka_errors_fault(RD_KAFKA_RESP_ERR_INVALID_RECORD));
    assert_true(kafka_errors_fault(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR__PURGE_QUEUE));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
    assert_false(kafka_errors_fault(RD_KAFKA_RESP_ERR_UNKNOWN));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_advice),
        cmocka_unit_test(once_a_connection_worked_a_mere_loss_does_not_blame_the_configuration),
        cmocka_unit_test(a_wrong_password_is_told_even_after_a_connection_worked),
        cmocka_unit_test(a_certificate_that_is_not_trusted_is_told_with_its_reason),
        cmocka_unit_test(a_broker_that_does_not_answer_is_no_unknown_error),
        cmocka_unit_test(what_is_not_known_is_told_as_it_is),
        cmocka_unit_test(only_what_lies_in_a_message_is_its_fault),
    };

    return cmocka_run_group_tests_name("kafka_errors", tests, NULL, NULL);
}
