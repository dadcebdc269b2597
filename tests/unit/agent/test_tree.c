/* test_tree.c - what users write, and where they are told that it is wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/tree.h"
#include "tests/unit/agent/yaml_files.h"

static struct tree  *t;
static struct errors errs;

static int
set_up(void **state)
{
    (void)state;
    unsetenv("STOKER_TEST");
    return yaml_set_up();
}

static void
forget(void)
{
    tree_free(t);
    t = NULL;
    errors_fini(&errs);
}

static int
tear_down(void **state)
{
    (void)state;
    forget();
    return yaml_tear_down();
}

static void
when_loaded(void)
{
    forget();
    t = tree_load("a.yaml", &errs);
}

/* The entry that a path of keys leads to; a number is an index in a list. */
static const struct node *
at(const char *path)
{
    const struct node *n = tree_root(t);
    char              *copy = strdup(path), *rest = copy, *key;

    while (n != NULL && (key = strsep(&rest, "/")) != NULL) {
        if (n->kind == NODE_LIST) {
            n = n->first;
            for (int i = atoi(key); n != NULL && i > 0; i--)
                n = n->next;
        } else {
            n = node_get(n, key);
        }
    }
    free(copy);
    return n;
}

static void
then_text(const char *path, const char *text)
{
    const struct node *n = at(path);

    assert_non_null(n);
    assert_int_equal(n->kind, NODE_SCALAR);
    assert_string_equal(n->text, text);
    assert_int_equal(n->len, strlen(text));
}

static void
then_fine(void)
{
    if (errs.count > 0)
        fail_msg("%s", errs.list[0].text);
    assert_true(tree_complete(t));
}

static void
then_printed(const char *expected)
{
    char *text = printed(t, &errs);

    assert_string_equal(text, expected);
    free(text);
}

/* Load one file; what is wrong with it is printed so. */
static void
check(const char *yaml, const char *expected)
{
    given_file("a.yaml", yaml);
    when_loaded();
    then_printed(expected);
}

/* ---- values ----------------------------------------------------------------- */

static void
maps_lists_and_texts_become_nodes_with_places(void **state)
{
    const struct node *n;

    (void)state;
    given_file("a.yaml", "agent:\n  memory: 64MiB\nroutes:\n- topic: \"a b\"\n- {key: k}\nx:\n");
    when_loaded();
    then_fine();
    then_text("agent/memory", "64MiB");
    then_text("routes/0/topic", "a b");
    then_text("routes/1/key", "k");
    assert_int_equal(at("x")->kind, NODE_NULL);
    n = at("agent/memory");
    assert_string_equal(n->at.file, "a.yaml");
    assert_int_equal(n->at.line, 2);
    assert_int_equal(n->at.column, 11);
    assert_int_equal(n->key_at.line, 2);
    assert_int_equal(n->key_at.column, 3);
    assert_false(n->quoted);
    assert_true(at("routes/0/topic")->quoted);
}

static void
only_what_is_plain_can_be_nothing(void **state)
{
    (void)state;
    given_file("a.yaml", "a: ~\nb: null\nc: 'null'\nd: \"\"\ne: Null\n");
    when_loaded();
    then_fine();
    assert_int_equal(at("a")->kind, NODE_NULL);
    assert_int_equal(at("b")->kind, NODE_NULL);
    then_text("c", "null");
    then_text("d", "");
    assert_int_equal(at("e")->kind, NODE_NULL);
}

static void
a_byte_order_mark_and_crlf_are_taken(void **state)
{
    (void)state;
    given_file("a.yaml", "\xef\xbb\xbf" "agent:\r\n  memory: 1\r\n");
    when_loaded();
    then_fine();
    then_text("agent/memory", "1");
}

static void
aliases_stand_for_what_they_name(void **state)
{
    (void)state;
    given_file("a.yaml", "x: &list [one, {two: 2}]\ny: *list\nz: &s text\nw: [*s, *s]\n");
    when_loaded();
    then_fine();
    then_text("y/0", "one");
    then_text("y/1/two", "2");
    then_text("w/1", "text");
    assert_int_equal(at("y")->at.line, 2);
    assert_int_equal(node_count(at("x")), 2);
}

