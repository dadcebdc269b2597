/* kafka_given.h - the settings of a Kafka output as they stand in a file, and what
 * becomes of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_OUTPUTS_KAFKA_GIVEN_H
#define TESTS_UNIT_OUTPUTS_KAFKA_GIVEN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/flow/output.h"
#include "outputs/kafka_settings.h"

enum { MAX_ENTRIES = 16, MAX_ELEMENTS = 4 };

/* An output as its map stands in a file: entry i on line 10 + i, keys in column
 * 3, values in column 20; the name of the map on line 9. */
static struct node map, entries[MAX_ENTRIES], elements[MAX_ENTRIES][MAX_ELEMENTS];
static unsigned    nentries;

static struct kafka_settings settings;
static struct errors         errs;
static bool                  loaded;

static inline struct node *
given(const char *key, const char *value)
{
    struct node *n = &entries[nentries];

    *n = (struct node){ .kind = NODE_SCALAR, .at = { "f.yaml", 10 + nentries, 20 }, .text = value,
                        .len = strlen(value), .key = key,
                        .key_at = { "f.yaml", 10 + nentries, 3 } };
    if (nentries > 0)
        entries[nentries - 1].next = n;
    nentries++;
    map.first = &entries[0];
    return n;
}

static inline void
given_list(const char *key, const char *first, const char *second)
{
    struct node *n = given(key, ""), *e = elements[nentries - 1];

    *n = (struct node){ .kind = NODE_LIST, .at = n->at, .key = key, .key_at = n->key_at,
                        .first = e };
    e[0] = (struct node){ .kind = NODE_SCALAR, .at = { "f.yaml", n->at.line, 30 }, .text = first,
                          .len = strlen(first), .next = &e[1] };
    e[1] = (struct node){ .kind = NODE_SCALAR, .at = { "f.yaml", n->at.line, 40 }, .text = second,
                          .len = strlen(second) };
}

static inline int
set_up(void **state)
{
    (void)state;
    nentries = 0;
    memset(&errs, 0, sizeof errs);
    map = (struct node){ .kind = NODE_MAP, .at = { "f.yaml", 10, 3 }, .key = "main",
                         .key_at = { "f.yaml", 9, 1 } };
    given("bootstrap.servers", "localhost:9092");
    loaded = false;
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    if (loaded)
        kafka_settings_fini(&settings);
    errors_fini(&errs);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static inline void
when_loaded(void)
{
    loaded = kafka_settings_load(&settings, "output 'main'", &map, &errs) == 0;
    for (size_t i = 0; i < errs.count && !loaded; i++)
        print_message("%s:%u:%u: %s\n", errs.list[i].at.file, errs.list[i].at.line,
                      errs.list[i].at.column, errs.list[i].text);
}

static inline void
then_property(const char *name, const char *value)
{
    char text[512] = "(not set)";

    assert_true(loaded);
    (void)kafka_settings_get(&settings, name, text, sizeof text);
    assert_string_equal(text, value);
}

/* Exactly one mistake, at the value or key of the last entry, that says `part`. */
static inline void
then_refused(unsigned column, const char *part)
{
    assert_false(loaded);
    assert_int_equal(errs.count, 1);
    assert_non_null(strstr(errs.list[0].text, part));
    assert_int_equal(errs.list[0].at.line, 10 + nentries - 1);
    assert_int_equal(errs.list[0].at.column, column);
}

enum { AT_KEY = 3, AT_VALUE = 20 };

/* Load with one more key, see what librdkafka got, and be ready for the next. */
static inline void
takes(const char *key, const char *value, const char *name, const char *result)
{
    given(key, value);
    when_loaded();
    then_property(name, result);
    tear_down(NULL);
    set_up(NULL);
}

static inline void
refuses(const char *key, const char *value, unsigned column, const char *part)
{
    given(key, value);
    when_loaded();
    then_refused(column, part);
    tear_down(NULL);
    set_up(NULL);
}

#endif
