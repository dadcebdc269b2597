/* test_field.c - what a settings table takes, and what it says when it does not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/data/field.h"

struct shop {
    char              *sign;
    char              *motto;
    struct strings     goods;
    struct strings     brands;
    uint64_t           room;
    uint64_t           free_room;
    uint64_t           pause;
    uint64_t           rest;
    uint64_t           clerks;
    bool               open;
    int                size;
    const struct node *plan;
};

static const struct choice size_choices[] = {
    { "small", 1 }, { "middle", 2 }, { "large", 3 }, { NULL, 0 }
};

static const struct field shop_fields[] = {
    A_TEXT(struct shop, "sign", sign, "shop", "What it is called."),
    A_TEXT(struct shop, "motto", motto, NULL, "What it says."),
    A_REQUIRED_LIST(struct shop, "goods", goods, "What | it sells."),
    A_LIST(struct shop, "brands", brands, "ours", "Whose."),
    A_SIZE(struct shop, "room", room, "64KiB", 4096, 16 << 20, "How large."),
    A_SIZE(struct shop, "free_room", free_room, NULL, 10, 0, "How much is left."),
    A_TIME(struct shop, "pause", pause, "5s", 250, 600000, "How long."),
    A_TIME(struct shop, "rest", rest, "off", 0, 0, "How much longer."),
    A_COUNT(struct shop, "clerks", clerks, "2", 1, 9, "How many."),
    A_BOOL(struct shop, "open", open, "true", "Is it?"),
    A_CHOICE(struct shop, "size", size, "middle", size_choices, "Of the house."),
    A_NODE(struct shop, "plan", plan, "Of the house."),
    NO_MORE_FIELDS
};

static struct shop   shop;
static struct errors errs;
static struct node   nodes[32];
static size_t        nnodes;

static const struct settings set[] = { { &shop, shop_fields }, { NULL, type_fields } };

static int
tear_down(void **state)
{
    (void)state;
    fields_fini(set, 2);
    errors_fini(&errs);
    nnodes = 0;
    return 0;
}

static struct node *
given(enum node_kind kind, const char *key, const char *text)
{
    struct node *n = &nodes[nnodes++];

    assert_true(nnodes < 32);
    *n = (struct node){
        .kind = kind, .key = key, .text = text, .len = text != NULL ? strlen(text) : 0,
        .at = { "shop.yaml", (unsigned)nnodes, 20 }, .key_at = { "shop.yaml", (unsigned)nnodes, 3 },
    };
    return n;
}

static struct node *
given_text(const char *key, const char *text)
{
    return given(NODE_SCALAR, key, text);
}

static struct node *
with(struct node *parent, struct node *child)
{
    struct node **link = &parent->first;

    while (*link != NULL)
        link = &(*link)->next;
    *link = child;
    return parent;
}

/* A map with its required key, and one more entry. */
static struct node *
given_shop(struct node *entry)
{
    return with(with(given(NODE_MAP, NULL, NULL), given_text("goods", "tea")), entry);
}

static int
when_loaded(const struct node *map)
{
    return fields_load(set, 2, "shop 'x'", map, (struct mark){ "shop.yaml", 1, 1 }, NULL, NULL,
                       &errs);
}

static void
then_the_only_error_is(unsigned column, const char *text)
{
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text, text);
    assert_string_equal(errs.list[0].at.file, "shop.yaml");
    assert_int_equal(errs.list[0].at.column, column);
    errors_fini(&errs);
    fields_fini(set, 2);
    nnodes = 0;
}

static void
then_refused(struct node *entry, const char *text)
{
    assert_int_equal(when_loaded(given_shop(entry)), -1);
    then_the_only_error_is(20, text);
}

/* ---- one value ------------------------------------------------------------- */

static uint64_t
size_of(const char *text)
{
    struct error err;
    uint64_t     bytes;

    assert_int_equal(field_size(text, &bytes, &err), 0);
    return bytes;
}

static void
a_size_is_bytes_or_has_a_unit(void **state)
{
    (void)state;
    assert_int_equal(size_of("0"), 0);
    assert_int_equal(size_of("512"), 512);
    assert_int_equal(size_of("64KiB"), 65536);
    assert_int_equal(size_of("1MiB"), 1048576);
    assert_int_equal(size_of("10MB"), 10000000);
    assert_int_equal(size_of("3KB"), 3000);
    assert_int_equal(size_of("2GiB"), 2147483648);
    assert_int_equal(size_of("2GB"), 2000000000);
    assert_int_equal(size_of("18446744073709551615"), UINT64_MAX);
}