static void
merge_keys_fill_in_what_a_map_does_not_say(void **state)
{
    (void)state;
    given_file("a.yaml", "base: &base {topic: b, key: k}\nmore: &more {key: m, value: v}\n"
               "one:\n  <<: *base\n  topic: own\ntwo:\n  <<: [*base, *more]\n"
               "three:\n  <<: &inline {a: 1}\n  b: 2\nfour: *inline\nfive:\n  '<<': text\n");
    when_loaded();
    then_fine();
    then_text("one/topic", "own");
    then_text("one/key", "k");
    then_text("two/key", "k");      /* the first of several counts */
    then_text("two/value", "v");
    assert_int_equal(node_count(at("two")), 3);
    then_text("three/a", "1");
    assert_int_equal(node_count(at("four")), 1);
    then_text("five/<<", "text");
    check("a:\n  <<: text\n", "a.yaml:2:7: '<<' must be a map or a list of maps, not a text\n"
                              "      <<: text\n"
                              "          ^~~~\n");
}

/* ---- ${env:} and ${file:} ----------------------------------------------------- */

static void
variables_are_replaced_in_any_value(void **state)
{
    (void)state;
    setenv("STOKER_TEST", "grey", 1);
    given_file("a.yaml", "a: ${env:STOKER_TEST}\nb: \"x ${env:STOKER_TEST}/${env:STOKER_TEST}\"\n"
               "c: [\"${env:STOKER_NO:-some default}\"]\nd: ${env:STOKER_NO:-}\n"
               "${env:STOKER_TEST}: key\ne: |\n  ${env:STOKER_TEST}\n");
    when_loaded();
    then_fine();
    then_text("a", "grey");
    then_text("b", "x grey/grey");
    then_text("c/0", "some default");
    then_text("d", "");
    then_text("${env:STOKER_TEST}", "key");
    then_text("e", "grey\n");
    assert_true(at("a")->quoted);
    assert_false(at("a")->secret);
}

static void
an_empty_variable_takes_the_default(void **state)
{
    (void)state;
    setenv("STOKER_TEST", "", 1);
    given_file("a.yaml", "a: \"[${env:STOKER_TEST:-x}]\"\nb: \"[${env:STOKER_TEST}]\"\n");
    when_loaded();
    then_fine();
    then_text("a", "[x]");
    then_text("b", "[]");
}

static void
what_belongs_to_templates_stays(void **state)
{
    (void)state;
    setenv("STOKER_TEST", "grey", 1);
    given_file("a.yaml", "a: ${client}-${a:-b}\nb: $${env:STOKER_TEST}\nc: $$${env:STOKER_TEST}\n"
               "d: $$\n");
    when_loaded();
    then_fine();
    then_text("a", "${client}-${a:-b}");
    then_text("b", "$${env:STOKER_TEST}");
    then_text("c", "$$grey");
    then_text("d", "$$");
}

static void
a_variable_that_is_not_set_is_told_at_its_place(void **state)
{
    (void)state;
    check("agent:\n  state_dir: /var/${env:STOKER_TEST}/x\n",
          "a.yaml:2:19: environment variable 'STOKER_TEST' is not set (a default: "
          "${env:STOKER_TEST:-value})\n"
          "      state_dir: /var/${env:STOKER_TEST}/x\n"
          "                      ^~~~~~~~~~~~~~~~~~\n");
    assert_true(at("agent/state_dir")->bad);
    check("a: 'x${env:1A}'\n", "a.yaml:1:6: '1A' is not the name of an environment variable\n"
                               "    a: 'x${env:1A}'\n"
                               "         ^~~~~~~~~\n");
    check("a: ${env:X\n", "a.yaml:1:4: '${env:' has no '}' at its end\n"
                          "    a: ${env:X\n"
                          "       ^~~~~~~\n");
}

