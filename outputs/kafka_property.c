/* kafka_property.c - see kafka_property.h.
 *
 * The library prints its own reference as a Markdown table; the first three
 * columns of a row are name, C/P/ * and range; behind the others is said what it
 * is another name of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka_property.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/data/field.h"

struct property {
    char *name;
    char  side;         /* 'C', 'P' or '*' for both */
    char *range;        /* "0 .. 900000", "true, false", or "" */
    char *alias_of;     /* the name that it has first of all, or NULL */
    const struct node *set_by;
};

struct kafka_properties {
    struct property *list;
    size_t           count;
};

/* ---- The list -------------------------------------------------------------- */

/* One cell, without the blanks around; *at moves behind its bar.  NULL: no more. */
static char *
next_cell(const char **at)
{
    const char *begin = *at, *bar = strchr(begin, '|'), *end = bar;

    if (bar == NULL)
        return NULL;
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && end[-1] == ' ')
        end--;
    *at = bar + 1;
    return mem_copy(begin, (size_t)(end - begin));
}

static char *
find_alias(const char *line)
{
    static const char before[] = "| Alias for `";
    const char       *name = strstr(line, before);

    if (name == NULL)
        return NULL;
    name += sizeof before - 1;
    return mem_copy(name, strcspn(name, "`"));
}

static void
add_row(struct kafka_properties *p, const char *line)
{
    char *name = next_cell(&line), *side = NULL, *range = NULL;

    if (name != NULL)
        side = next_cell(&line);
    if (side != NULL)
        range = next_cell(&line);
    if (range != NULL && strlen(side) == 1 && strchr("CP*", *side) != NULL) {
        p->list = mem_array(p->list, p->count + 1, sizeof *p->list);
        p->list[p->count++] = (struct property){ name, *side, range, find_alias(line), NULL };
        name = range = NULL;
    }
    free(name);
    free(side);
    free(range);
}

struct kafka_properties *
kafka_properties_new(void)
{
    struct kafka_properties *p = NEW(struct kafka_properties);
    char                    *text = NULL, *rest, *line;
    size_t                   len;
    FILE                    *out = open_memstream(&text, &len);

    if (out == NULL)
        return p;
    rd_kafka_conf_properties_show(out);
    fclose(out);
    for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        add_row(p, line);
    free(text);
    return p;
}

void
kafka_properties_free(struct kafka_properties *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].name);
        free(p->list[i].range);
        free(p->list[i].alias_of);
    }
    free(p->list);
    free(p);
}

static struct property *
find(const struct kafka_properties *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    return NULL;
}

enum kafka_property_kind
kafka_properties_kind(const struct kafka_properties *p, const char *name)
{
    const struct property *prop = find(p, name);

    if (prop == NULL)
        return PROPERTY_UNKNOWN;
    return prop->side == 'C' ? PROPERTY_CONSUMER : PROPERTY_PRODUCER;
}

const char *
kafka_properties_first_name(const struct kafka_properties *p, const char *name)
{
    const struct property *prop = find(p, name);

    return prop != NULL && prop->alias_of != NULL ? prop->alias_of : name;
}

size_t
kafka_properties_names(const struct kafka_properties *p, const char **names, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count && n < room; i++)
        if (p->list[i].side != 'C')
            names[n++] = p->list[i].name;
    return n;
}

/* ---- Values ---------------------------------------------------------------- */

bool
kafka_property_secret(const char *name)
{
    static const char *const secrets[] = {
        "sasl.password", "sasl.jaas.config", "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret", "ssl.key.password", "ssl.key.pem",
        "ssl.keystore.password", "ssl.keystore.key", "ssl.truststore.password",
    };

    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strcmp(name, secrets[i]) == 0)
            return true;
    return false;
}

struct mark
kafka_property_away(const struct node *entry, const struct node *map)
{
    if (map->key_at.file != NULL && map->key_at.line < entry->key_at.line)
        return map->key_at;
    return NO_MARK;
}

struct mark
kafka_property_place(const struct node *entry, const struct node *map)
{
    return kafka_property_secret(entry->key) ? kafka_property_away(entry, map) : entry->at;
}

/* An element of the text; a NUL inside would cut off what follows. */
static int
add_text(struct buf *b, const struct node *n, const struct node *entry, const struct node *map,
         struct errors *errs)
{
    const struct mark place = kafka_property_secret(entry->key) ? kafka_property_place(entry, map)
                                                                : n->at;

    if (n->kind != NODE_SCALAR)
        return errors_at(errs, place, "'%s' must be a text, not %s", entry->key,
                         node_kind_name(n));
    if (strlen(n->text) != n->len)
        return errors_at(errs, place, "'%s' must not hold a NUL byte", entry->key);
    if (b->len > 0)
        buf_add_char(b, ',');
    buf_add_string(b, n->text);
    return 0;
}

char *
kafka_property_text(const struct node *entry, const struct node *map, struct errors *errs)
{
    struct buf b = { NULL, 0, 0 };
    int        rc = 0;

    for (const struct node *n = node_first_of(entry); n != NULL; n = node_next_of(entry, n))
        rc |= add_text(&b, n, entry, map, errs);
    if (rc == 0) {
        (void)buf_string(&b);
        return b.ptr;
    }
    buf_fini(&b);
    return NULL;
}