static void
what_is_no_size_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "KiB", "64K", "64kib", "64 KiB", "-1", "+1", "1.5MiB", "0x10", "64KiBs", " 1",
    };
    struct error err;
    uint64_t     bytes;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(field_size(wrong[i], &bytes, &err), -1);
    field_size("64K", &bytes, &err);
    assert_string_equal(err.text, "'64K' is not a size (bytes, or with a unit: KiB, MiB, GiB, KB, "
                                  "MB, GB)");
}

static void
a_size_over_64_bits_is_too_large(void **state)
{
    struct error err;
    uint64_t     bytes;

    (void)state;
    assert_int_equal(field_size("18446744073709551616", &bytes, &err), -1);
    assert_string_equal(err.text, "'18446744073709551616' is too large");
    assert_int_equal(field_size("17179869184GiB", &bytes, &err), -1);
    assert_string_equal(err.text, "'17179869184GiB' is too large");
}

static uint64_t
time_of(const char *text)
{
    struct error err;
    uint64_t     ms;

    assert_int_equal(field_time(text, &ms, &err), 0);
    return ms;
}

static void
a_time_has_a_unit(void **state)
{
    struct error err;
    uint64_t     ms;

    (void)state;
    assert_int_equal(time_of("250ms"), 250);
    assert_int_equal(time_of("5s"), 5000);
    assert_int_equal(time_of("10m"), 600000);
    assert_int_equal(time_of("24h"), 86400000);
    assert_int_equal(time_of("7d"), 604800000);
    assert_int_equal(time_of("0"), 0);
    assert_int_equal(time_of("off"), 0);
    assert_int_equal(field_time("10", &ms, &err), -1);
    assert_string_equal(err.text, "'10' is not a time with its unit (ms, s, m, h or d)");
    assert_int_equal(field_time("5S", &ms, &err), -1);
    assert_int_equal(field_time("300000000000d", &ms, &err), -1);
}

static void
a_switch_has_three_pairs_of_words(void **state)
{
    static const char *const words[] = { "true", "yes", "on", "True", "false", "no", "off", "NO" };
    struct error             err;
    bool                     value;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(field_bool(words[i], &value, &err), 0);
        assert_int_equal(value, i < 4);
    }
    assert_int_equal(field_bool("1", &value, &err), -1);
    assert_string_equal(err.text, "'1' is not true or false");
}

/* ---- tables ---------------------------------------------------------------- */

static void
defaults_stand_where_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(when_loaded(given_shop(NULL)), 0);
    assert_string_equal(shop.sign, "shop");
    assert_null(shop.motto);
    assert_int_equal(shop.goods.count, 1);
    assert_string_equal(shop.brands.list[0], "ours");
    assert_int_equal(shop.room, 65536);
    assert_int_equal(shop.free_room, 0);
    assert_int_equal(shop.pause, 5000);
    assert_int_equal(shop.rest, 0);
    assert_int_equal(shop.clerks, 2);
    assert_true(shop.open);
    assert_int_equal(shop.size, 2);
    assert_null(shop.plan);
}

static void
what_is_said_replaces_the_default(void **state)
{
    struct node *map = given_shop(given_text("sign", "Zum Anker"));

    (void)state;
    with(map, given_text("motto", ""));
    with(map, with(with(given(NODE_LIST, "brands", NULL), given_text(NULL, "a")),
                   given_text(NULL, "b")));
    with(map, given_text("room", "16MiB"));
    with(map, given_text("pause", "250ms"));
    with(map, given_text("clerks", "9"));
    with(map, given_text("open", "no"));
    with(map, given_text("size", "large"));
    with(map, given_text("plan", "flat"));
    with(map, given_text("type", "known, not stored"));
    assert_int_equal(when_loaded(map), 0);
    assert_string_equal(shop.sign, "Zum Anker");
    assert_string_equal(shop.motto, "");
    assert_int_equal(shop.brands.count, 2);
    assert_string_equal(shop.brands.list[1], "b");
    assert_int_equal(shop.room, 16 << 20);
    assert_int_equal(shop.pause, 250);
    assert_int_equal(shop.clerks, 9);
    assert_false(shop.open);
    assert_int_equal(shop.size, 3);
    assert_string_equal(shop.plan->text, "flat");
}

static void
an_unknown_key_is_told_with_the_nearest_one(void **state)
{
    (void)state;
    assert_int_equal(when_loaded(given_shop(given_text("gods", "x"))), -1);
    then_the_only_error_is(3, "shop 'x' has no setting 'gods' (did you mean 'goods'?)");
    assert_int_equal(when_loaded(given_shop(given_text("tipe", "x"))), -1);
    then_the_only_error_is(3, "shop 'x' has no setting 'tipe' (did you mean 'type'?)");
    assert_int_equal(when_loaded(given_shop(given_text("electricity", "x"))), -1);
    then_the_only_error_is(3, "shop 'x' has no setting 'electricity'");
}