static void
every_variable_of_a_text_is_checked(void **state)
{
    (void)state;
    given_file("a.yaml", "a: ${env:STOKER_NO_1} ${env:STOKER_NO_2}\n");
    when_loaded();
    assert_int_equal(errs.count, 2);
    assert_int_equal(errs.list[1].at.column, 23);
}

static void
a_secret_is_the_content_without_its_last_newline(void **state)
{
    (void)state;
    mkdir("sub", 0700);
    given_file("sub/password", "hunter2\n\n");
    given_file("sub/b.yaml", "x: ${file:password}\n");
    given_file("a.yaml", "include: sub/b.yaml\ny: a${file:sub/password}b\n");
    when_loaded();
    then_fine();
    then_text("x", "hunter2\n");
    then_text("y", "ahunter2\nb");
    assert_true(at("x")->secret);
    assert_string_equal(node_shown(at("x")), "(secret)");
}

static void
a_secret_that_cannot_be_read_is_told(void **state)
{
    char expected[400];

    (void)state;
    check("a: ${file:nothing}\n",
          "a.yaml:1:4: file 'nothing' cannot be opened: no such file or directory\n"
          "    a: ${file:nothing}\n"
          "       ^~~~~~~~~~~~~~~\n");
    given_file("empty", "\n");
    given_bytes("nul", "ab\0c", 4);
    given_bytes("latin", "p\xe4ss", 4);
    mkdir("folder", 0700);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    check("- x\n", "a.yaml:1:1: a configuration must be a map of sections, not a list\n"
                   "    - x\n"
                   "    ^\n");
    check("a: ${file:empty}\nb: ${file:nul}\nc: ${file:latin}\nd: ${file:folder}\n"
          "e: ${file:pipe}\nf: ${file:}\n",
          "a.yaml:1:4: file 'empty' is empty\n    a: ${file:empty}\n       ^~~~~~~~~~~~~\n"
          "a.yaml:2:4: file 'nul' is binary (it holds a NUL byte)\n"
          "    b: ${file:nul}\n       ^~~~~~~~~~~\n"
          "a.yaml:3:4: file 'latin' is binary (it is not UTF-8 text)\n"
          "    c: ${file:latin}\n       ^~~~~~~~~~~~~\n"
          "a.yaml:4:4: file 'folder' is a directory\n    d: ${file:folder}\n"
          "       ^~~~~~~~~~~~~~\n"
          "a.yaml:5:4: file 'pipe' is not a regular file\n    e: ${file:pipe}\n"
          "       ^~~~~~~~~~~~\n"
          "a.yaml:6:4: '${file:}' names no file\n    f: ${file:}\n       ^~~~~~~~\n");
    snprintf(expected, sizeof expected, "%s/nothing", yaml_folder);
    assert_null(strstr(errs.list[0].text, expected));
}

/* ---- mistakes ------------------------------------------------------------------ */

static void
a_syntax_error_ends_the_file(void **state)
{
    (void)state;
    check("inputs:\n  a: {paths: [x\nb: 1\n",
          "a.yaml:3:2: not YAML: did not find expected ',' or ']' while parsing a flow sequence "
          "that began in line 2\n"
          "    b: 1\n"
          "     ^\n");
    assert_false(tree_complete(t));
    check("a: 1\n\tb: 2\n", "a.yaml:2:1: not YAML: found a tab character that violates "
                            "indentation while scanning a plain scalar that began in line 1\n"
                            "    \tb: 2\n"
                            "    ^~\n");
}

static void
a_key_stands_once_in_its_map(void **state)
{
    (void)state;
    check("inputs:\n  web: {topic: a, key: b, topic: c}\n  db: {}\n  web: {}\n",
          "a.yaml:2:27: 'topic' is defined twice (first at a.yaml:2:9)\n"
          "      web: {topic: a, key: b, topic: c}\n"
          "                              ^~~~~\n"
          "a.yaml:4:3: 'web' is defined twice (first at a.yaml:2:3)\n"
          "      web: {}\n"
          "      ^~~\n");
    then_text("inputs/web/topic", "a");
    assert_int_equal(node_count(at("inputs")), 2);
}

