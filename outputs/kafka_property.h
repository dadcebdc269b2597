/* kafka_property.h - the properties that librdkafka itself knows.
 *
 * Their names, whether they are for producers, and their ranges come from the
 * library, so that the list is that of the version in use.  Loading only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_PROPERTY_H
#define OUTPUTS_KAFKA_PROPERTY_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/error.h"
#include "agent/data/node.h"

struct kafka_properties;

struct kafka_properties *kafka_properties_new(void);
void                     kafka_properties_free(struct kafka_properties *p);

enum kafka_property_kind {
    PROPERTY_UNKNOWN,
    PROPERTY_CONSUMER,      /* a consumer's only: it would be taken and do nothing */
    PROPERTY_PRODUCER,
};

enum kafka_property_kind kafka_properties_kind(const struct kafka_properties *p,
                                               const char *name);

/* Of several names of one property the one that the library counts as its own; of what it
 * does not know `name` itself. */
const char *kafka_properties_first_name(const struct kafka_properties *p, const char *name);

/* Every name, for "did you mean"; returns how many of `room` were written. */
size_t kafka_properties_names(const struct kafka_properties *p, const char **names, size_t room);

/* The value of an entry as librdkafka takes it: a scalar, or a list joined by
 * commas.  On the heap; NULL with the mistake added. */
char *kafka_property_text(const struct node *entry, const struct node *map, struct errors *errs);

/* Set `name` to `text` as `entry` says (whose key may be another spelling);
 * units of time and size and all words for true and false are understood.  That another entry
 * has set it is a mistake, too.  0, or -1 with the mistake added at the place of the value. */
int kafka_properties_set(struct kafka_properties *p, rd_kafka_conf_t *client,
                         const char *name, const char *text, const struct node *entry,
                         const struct node *map, struct errors *errs);

/* Must its value never be shown, wherever it came from? */
bool kafka_property_secret(const char *name);

/* Where to show a mistake in a value: its place; for a secret, one whose source
 * line does not hold it.  And that for an entry that is one, whatever its key. */
struct mark kafka_property_place(const struct node *entry, const struct node *map);
struct mark kafka_property_away(const struct node *entry, const struct node *map);

/* Milliseconds: a bare number, which may have a fraction, or one with a unit.
 * False: neither. */
bool kafka_property_ms(const char *text, double *ms);

#endif
