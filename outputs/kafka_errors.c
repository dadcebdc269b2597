/* kafka_errors.c - see kafka_errors.h.
 *
 * The same mistake comes under several codes, and the same code for several
 * mistakes: both code and text have to be looked at.  The first row that fits
 * counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_errors.h"

#include <stddef.h>
#include <string.h>

#define ANY_CODE RD_KAFKA_RESP_ERR_NO_ERROR

/* `only_new`: once a connection has worked it means nothing. */
static const struct row {
    rd_kafka_resp_err_t err;
    const char         *part;       /* of the text; "" fits every one */
    bool                only_new;
    struct kafka_advice advice;
} rows[] = {
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, "not valid in current SASL state", false, { TROUBLE_LOGIN,
      "the broker wants no login there",
      " (check security.protocol, PLAINTEXT or SSL, and the port)" } },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, "handshake failed", false, { TROUBLE_LOGIN,
      "the brokers refuse the login",
      " (check sasl.mechanism: the listener offers others)" } },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, "SCRAM", false, { TROUBLE_LOGIN,
      "the brokers refuse the login",
      " (check sasl.username and sasl.password; librdkafka before 2.6.1 cannot use SCRAM with "
      "Kafka 4)" } },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, "", false, { TROUBLE_LOGIN,
      "the brokers refuse the login", " (check sasl.username and sasl.password)" } },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "", false, { TROUBLE_LOGIN,
      "the brokers refuse the login", " (check sasl.username and sasl.password)" } },
    { ANY_CODE, "certificate verify failed", false, { TROUBLE_CERTIFICATE,
      "the broker's certificate is not trusted",
      " (check ssl.ca.location, and that the certificate names the host in bootstrap.servers)" } },
    { ANY_CODE, "alert bad certificate", false, { TROUBLE_CLIENT,
      "the broker wants a client certificate",
      " (set ssl.certificate.location and ssl.key.location)" } },
    { ANY_CODE, "certificate required", false, { TROUBLE_CLIENT,
      "the broker wants a client certificate",
      " (set ssl.certificate.location and ssl.key.location)" } },
    { ANY_CODE, "alert unknown ca", false, { TROUBLE_CLIENT,
      "the broker does not trust our certificate",
      " (check ssl.certificate.location)" } },
    { ANY_CODE, "alert certificate ", false, { TROUBLE_CLIENT,      /* unknown, expired, revoked */
      "the broker does not take our certificate",
      " (check ssl.certificate.location: who signed it, and until when it is good)" } },
    { RD_KAFKA_RESP_ERR__RESOLVE, "", false, { TROUBLE_RESOLVE,
      "a broker's host name cannot be resolved",
      " (check bootstrap.servers and the DNS, and the brokers' advertised.listeners)" } },
    { ANY_CODE, "Failed to resolve", false, { TROUBLE_RESOLVE,
      "a broker's host name cannot be resolved",
      " (check bootstrap.servers and the DNS, and the brokers' advertised.listeners)" } },
    { ANY_CODE, "broker might require SASL", true, { TROUBLE_NEEDS_LOGIN,
      "the broker ends the connection, as if it wanted a login",
      " (check security.protocol: SASL_PLAINTEXT or SASL_SSL)" } },
    { ANY_CODE, "incorrect security.protocol", true, { TROUBLE_NEEDS_TLS,
      "the broker ends the connection, as if it wanted TLS",
      " (check security.protocol: SSL or SASL_SSL)" } },
    { ANY_CODE, "unexpected eof while reading", true, { TROUBLE_NOT_TLS,
      "the broker ends the connection, as if it did not speak TLS",
      " (check security.protocol and the port)" } },
    { ANY_CODE, "wrong version number", true, { TROUBLE_NOT_TLS,
      "the broker does not speak TLS", " (check security.protocol and the port)" } },
    { ANY_CODE, "Connect to ", true, { TROUBLE_REFUSED,     /* refused, no route, ... */
      "a broker cannot be reached",
      " (check bootstrap.servers, and that the broker runs)" } },
    { ANY_CODE, "Connection setup timed out", true, { TROUBLE_REFUSED,
      "a broker does not answer",
      " (check bootstrap.servers, security.protocol and the firewall)" } },
    { ANY_CODE, "Connect to ", false, { TROUBLE_LOST, "a broker cannot be reached", "" } },
    { ANY_CODE, "Connection setup timed out", false, { TROUBLE_LOST,
      "a broker does not answer", "" } },
    { RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "", false, { TROUBLE_DOWN,
      "no broker can be reached", " (records wait; nothing is lost)" } },
    { RD_KAFKA_RESP_ERR__TIMED_OUT, "timed out", false, { TROUBLE_LOST,
      "a broker does not answer", "" } },
    { RD_KAFKA_RESP_ERR__TRANSPORT, "", false, { TROUBLE_LOST,
      "a connection was lost", "" } },
    { RD_KAFKA_RESP_ERR__SSL, "", false, { TROUBLE_OTHER,
      "TLS failed", " (check the ssl.* settings)" } },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "", false, { TROUBLE_OTHER,
      "the cluster refuses an idempotent producer",
      " (grant IdempotentWrite on the cluster, or set enable.idempotence: false)" } },
    { RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, "", false, { TROUBLE_OTHER,
      "the brokers lack something that is configured", "" } },
};

