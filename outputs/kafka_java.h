/* kafka_java.h - what the Java producer calls it.
 *
 * Names of the Java producer's properties, and those properties of librdkafka
 * that are not the user's to set: each is translated, told to be without
 * meaning here, or refused with the reason.  Loading only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_JAVA_H
#define OUTPUTS_KAFKA_JAVA_H

#include <stdbool.h>
#include <stddef.h>

#include "outputs/kafka_property.h"
#include "outputs/kafka_settings.h"

/* One output while it is loaded. */
struct kafka_loading {
    struct kafka_settings   *settings;
    struct kafka_properties *properties;
    const struct node       *map;       /* as the user wrote it */
    const char              *what;      /* "output 'main'" */
    struct errors           *errs;
};

/* Another spelling of a key of the settings table, or NULL. */
const char *kafka_java_alias(const char *name);

/* Take an entry whose key is in the table; false: it is not. */
bool kafka_java_take(struct kafka_loading *l, const struct node *entry);

/* Every name, for "did you mean"; returns how many of `room` were written. */
size_t kafka_java_names(const char **names, size_t room);

/* The user name and the rest of a sasl.jaas.config, set where librdkafka wants
 * them (kafka_jaas.c). */
void kafka_jaas_take(struct kafka_loading *l, const struct node *entry, const char *text);

/* What of logins and TLS does not go together, once everything was taken (kafka_security.c). */
void kafka_security_check(struct kafka_loading *l);

#endif