static void
tags_and_keys_that_are_no_texts_are_refused(void **state)
{
    (void)state;
    check("a: !!int 5\nb: !x [1, [2]]\n? [k, {l: m}]\n: v\n? !t k\n: v\n'': v\nok: 1\n",
          "a.yaml:1:4: tags ('tag:yaml.org,2002:int') are not supported\n"
          "    a: !!int 5\n       ^~~~~~~\n"
          "a.yaml:2:4: tags ('!x') are not supported\n    b: !x [1, [2]]\n"
          "       ^~~~~~~~~~~\n"
          "a.yaml:3:3: a key must be a plain text\n    ? [k, {l: m}]\n      ^\n"
          "a.yaml:5:3: tags ('!t') are not supported\n    ? !t k\n      ^~~~\n"
          "a.yaml:7:1: a key must not be empty\n    '': v\n    ^~\n");
    then_text("ok", "1");
    assert_true(tree_complete(t));
}

static void
an_alias_needs_an_anchor_before_it(void **state)
{
    (void)state;
    check("a: *x\nb: &x 1\n", "a.yaml:1:4: there is no anchor '&x' before this\n"
                              "    a: *x\n"
                              "       ^~\n");
    check("a: &x [*x]\n", "a.yaml:1:8: there is no anchor '&x' before this\n"
                          "    a: &x [*x]\n"
                          "           ^~\n");
}

static void
a_second_document_is_refused(void **state)
{
    (void)state;
    check("a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document (put it into a file of its own)\n"
                               "    ---\n"
                               "    ^\n");
}

static void
a_file_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    when_loaded();
    then_printed("a.yaml: cannot be opened: no such file or directory\n");
    assert_false(tree_complete(t));
    check("", "a.yaml: is empty\n");
    check("# only this\n\n", "a.yaml: is empty\n");
    check("---\n", "a.yaml: is empty\n");
    given_bytes("a.yaml", "a: b\0c\n", 7);
    when_loaded();
    then_printed("a.yaml: is binary (it holds a NUL byte)\n");
    check("a: 1\nb: x\xff\n", "a.yaml:2:5: not UTF-8 text: invalid leading UTF-8 octet\n"
                              "    b: x?\n"
                              "        ^\n");
    check("a: \x1b[1m\n", "a.yaml:1:4: not UTF-8 text: control characters are not allowed\n"
                          "    a: ?[1m\n"
                          "       ^~~~\n");
    remove("a.yaml");
    mkdir("a.yaml", 0700);
    when_loaded();
    then_printed("a.yaml: is a directory\n");
    remove("a.yaml");
    assert_int_equal(mkfifo("a.yaml", 0600), 0);
    when_loaded();
    then_printed("a.yaml: is not a regular file\n");
}

/* ---- limits --------------------------------------------------------------------- */

static void
an_alias_bomb_ends_early(void **state)
{
    struct buf     yaml = { NULL, 0, 0 };
    const uint64_t begin = clock_ms();

    (void)state;
    buf_add_string(&yaml, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++)
        buf_printf(&yaml, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    given_file("a.yaml", buf_string(&yaml));
    buf_fini(&yaml);
    when_loaded();
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text,
                        "the configuration is too large (more than 1000000 values)");
    assert_true(clock_ms() - begin < 10000);
}

static void
a_hundred_levels_are_enough(void **state)
{
    char yaml[300];

    (void)state;
    memset(yaml, '[', sizeof yaml - 1);
    yaml[sizeof yaml - 1] = '\0';
    memcpy(yaml, "a: ", 3);
    given_file("a.yaml", yaml);
    when_loaded();
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text, "nested too deeply (more than 100 levels)");
    memcpy(yaml, "? [", 3);     /* a key is only read over */
    given_file("a.yaml", yaml);
    when_loaded();
    assert_int_equal(errs.count, 2);
    assert_string_equal(errs.list[1].text, "nested too deeply (more than 100 levels)");
}