static bool
take_taxes(void *ctx, const struct node *entry, struct errors *to)
{
    unsigned *taken = ctx;

    (void)to;
    if (strncmp(entry->key, "tax.", 4) != 0)
        return false;
    ++*taken;
    return true;
}

static void
other_keys_may_be_taken_by_their_owner(void **state)
{
    struct node *map = given_shop(given_text("tax.rate", "x"));
    unsigned     taken = 0;

    (void)state;
    with(map, given_text("fax", "y"));
    assert_int_equal(fields_load(set, 2, "shop 'x'", map, map->at, take_taxes, &taken, &errs), -1);
    assert_int_equal(taken, 1);
    then_the_only_error_is(3, "shop 'x' has no setting 'fax'");
}

static void
a_required_key_must_be_there_and_say_something(void **state)
{
    struct node *empty = given(NODE_MAP, NULL, NULL);

    (void)state;
    assert_int_equal(when_loaded(empty), -1);
    then_the_only_error_is(1, "shop 'x' needs a value for 'goods'");
    assert_int_equal(when_loaded(NULL), -1);
    then_the_only_error_is(1, "shop 'x' needs a value for 'goods'");
    assert_int_equal(when_loaded(with(given(NODE_MAP, NULL, NULL),
                                      given(NODE_NULL, "goods", NULL))), -1);
    then_the_only_error_is(3, "shop 'x' needs a value for 'goods'");
    assert_int_equal(when_loaded(with(given(NODE_MAP, NULL, NULL),
                                      given(NODE_LIST, "goods", NULL))), -1);
    then_the_only_error_is(20, "'goods' must not be empty");
}

static void
a_key_without_value_leaves_the_default(void **state)
{
    (void)state;
    assert_int_equal(when_loaded(given_shop(given(NODE_NULL, "room", NULL))), 0);
    assert_int_equal(shop.room, 65536);
}

static void
a_range_is_told_in_the_units_of_its_kind(void **state)
{
    (void)state;
    then_refused(given_text("room", "64MiB"),
                 "'room' must be between 4KiB and 16MiB, not '64MiB'");
    then_refused(given_text("room", "1"), "'room' must be between 4KiB and 16MiB, not '1'");
    then_refused(given_text("room", "99999999999999999999"),
                 "'room' must be between 4KiB and 16MiB, not '99999999999999999999'");
    then_refused(given_text("free_room", "9"), "'free_room' must be at least 10, not '9'");
    then_refused(given_text("free_room", "99999999999999999999"),
                 "'free_room' is too large: '99999999999999999999'");
    then_refused(given_text("pause", "1h"), "'pause' must be between 250ms and 10m, not '1h'");
    then_refused(given_text("pause", "off"), "'pause' must be between 250ms and 10m, not 'off'");
    then_refused(given_text("clerks", "10"), "'clerks' must be between 1 and 9, not '10'");
}

static void
a_wrong_kind_is_told_with_what_was_found(void **state)
{
    (void)state;
    then_refused(given_text("pause", "10"),
                 "'pause' must be a time with its unit (ms, s, m, h or d), not '10'");
    then_refused(given_text("clerks", "two"), "'clerks' must be a whole number, not 'two'");
    then_refused(given_text("clerks", "-1"), "'clerks' must be a whole number, not '-1'");
    then_refused(given_text("open", "maybe"), "'open' must be true or false, not 'maybe'");
    then_refused(given(NODE_LIST, "open", NULL), "'open' must be true or false, not a list");
    then_refused(given(NODE_MAP, "sign", NULL), "'sign' must be a text, not a map");
    then_refused(given(NODE_MAP, "brands", NULL),
                 "'brands' must be a text or a list of texts, not a map");
    then_refused(given_text("size", "larg"),
                 "'size' must be 'small', 'middle' or 'large', not 'larg' (did you mean 'large'?)");
    then_refused(given(NODE_MAP, "size", NULL),
                 "'size' must be 'small', 'middle' or 'large', not a map");
}

static void
an_element_of_the_wrong_kind_is_told_at_its_own_place(void **state)
{
    struct node *list = given(NODE_LIST, "brands", NULL), *element;

    (void)state;
    with(list, given_text(NULL, "fine"));
    element = given(NODE_LIST, NULL, NULL);
    with(list, element);
    assert_int_equal(when_loaded(given_shop(list)), -1);
    assert_int_equal(errs.list[0].at.line, element->at.line);
    then_the_only_error_is(20, "'brands' must be a text or a list of texts, not a list");
}