struct kafka_advice
kafka_errors_judge(rd_kafka_resp_err_t err, const char *text, bool worked)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];

        if (row->only_new && worked)
            continue;
        if ((row->err == ANY_CODE || row->err == err) && strstr(text, row->part) != NULL)
            return row->advice;
    }
    return (struct kafka_advice){ TROUBLE_OTHER, "the client reports an error", "" };
}

/* ---- Certificates ---------------------------------------------------------- */

static const char *const not_trusted = "the broker's certificate is signed by an authority that "
                                       "is not trusted";
static const char *const check_ca = " (check ssl.ca.location)";

/* By the numbers of OpenSSL (x509_vfy.h); the library itself is librdkafka's only. */
static const struct reason {
    int         why;
    const char *text, *advice;
} reasons[] = {
    { 2,  not_trusted, check_ca },
    { 9,  "the broker's certificate is not valid yet", " (check this host's clock)" },
    { 10, "the broker's certificate has expired", " (renew it, or check this host's clock)" },
    { 18, not_trusted, check_ca },
    { 19, not_trusted, check_ca },
    { 20, not_trusted, check_ca },
    { 21, not_trusted, check_ca },
    { 62, "the broker's certificate is for another host",
      " (use a name that the certificate has in bootstrap.servers, and check the brokers' "
      "advertised.listeners)" },
    { 64, "the broker's certificate is for another host, not for this address",
      " (use a name that the certificate has in bootstrap.servers, and check the brokers' "
      "advertised.listeners)" },
};

/* On a thread of librdkafka. */
static int
note_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *why, int depth,
                 const char *bytes, size_t size, char *text, size_t room, void *opaque)
{
    (void)rk, (void)broker, (void)id, (void)depth, (void)bytes, (void)size, (void)text, (void)room;
    if (*why != 0)
        atomic_store((_Atomic int *)opaque, *why);
    return *why == 0;
}

void
kafka_errors_watch(rd_kafka_conf_t *conf, _Atomic int *why)
{
    rd_kafka_conf_set_opaque(conf, why);
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, note_certificate);     /* no TLS: no need */
}

struct kafka_advice
kafka_errors_explain(rd_kafka_resp_err_t err, const char *text, bool worked, int why)
{
    struct kafka_advice advice = kafka_errors_judge(err, text, worked);

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (advice.trouble == TROUBLE_CERTIFICATE && reasons[i].why == why)
            return (struct kafka_advice){ TROUBLE_CERTIFICATE, reasons[i].text,
                                          reasons[i].advice };
    return advice;
}

/* ---- Faults of a message --------------------------------------------------- */

static const struct fault {
    rd_kafka_resp_err_t err;
    const char         *reason;
} faults[] = {
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "the broker refuses it: too large for the topic" },
    { RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, "the broker refuses it: too large for a segment" },
    { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, "the broker refuses it: invalid size" },
    { RD_KAFKA_RESP_ERR_INVALID_MSG, "the broker refuses it: corrupt, or no key for a compacted "
                                     "topic" },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, "the broker refuses it: invalid record (a topic "
                                      "that is compacted takes none without key)" },
    { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "the broker refuses its timestamp" },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, "the topic's message format is too old "
                                                        "for it" },
    { RD_KAFKA_RESP_ERR__INVALID_ARG, "the client refuses it: invalid" },
    { RD_KAFKA_RESP_ERR__BAD_MSG, "the client refuses it: invalid" },
};

static const struct fault *
find_fault(rd_kafka_resp_err_t err)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].err == err)
            return &faults[i];
    return NULL;
}

bool
kafka_errors_fault(rd_kafka_resp_err_t err)
{
    return find_fault(err) != NULL;
}

const char *
kafka_errors_reason(rd_kafka_resp_err_t err)
{
    const struct fault *fault = find_fault(err);

    return fault != NULL ? fault->reason : rd_kafka_err2str(err);
}