static void
a_file_of_ten_megabytes_is_read_soon_and_a_larger_one_refused(void **state)
{
    struct buf     yaml = { NULL, 0, 0 };
    const uint64_t begin = clock_ms();

    (void)state;
    for (int i = 0; yaml.len < 10 << 20; i++)
        buf_printf(&yaml, "key%d: %060d\n", i, i);
    given_bytes("a.yaml", yaml.ptr, yaml.len);
    when_loaded();
    then_fine();
    then_text("key100", "000000000000000000000000000000000000000000000000000000000100");
    assert_true(clock_ms() - begin < 30000);
    while (yaml.len <= 16 << 20)
        buf_add_string(&yaml, "# and a comment that makes it larger than it may be\n");
    given_bytes("a.yaml", yaml.ptr, yaml.len);
    buf_fini(&yaml);
    when_loaded();
    then_printed("a.yaml: is too large (more than 16384 KiB)\n");
}

/* ---- includes ------------------------------------------------------------------- */

static void
included_files_are_merged_in_sorted_order(void **state)
{
    (void)state;
    mkdir("conf.d", 0700);
    given_file("a.yaml", "include: conf.d/*.yaml\ninputs: {main: {}}\nroutes: [{topic: 0}]\n");
    given_file("conf.d/20.yaml", "inputs: {b: {}}\nroutes: [{topic: 2}]\n");
    given_file("conf.d/10.yaml", "inputs: {a: {}}\nroutes: [{topic: 1}]\nparsers:\n");
    given_file("conf.d/30.yaml", "parsers: {p: {}}\nagent: {memory: 1}\ntests: [{}]\n");
    when_loaded();
    then_fine();
    assert_non_null(at("inputs/main"));
    assert_non_null(at("inputs/a"));
    assert_non_null(at("inputs/b"));
    assert_non_null(at("parsers/p"));
    then_text("routes/0/topic", "0");
    then_text("routes/1/topic", "1");
    then_text("routes/2/topic", "2");
    assert_string_equal(at("routes/1")->at.file, "conf.d/10.yaml");
    assert_null(at("include"));
}

static void
an_include_may_be_a_list_and_include_others(void **state)
{
    (void)state;
    mkdir("d", 0700);
    given_file("a.yaml", "include: [d/b.yaml, 'd/no*.yaml', \"d/{c,x}.yaml\"]\n");
    given_file("d/b.yaml", "include: c.yaml\nx: 1\n");
    given_file("d/c.yaml", "y: 2\n");
    when_loaded();
    then_fine();
    then_text("x", "1");
    then_text("y", "2");        /* once, though two lead to it */
    assert_int_equal(node_count(tree_root(t)), 2);
}

static void
a_name_defined_in_two_files_is_told_with_both_places(void **state)
{
    (void)state;
    given_file("b.yaml", "agent: {}\ninputs:\n  other: {}\n  web: {}\n");
    check("include: b.yaml\nagent:\n  memory: 1\ninputs:\n  web: {}\n",
          "b.yaml:1:1: 'agent' may stand in one file only (first at a.yaml:2:1)\n"
          "    agent: {}\n"
          "    ^~~~~\n"
          "b.yaml:4:3: 'web' is defined twice (first at a.yaml:5:3)\n"
          "      web: {}\n"
          "      ^~~\n");
    assert_int_equal(node_count(at("inputs")), 2);
}

static void
an_include_that_leads_nowhere_is_told(void **state)
{
    (void)state;
    mkdir("d", 0700);
    given_file("e.yaml", "# nothing\n");
    check("include: [b.yaml, d, e.yaml, [x], 'nothing/*.yaml']\nx: 1\n",
          "a.yaml:1:11: file 'b.yaml' cannot be opened: no such file or directory\n"
          "    include: [b.yaml, d, e.yaml, [x], 'nothing/*.yaml']\n"
          "              ^~~~~~\n"
          "a.yaml:1:19: file 'd' is a directory\n"
          "    include: [b.yaml, d, e.yaml, [x], 'nothing/*.yaml']\n"
          "                      ^\n"
          "a.yaml:1:30: 'include' must be a file name, a glob or a list of them, not a list\n"
          "    include: [b.yaml, d, e.yaml, [x], 'nothing/*.yaml']\n"
          "                                 ^\n"
          "e.yaml: is empty\n");
    assert_false(tree_complete(t));
}