static void
a_mistake_leaves_the_default_in_place(void **state)
{
    (void)state;
    assert_int_equal(when_loaded(given_shop(given_text("room", "64MiB"))), -1);
    assert_int_equal(shop.room, 65536);
}

static void
every_mistake_is_reported(void **state)
{
    struct node *map = with(given(NODE_MAP, NULL, NULL), given_text("room", "1"));

    (void)state;
    with(map, given_text("clerks", "none"));
    with(map, given_text("sing", "x"));
    assert_int_equal(when_loaded(map), -1);
    assert_int_equal(errs.count, 4);        /* and the goods are missing */
}

static void
a_secret_is_never_shown(void **state)
{
    struct node *secret = given_text("clerks", "hunter2");

    (void)state;
    secret->secret = true;
    then_refused(secret, "'clerks' must be a whole number, not the secret");
}

static void
a_bad_value_is_not_complained_about_again(void **state)
{
    struct node *bad = given_text("goods", "?");

    (void)state;
    bad->bad = true;
    assert_int_equal(when_loaded(with(given(NODE_MAP, NULL, NULL), bad)), 0);
    assert_int_equal(errs.count, 0);
}

static void
a_message_stays_one_short_line(void **state)
{
    char *text = malloc(10001);

    (void)state;
    memset(text, 'x', 10000);
    text[10000] = '\0';
    then_refused(given_text("clerks", text), "'clerks' must be a whole number, not "
                 "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
    free(text);
    then_refused(given_text("clerks", "one\ntwo"), "'clerks' must be a whole number, not 'one...'");
}

static void
a_text_with_a_nul_byte_is_refused(void **state)
{
    struct node *n = given_text("sign", "a");

    (void)state;
    n->len = 3;
    then_refused(n, "'sign' must not hold a NUL byte");
}

static void
what_is_no_map_has_no_settings(void **state)
{
    (void)state;
    assert_int_equal(when_loaded(given_text(NULL, "hello")), -1);
    then_the_only_error_is(20, "shop 'x' must be a map, not 'hello'");
}

static void
the_reference_shows_every_row(void **state)
{
    char  *text = NULL;
    size_t len;
    FILE  *out = open_memstream(&text, &len);

    (void)state;
    fields_print(out, shop_fields);
    fclose(out);
    assert_non_null(strstr(text, "| `room` | size, 4KiB to 16MiB | `64KiB` | How large. |\n"));
    assert_non_null(strstr(text, "| `free_room` | size, at least 10 | - | How much is left. |\n"));
    assert_non_null(strstr(text, "| `goods` | list of texts | required | What \\| it sells. |\n"));
    assert_non_null(strstr(text, "| `size` | `small`, `middle`, `large` | `middle` |"));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_bytes_or_has_a_unit),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(a_size_over_64_bits_is_too_large),
        cmocka_unit_test(a_time_has_a_unit),
        cmocka_unit_test(a_switch_has_three_pairs_of_words),
        cmocka_unit_test_teardown(defaults_stand_where_nothing_is_said, tear_down),
        cmocka_unit_test_teardown(what_is_said_replaces_the_default, tear_down),
        cmocka_unit_test_teardown(an_unknown_key_is_told_with_the_nearest_one, tear_down),
        cmocka_unit_test_teardown(other_keys_may_be_taken_by_their_owner, tear_down),
        cmocka_unit_test_teardown(a_required_key_must_be_there_and_say_something, tear_down),
        cmocka_unit_test_teardown(a_key_without_value_leaves_the_default, tear_down),
        cmocka_unit_test_teardown(a_range_is_told_in_the_units_of_its_kind, tear_down),
        cmocka_unit_test_teardown(a_wrong_kind_is_told_with_what_was_found, tear_down),
        cmocka_unit_test_teardown(an_element_of_the_wrong_kind_is_told_at_its_own_place,
                                  tear_down),
        cmocka_unit_test_teardown(a_mistake_leaves_the_default_in_place, tear_down),
        cmocka_unit_test_teardown(every_mistake_is_reported, tear_down),
        cmocka_unit_test_teardown(a_secret_is_never_shown, tear_down),
        cmocka_unit_test_teardown(a_bad_value_is_not_complained_about_again, tear_down),
        cmocka_unit_test_teardown(a_message_stays_one_short_line, tear_down),
        cmocka_unit_test_teardown(a_text_with_a_nul_byte_is_refused, tear_down),
        cmocka_unit_test_teardown(what_is_no_map_has_no_settings, tear_down),
        cmocka_unit_test_teardown(the_reference_shows_every_row, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
