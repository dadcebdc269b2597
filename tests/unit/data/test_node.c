/* test_node.c - looking into a configuration's tree.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/data/node.h"

static struct node second = { .kind = NODE_SCALAR, .key = "b", .text = "2", .len = 1 };
static struct node first = {
    .kind = NODE_SCALAR, .key = "a", .text = "1", .len = 1, .next = &second,
};
static struct node map = { .kind = NODE_MAP, .first = &first };
static struct node list = { .kind = NODE_LIST, .first = &first };
static struct node nothing = { .kind = NODE_NULL };

static void
an_entry_is_found_by_its_name(void **state)
{
    (void)state;
    assert_ptr_equal(node_get(&map, "a"), &first);
    assert_ptr_equal(node_get(&map, "b"), &second);
    assert_null(node_get(&map, "c"));
}

static void
what_is_no_map_has_no_entries(void **state)
{
    (void)state;
    assert_null(node_get(NULL, "a"));
    assert_null(node_get(&list, "a"));
    assert_null(node_get(&nothing, "a"));
}

static void
entries_are_counted(void **state)
{
    (void)state;
    assert_int_equal(node_count(&map), 2);
    assert_int_equal(node_count(&nothing), 0);
}

static void
one_value_is_a_list_of_one(void **state)
{
    (void)state;
    assert_ptr_equal(node_first_of(&first), &first);
    assert_null(node_next_of(&first, &first));
}

static void
a_list_is_walked_to_its_end(void **state)
{
    const struct node *n = node_first_of(&list);

    (void)state;
    assert_ptr_equal(n, &first);
    n = node_next_of(&list, n);
    assert_ptr_equal(n, &second);
    assert_null(node_next_of(&list, n));
}

static void
nothing_is_an_empty_list(void **state)
{
    (void)state;
    assert_null(node_first_of(NULL));
    assert_null(node_first_of(&nothing));
}

static void
a_secret_is_not_shown(void **state)
{
    const struct node secret = { .kind = NODE_SCALAR, .text = "hunter2", .secret = true };

    (void)state;
    assert_string_equal(node_shown(&secret), "(secret)");
    assert_string_equal(node_shown(&first), "1");
    assert_string_equal(node_shown(&map), "a map");
    assert_string_equal(node_shown(&nothing), "nothing");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_found_by_its_name),
        cmocka_unit_test(what_is_no_map_has_no_entries),
        cmocka_unit_test(entries_are_counted),
        cmocka_unit_test(one_value_is_a_list_of_one),
        cmocka_unit_test(a_list_is_walked_to_its_end),
        cmocka_unit_test(nothing_is_an_empty_list),
        cmocka_unit_test(a_secret_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