static void
a_file_that_includes_itself_is_told(void **state)
{
    (void)state;
    given_file("b.yaml", "include: ./a.yaml\n");
    check("include: b.yaml\n", "b.yaml:1:10: file 'a.yaml' includes itself\n"
                               "    include: ./a.yaml\n"
                               "             ^~~~~~~~\n");
}

/* ---- printing ------------------------------------------------------------------- */

static void
errors_are_sorted_by_file_and_place(void **state)
{
    (void)state;
    given_file("b.yaml", "x: 1\n");
    given_file("a.yaml", "include: b.yaml\ny: 2\nz: 3\n");
    when_loaded();
    errors_at(&errs, NO_MARK, "nowhere");
    errors_at(&errs, (struct mark){ "b.yaml", 1, 1 }, "third");
    errors_at(&errs, at("z")->at, "second");
    errors_at(&errs, at("y")->key_at, "first");
    errors_at(&errs, (struct mark){ "a.yaml", 0, 0 }, "whole");
    then_printed("a.yaml: whole\n"
                 "a.yaml:2:1: first\n    y: 2\n    ^\n"
                 "a.yaml:3:4: second\n    z: 3\n       ^\n"
                 "b.yaml:1:1: third\n    x: 1\n    ^\n"
                 "nowhere\n");
}

static void
the_caret_stands_under_tabs_and_wide_texts(void **state)
{
    (void)state;
    given_file("a.yaml", "a: {\t\"gr\xc3\xbc\xc3\x9f\": \"gar \xc3\xbc" "bel\", b: c}\n");
    when_loaded();
    then_fine();
    errors_at(&errs, at("a/gr\xc3\xbc\xc3\x9f")->at, "value");
    errors_at(&errs, at("a/b")->at, "last");
    then_printed("a.yaml:1:14: value\n"
                 "    a: {\t\"gr\xc3\xbc\xc3\x9f\": \"gar \xc3\xbc" "bel\", b: c}\n"
                 "        \t        ^~~~~~~~~~\n"
                 "a.yaml:1:29: last\n"
                 "    a: {\t\"gr\xc3\xbc\xc3\x9f\": \"gar \xc3\xbc" "bel\", b: c}\n"
                 "        \t                       ^\n");
}

static void
a_value_is_underlined_to_its_end(void **state)
{
    (void)state;
    given_file("a.yaml", "a: two words, three   # comment\nb: [x, y z]\nd: |\n  text\n");
    when_loaded();
    then_fine();
    errors_at(&errs, at("a")->at, "a");
    errors_at(&errs, at("b/1")->at, "b");
    errors_at(&errs, at("b")->at, "list");
    errors_at(&errs, at("d")->at, "d");
    then_printed("a.yaml:1:4: a\n"
                 "    a: two words, three   # comment\n"
                 "       ^~~~~~~~~~~~~~~~\n"
                 "a.yaml:2:4: list\n"
                 "    b: [x, y z]\n"
                 "       ^\n"
                 "a.yaml:2:8: b\n"
                 "    b: [x, y z]\n"
                 "           ^~~\n"
                 "a.yaml:3:4: d\n"
                 "    d: |\n"
                 "       ^\n");
}

static void
a_long_line_is_cut_around_the_place(void **state)
{
    struct buf yaml = { NULL, 0, 0 };
    char      *text, *rest, *source, *caret;

    (void)state;
    buf_add_string(&yaml, "a: [");
    for (int i = 0; i < 1000; i++)
        buf_printf(&yaml, "v%d, ", i);
    buf_add_string(&yaml, "end]\n");
    given_file("a.yaml", buf_string(&yaml));
    buf_fini(&yaml);
    when_loaded();
    then_fine();
    errors_at(&errs, at("a/500")->at, "here");
    rest = text = printed(t, &errs);
    assert_string_equal(strsep(&rest, "\n"), "a.yaml:1:2895: here");
    source = strsep(&rest, "\n");
    caret = strsep(&rest, "\n");
    assert_int_equal(strlen(source), 4 + 200);
    assert_memory_equal(source + strspn(caret, " "), "v500,", 5);
    assert_string_equal(caret + strspn(caret, " "), "^~~~");
    free(text);
}

