/* test_strings.c - a list of strings, and the name that was probably meant.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/strings.h"

static const char *const keys[] = { "paths", "exclude", "start", "poll", "max_line", "id" };

static const char *
nearest(const char *word)
{
    return strings_nearest(word, keys, sizeof keys / sizeof *keys);
}

static void
a_list_copies_what_it_is_given(void **state)
{
    struct strings s = { NULL, 0, 0 };
    char           text[] = "one";

    (void)state;
    strings_add(&s, text);
    text[0] = 'x';
    assert_string_equal(s.list[0], "one");
    strings_fini(&s);
    assert_int_equal(s.count, 0);
}

static void
a_list_grows(void **state)
{
    struct strings s = { NULL, 0, 0 };
    char           text[2] = "a";

    (void)state;
    for (int i = 0; i < 26; i++, text[0]++)
        strings_add(&s, text);
    assert_int_equal(s.count, 26);
    assert_string_equal(s.list[25], "z");
    assert_true(strings_have(&s, "m"));
    assert_false(strings_have(&s, "M"));
    strings_fini(&s);
}

static void
a_slip_of_the_finger_is_recognised(void **state)
{
    (void)state;
    assert_string_equal(nearest("path"), "paths");          /* left out */
    assert_string_equal(nearest("pathss"), "paths");        /* too much */
    assert_string_equal(nearest("patsh"), "paths");         /* swapped */
    assert_string_equal(nearest("poll"), "poll");
    assert_string_equal(nearest("pull"), "poll");           /* replaced */
    assert_string_equal(nearest("EXCLUDE"), "exclude");     /* case */
    assert_string_equal(nearest("max-line"), "max_line");
    assert_string_equal(nearest("maxline"), "max_line");
}

static void
another_word_is_not_mistaken_for_a_slip(void **state)
{
    (void)state;
    assert_null(nearest("kafka"));
    assert_null(nearest(""));
    assert_null(nearest("ax"));         /* as far from "id" as any two letters */
    assert_null(strings_nearest("paths", NULL, 0));
}

static void
endless_words_are_not_compared(void **state)
{
    char              word[1000];
    const char *const names[] = { word };

    (void)state;
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_null(nearest(word));
    assert_null(strings_nearest("aaa", names, 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_copies_what_it_is_given),
        cmocka_unit_test(a_list_grows),
        cmocka_unit_test(a_slip_of_the_finger_is_recognised),
        cmocka_unit_test(another_word_is_not_mistaken_for_a_slip),
        cmocka_unit_test(endless_words_are_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