bool
kafka_property_ms(const char *text, double *ms)
{
    struct error err;
    char        *end;
    const double bare = strtod(text, &end);
    uint64_t     whole;

    if (*text >= '0' && *text <= '9' && *end == '\0')
        *ms = bare;
    else if (field_time(text, &whole, &err) == 0)
        *ms = (double)whole;
    else
        return false;
    return true;
}

static bool
ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

/* "30s" for a number of milliseconds, "1MiB" for bytes, "yes" for true. */
static void
plain_value(const struct property *prop, const char *text, char *value, size_t room)
{
    struct error err;
    uint64_t     number;
    bool         yes;

    snprintf(value, room, "%s", text);
    if (strcmp(prop->range, "true, false") == 0) {
        if (field_bool(text, &yes, &err) == 0)
            snprintf(value, room, "%s", yes ? "true" : "false");
    } else if (strstr(prop->range, " .. ") != NULL) {
        if (ends_with(prop->name, ".ms") ? field_time(text, &number, &err) == 0
                                         : field_size(text, &number, &err) == 0)
            snprintf(value, room, "%" PRIu64, number);
    }
}

/* The library itself takes what stands before the first letter ("1e6" is 1), octal and
 * hexadecimal numbers, and cuts off the high bits of what is too large. */
static bool
is_in_range(const struct property *prop, const char *value)
{
    long long least, most, number;
    char     *end;

    if (sscanf(prop->range, "%lld .. %lld", &least, &most) != 2)
        return true;
    errno = 0;
    number = strtoll(value, &end, 10);
    return errno == 0 && strchr("-0123456789", *value) != NULL && end != value && *end == '\0' &&
           number >= least && number <= most;
}

static bool
is_secret(const struct node *entry)
{
    bool secret = entry->secret || kafka_property_secret(entry->key);

    for (const struct node *n = node_first_of(entry); n != NULL; n = node_next_of(entry, n))
        secret = secret || n->secret;
    return secret;
}

/* Why a value was refused, in our own words: the library's would print it. */
static int
say_refused(const struct property *prop, const char *why, const char *text,
            const struct node *entry, const struct node *map, struct errors *errs)
{
    const struct mark place = kafka_property_place(entry, map);
    const char       *build = strstr(why, "not supported in this build: ");

    if (build != NULL)
        return errors_at(errs, place, "'%s' is %s", entry->key, build);
    if (strstr(why, "dedicated") != NULL)
        return errors_at(errs, entry->key_at,
                         "'%s' is no text: it cannot be set in a configuration", entry->key);
    if (is_secret(entry))
        return errors_at(errs, place, "the value of '%s' is not valid", entry->key);
    if (*prop->range != '\0')
        return errors_at(errs, place, "'%s' must be %s%s, not '%s'", entry->key,
                         strstr(prop->range, " .. ") != NULL ? "" : "one of ", prop->range, text);
    return errors_at(errs, place, "'%s' cannot be '%s'", entry->key, text);
}

/* A file that cannot be read is told as such; the library's words are OpenSSL's. */
static int
check_file(const char *name, const char *text, const struct node *entry, const struct node *map,
           struct errors *errs)
{
    const char *why;

    if (strncmp(name, "ssl.", 4) != 0 || !ends_with(name, ".location") || access(text, R_OK) == 0)
        return 0;
    if (strcmp(name, "ssl.ca.location") == 0 && strcmp(text, "probe") == 0)
        return 0;                   /* wherever systems have them */
    why = uv_strerror(uv_translate_sys_error(errno));
    if (is_secret(entry))
        return errors_at(errs, kafka_property_place(entry, map),
                         "the file of '%s' cannot be read: %s", entry->key, why);
    return errors_at(errs, entry->at, "'%s': cannot read '%s': %s", entry->key, text, why);
}

/* Two entries may not set the same property: which of them counts? */
static int
claim(const struct kafka_properties *p, const char *name, const struct node *entry,
      const struct node *map, struct errors *errs)
{
    struct property *first = find(p, kafka_properties_first_name(p, name));

    if (first == NULL)
        return 0;
    if (first->set_by != NULL && first->set_by != entry)
        return errors_at(errs, kafka_property_secret(entry->key) ? kafka_property_place(entry, map)
                                                                 : entry->key_at,
                         "'%s' is the same setting as '%s', which is there too", entry->key,
                         first->set_by->key);
    first->set_by = entry;
    return 0;
}

int
kafka_properties_set(struct kafka_properties *p, rd_kafka_conf_t *client, const char *name,
                     const char *text, const struct node *entry, const struct node *map,
                     struct errors *errs)
{
    const struct property  none = { .range = (char[]){ "" } };
    const struct property *prop = find(p, name);
    char                   why[512] = "", number[64];

    if (claim(p, name, entry, map, errs) == -1 || check_file(name, text, entry, map, errs) == -1)
        return -1;
    if (prop == NULL)
        prop = &none;
    if (strlen(text) < sizeof number && prop != &none) {
        plain_value(prop, text, number, sizeof number);
        if (is_in_range(prop, number) &&
            rd_kafka_conf_set(client, name, number, why, sizeof why) == RD_KAFKA_CONF_OK)
            return 0;
    } else if (rd_kafka_conf_set(client, name, text, why, sizeof why) == RD_KAFKA_CONF_OK) {
        return 0;
    }
    return say_refused(prop, why, text, entry, map, errs);
}