static void
the_source_of_a_secret_shows_no_secret(void **state)
{
    char *text;

    (void)state;
    given_file("password", "hunter2\n");
    given_file("a.yaml", "a: ${file:password}\n");
    when_loaded();
    errors_at(&errs, at("a")->at, "wrong: %s", node_shown(at("a")));
    text = printed(t, &errs);
    assert_null(strstr(text, "hunter2"));
    assert_string_equal(text, "a.yaml:1:4: wrong: (secret)\n"
                              "    a: ${file:password}\n"
                              "       ^~~~~~~~~~~~~~~~\n");
    free(text);
}

static void
a_password_in_the_line_of_a_mistake_is_hidden(void **state)
{
    static const char *const cases[][2] = {
        { "{m: {x: 1, sasl.password: hunté2, y: 2}}", "{m: {x: 1, sasl.password: ******, y: 2}}" },
        { "{m: {x: 1, 'ssl.key.password':\"a, b\"}}", "{m: {x: 1, 'ssl.key.password':******}}" },
        { "{m: {jaas.config: 'a b', client.Secret: c d}, x: 1}",
          "{m: {jaas.config: *****, client.Secret: ***}, x: 1}" },
        { "{m: 'user=\"a\" password=\"b: c\";'}", "{m: 'user=\"a\" password=******;'}" },
        { "{m: {x: secret-host:9092, password: '${env:NONE:-}'}}",
          "{m: {x: secret-host:9092, password: '${env:NONE:-}'}}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *shown;
        char       *text, *line;

        given_file("a.yaml", cases[i][0]);
        when_loaded();
        then_fine();
        errors_at(&errs, (struct mark){ at("m")->at.file, 1, 2 }, "here");
        text = line = printed(t, &errs);
        (void)strsep(&line, "\n");
        shown = strsep(&line, "\n");
        assert_string_equal(shown + 4, cases[i][1]);
        free(text);
        tear_down(state);
        set_up(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(maps_lists_and_texts_become_nodes_with_places),
        TEST(only_what_is_plain_can_be_nothing),
        TEST(a_byte_order_mark_and_crlf_are_taken),
        TEST(aliases_stand_for_what_they_name),
        TEST(merge_keys_fill_in_what_a_map_does_not_say),
        TEST(variables_are_replaced_in_any_value),
        TEST(an_empty_variable_takes_the_default),
        TEST(what_belongs_to_templates_stays),
        TEST(a_variable_that_is_not_set_is_told_at_its_place),
        TEST(every_variable_of_a_text_is_checked),
        TEST(a_secret_is_the_content_without_its_last_newline),
        TEST(a_secret_that_cannot_be_read_is_told),
        TEST(a_syntax_error_ends_the_file),
        TEST(a_key_stands_once_in_its_map),
        TEST(tags_and_keys_that_are_no_texts_are_refused),
        TEST(an_alias_needs_an_anchor_before_it),
        TEST(a_second_document_is_refused),
        TEST(a_file_that_cannot_be_used_is_named),
        TEST(an_alias_bomb_ends_early),
        TEST(a_hundred_levels_are_enough),
        TEST(a_file_of_ten_megabytes_is_read_soon_and_a_larger_one_refused),
        TEST(included_files_are_merged_in_sorted_order),
        TEST(an_include_may_be_a_list_and_include_others),
        TEST(a_name_defined_in_two_files_is_told_with_both_places),
        TEST(an_include_that_leads_nowhere_is_told),
        TEST(a_file_that_includes_itself_is_told),
        TEST(errors_are_sorted_by_file_and_place),
        TEST(the_caret_stands_under_tabs_and_wide_texts),
        TEST(a_value_is_underlined_to_its_end),
        TEST(a_long_line_is_cut_around_the_place),
        TEST(the_source_of_a_secret_shows_no_secret),
        TEST(a_password_in_the_line_of_a_mistake_is_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
