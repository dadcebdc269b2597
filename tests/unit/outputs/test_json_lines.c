/* test_json_lines.c - the file output: what is delivered is in the file, what
 * cannot be written waits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/plan.h"
#include "agent/flow/source.h"

extern const struct output_type file_output_type;

/* The pipeline's part, as far as an output sees it. */
static uv_loop_t loop;
static uint32_t  delivered;

uv_loop_t *
pipeline_loop(const struct pipeline *p)
{
    (void)p;
    return &loop;
}

void
pipeline_delivered(struct pipeline *p, struct chunk *c, uint32_t count)
{
    (void)p;
    c->acked += count;
    delivered += count;
}

void
pipeline_unpin(struct pipeline *p, struct chunk *c)
{
    (void)p;
    assert_true(c->pins > 0);
    c->pins--;
}

static char           folder[64], path[128];
static struct source  source;
static struct plan   *plan;
static struct chunk  *chunk;
static struct output *output;

static struct output *
load(const char *text)
{
    struct errors      errs = { NULL, 0, 0 };
    struct node        value = {
        .kind = NODE_SCALAR, .text = text, .len = strlen(text), .key = "path",
    };
    const struct node  conf = { .kind = NODE_MAP, .first = &value };
    struct output     *o = file_output_type.load("out", "output 'out'", &conf, &errs);

    assert_true((o != NULL) == (errs.count == 0));
    errors_fini(&errs);
    return o;
}

static int
set_up(void **state)
{
    char        template[96];
    struct error err;

    (void)state;
    strcpy(folder, "/tmp/stoker-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(template, sizeof template, "%s/sub/${topic}.json", folder);
    uv_loop_init(&loop);
    delivered = 0;
    plan = plan_new("in", "host");
    source_init(&source, NULL, plan, "/var/log/a.log");
    chunk = chunk_new(CHUNK_SIZE);
    chunk_begin(chunk, &source, 0, "/var/log/a.log", "a.log");
    output = load(template);
    assert_non_null(output);
    assert_int_equal(output->ops->start(output, NULL, &err), 0);
    return 0;
}

static void
on_stopped(void *ctx)
{
    *(bool *)ctx = true;
}

static int
tear_down(void **state)
{
    bool stopped = false;
    char command[128];

    (void)state;
    output->ops->stop(output, on_stopped, &stopped);
    assert_false(stopped);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(stopped);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(chunk->pins, 0);
    output->ops->free(output);
    chunk_free(&chunk);
    source_fini(&source);
    plan_free(plan);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void
when_sent(const char *topic, const char *value)
{
    struct message *m = chunk_add(chunk);
    struct run      run = {
        .output = output, .topic = slice_of(topic), .partition = PARTITION_FREE, .chunk = chunk,
        .first = chunk->nmessages - 1, .count = 1,
    };

    m->value = value;
    m->value_len = (uint32_t)strlen(value);
    m->partition = PARTITION_FREE;
    m->timestamp = NO_TIMESTAMP;
    output->ops->send(output, &run);
}

static void
until_delivered(uint32_t count)
{
    while (delivered < count)
        uv_run(&loop, UV_RUN_ONCE);
}

static void
then_file_holds(const char *name, const char *expected)
{
    char  text[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/sub/%s", folder, name);
    f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(text, expected);
}

static void
make_folder(void)
{
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
}

#define LINE(topic, value)                                                                    \
    "{\"output\":\"out\",\"topic\":\"" topic "\",\"partition\":null,\"key\":null,"            \
    "\"headers\":null,\"timestamp\":null,\"value\":\"" value "\"}\n"

static void
records_are_lines_in_order_and_the_topic_names_the_file(void **state)
{
    (void)state;
    make_folder();
    when_sent("a", "one");
    when_sent("b", "two");
    when_sent("a", "three");
    assert_int_equal(delivered, 0);         /* never from inside send */
    until_delivered(3);
    then_file_holds("a.json", LINE("a", "one") LINE("a", "three"));
    then_file_holds("b.json", LINE("b", "two"));
}

static void
what_cannot_be_written_waits_until_it_can(void **state)
{
    (void)state;
    when_sent("a", "one");
    while (uv_run(&loop, UV_RUN_ONCE) != 0 && loop.active_reqs.count > 0)
        continue;
    assert_int_equal(delivered, 0);
    make_folder();
    when_sent("a", "two");
    until_delivered(2);
    then_file_holds("a.json", LINE("a", "one") LINE("a", "two"));
}

static void
a_topic_cannot_lead_out_of_the_folder(void **state)
{
    (void)state;
    make_folder();
    when_sent("../up", "x");
    until_delivered(1);
    then_file_holds(".._up.json", LINE("../up", "x"));
}

static void
a_path_with_a_field_of_the_line_is_refused_at_load(void **state)
{
    (void)state;
    assert_null(load("/tmp/${client}"));
    assert_null(load("/tmp/${"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_lines_in_order_and_the_topic_names_the_file),
        TEST(what_cannot_be_written_waits_until_it_can),
        TEST(a_topic_cannot_lead_out_of_the_folder),
        TEST(a_path_with_a_field_of_the_line_is_refused_at_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
