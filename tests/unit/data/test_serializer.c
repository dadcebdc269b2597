/* test_serializer.c - a key is the bytes that the Java client's serializers write.
 *
 * The bytes were written down from java.nio.ByteBuffer's and Float's, Double's
 * rules: big endian, two's complement, IEEE 754.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/data/serializer.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void
becomes(const char *word, const char *text, const char *hex)
{
    const int    kind = serializer_find(word);
    struct slice bytes;
    char         found[100] = "";

    assert_true(kind >= 0);
    assert_null(serializer_apply((enum serializer)kind, slice_of(text), &arena, &bytes));
    assert_true(bytes.len < sizeof found / 2);
    for (size_t i = 0; i < bytes.len; i++)
        sprintf(found + 2 * i, "%02x", (unsigned char)bytes.ptr[i]);
    assert_string_equal(found, hex);
}

static void
fails(const char *word, const char *text, const char *part)
{
    struct slice bytes;
    const char  *why = serializer_apply((enum serializer)serializer_find(word), slice_of(text),
                                        &arena, &bytes);

    if (why == NULL)
        fail_msg("%s takes '%s'", word, text);
    assert_non_null(strstr(why, part));
}

static void
whole_numbers_are_big_endian_in_twos_complement(void **state)
{
    (void)state;
    becomes("short", "258", "0102");
    becomes("short", "-1", "ffff");
    becomes("short", "32767", "7fff");
    becomes("short", "-32768", "8000");
    becomes("integer", "42", "0000002a");
    becomes("integer", "+42", "0000002a");
    becomes("integer", "007", "00000007");
    becomes("integer", "-2147483648", "80000000");
    becomes("integer", "2147483647", "7fffffff");
    becomes("long", "-1", "ffffffffffffffff");
    becomes("long", "42", "000000000000002a");
    becomes("long", "9223372036854775807", "7fffffffffffffff");
    becomes("long", "-9223372036854775808", "8000000000000000");
    becomes("long", "-0", "0000000000000000");
}

static void
fractions_are_ieee_754_with_javas_nan(void **state)
{
    (void)state;
    becomes("float", "1.5", "3fc00000");
    becomes("float", "-0", "80000000");
    becomes("float", "0.1", "3dcccccd");
    becomes("float", "16777217", "4b800000");       /* to the even neighbour */
    becomes("float", "3.4028235e38", "7f7fffff");
    becomes("float", "1e39", "7f800000");
    becomes("float", "1e-46", "00000000");
    becomes("float", "NaN", "7fc00000");
    becomes("float", "-Infinity", "ff800000");
    becomes("double", "1.5", "3ff8000000000000");
    becomes("double", "-1.5E-3", "bf589374bc6a7efa");
    becomes("double", "0.1", "3fb999999999999a");
    becomes("double", ".5", "3fe0000000000000");
    becomes("double", "5.", "4014000000000000");
    becomes("double", "4.9E-324", "0000000000000001");
    becomes("double", "-NaN", "7ff8000000000000");
    becomes("double", "Infinity", "7ff0000000000000");
    becomes("double", "1e999", "7ff0000000000000");
}

static void
a_uuid_is_its_36_characters_in_lower_case(void **state)
{
    (void)state;
    becomes("uuid", "123E4567-e89b-12d3-A456-426614174000",
            "31323365343536372d653839622d313264332d613435362d343236363134313734303030");
}

static void
strings_and_bytes_stay_as_they_are(void **state)
{
    (void)state;
    becomes("string", "a\xff", "61ff");
    becomes("bytes", "", "");
}

static void
what_does_not_convert_is_no_key(void **state)
{
    static const char *const whole[] = { "short", "integer", "long" };
    static const char *const odd[] = { "", " 1", "1 ", "1.0", "0x10", "one", "-", "+", "--1", "1e3",
                                       "1_000", "NaN" };
    static const char *const fractions[] = { "float", "double" };
    static const char *const no_fraction[] = { "", " 1", "1 ", "0x1p3", "inf", "nan", "infinity",
                                               "1e", "1e+", ".", "-.", "1.2.3", "1,5", "1.5f" };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof odd / sizeof *odd; k++)
            fails(whole[i], odd[k], "not a whole number");
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof no_fraction / sizeof *no_fraction; k++)
            fails(fractions[i], no_fraction[k], "not a number");
    fails("short", "32768", "range");
    fails("short", "-32769", "range");
    fails("integer", "2147483648", "range");
    fails("long", "9223372036854775808", "range");
    fails("long", "99999999999999999999999999", "range");
    fails("uuid", "", "UUID");
    fails("uuid", "123e4567e89b12d3a456426614174000", "UUID");
    fails("uuid", "123e4567-e89b-12d3-a456-42661417400g", "UUID");
    fails("uuid", "123e4567-e89b-12d3-a4564-26614174000", "UUID");
}

static void
a_nul_inside_does_not_end_a_number(void **state)
{
    struct slice bytes;

    (void)state;
    assert_non_null(serializer_apply(SERIALIZER_LONG, SLICE("1\0002"), &arena, &bytes));
    assert_non_null(serializer_apply(SERIALIZER_DOUBLE, SLICE("1\0002"), &arena, &bytes));
}

static void
java_class_names_are_understood(void **state)
{
    (void)state;
    assert_int_equal(serializer_find("org.apache.kafka.common.serialization.LongSerializer"),
                     SERIALIZER_LONG);
    assert_int_equal(serializer_find("UUIDSerializer"), SERIALIZER_UUID);
    assert_int_equal(serializer_find("ByteArraySerializer"), SERIALIZER_TEXT);
    assert_int_equal(serializer_find("org.apache.kafka.common.serialization.ByteBufferSerializer"),
                     SERIALIZER_TEXT);
    assert_int_equal(serializer_find("com.example.LongSerializer"), -1);
    assert_int_equal(serializer_find("org.apache.kafka.common.serialization.long"), -1);
    assert_int_equal(serializer_find("int"), -1);
    for (size_t i = 0; i < SERIALIZER_WORDS; i++)
        assert_true(serializer_find(serializer_words[i]) >= 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_numbers_are_big_endian_in_twos_complement),
        TEST(fractions_are_ieee_754_with_javas_nan),
        TEST(a_uuid_is_its_36_characters_in_lower_case),
        TEST(strings_and_bytes_stay_as_they_are),
        TEST(what_does_not_convert_is_no_key),
        TEST(a_nul_inside_does_not_end_a_number),
        TEST(java_class_names_are_understood),
    };

    return cmocka_run_group_tests_name("serializer", tests, NULL, NULL);
}
