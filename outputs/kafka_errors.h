/* kafka_errors.h - what librdkafka's errors mean, in the user's words.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_ERRORS_H
#define OUTPUTS_KAFKA_ERRORS_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Troubles that a user would call different ones. */
enum kafka_trouble {
    TROUBLE_RESOLVE,        /* a host name has no address */
    TROUBLE_REFUSED,        /* nobody listens there */
    TROUBLE_LOGIN,          /* user or password */
    TROUBLE_CERTIFICATE,    /* the broker's, as we see it */
    TROUBLE_CLIENT,         /* ours, as the broker sees it */
    TROUBLE_NEEDS_TLS,      /* we speak plain, the listener does not */
    TROUBLE_NEEDS_LOGIN,
    TROUBLE_NOT_TLS,        /* we speak TLS, the listener does not */
    TROUBLE_DOWN,           /* no broker at all */
    TROUBLE_LOST,           /* a connection that worked has ended, or is not made again */
    TROUBLE_OTHER,
    TROUBLES                /* how many */
};

struct kafka_advice {
    enum kafka_trouble trouble;
    const char        *text;        /* what it is */
    const char        *advice;      /* what to do, in brackets; or "" */
};

/* Judge an error of a connection by its code and its text.  `worked`: there has been a
 * connection before, so the configuration is not to blame for a mere loss. */
struct kafka_advice kafka_errors_judge(rd_kafka_resp_err_t err, const char *text, bool worked);

/* librdkafka's text does not say why a broker's certificate is not trusted.  Have clients of
 * `conf` write it down: `*why` is OpenSSL's number of the last reason, 0 for none yet, and
 * lives as long as the client.  Takes the opaque of `conf`; one store on librdkafka's threads. */
void kafka_errors_watch(rd_kafka_conf_t *conf, _Atomic int *why);

/* As kafka_errors_judge(), and with that number where it helps. */
struct kafka_advice kafka_errors_explain(rd_kafka_resp_err_t err, const char *text, bool worked,
                                         int why);

/* Does it lie in a message, so that sending it again is no use? */
bool kafka_errors_fault(rd_kafka_resp_err_t err);

/* Why a broker will never take a message, for the dead letters. */
const char *kafka_errors_reason(rd_kafka_resp_err_t err);

#endif
