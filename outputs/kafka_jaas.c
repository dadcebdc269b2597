/* kafka_jaas.c - the login line of the Java client.
 *
 *     org.apache.kafka.common.security.plain.PlainLoginModule required
 *         username="alice" password="secret";
 *
 * Nothing of it is ever shown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "outputs/kafka_java.h"

/* The option of a login module, and the property that it is here; NULL: it has
 * no meaning. */
struct option {
    const char *name;
    const char *property;
};

static const struct option password_options[] = {
    { "username", "sasl.username" }, { "password", "sasl.password" },
    { "serviceName", "sasl.kerberos.service.name" }, { NULL, NULL },
};

static const struct option kerberos_options[] = {
    { "keyTab", "sasl.kerberos.keytab" }, { "principal", "sasl.kerberos.principal" },
    { "serviceName", "sasl.kerberos.service.name" }, { "useKeyTab", NULL },
    { "storeKey", NULL }, { "useTicketCache", NULL }, { "doNotPrompt", NULL },
    { "refreshKrb5Config", NULL }, { "renewTGT", NULL }, { NULL, NULL },
};

static const struct module {
    const char          *name;
    const struct option *options;
    bool                 password;
} modules[] = {
    { "org.apache.kafka.common.security.plain.PlainLoginModule", password_options, true },
    { "org.apache.kafka.common.security.scram.ScramLoginModule", password_options, true },
    { "com.sun.security.auth.module.Krb5LoginModule", kerberos_options, false },
};

static int
refuse(struct kafka_loading *l, const struct node *entry, const char *why)
{
    return errors_at(l->errs, kafka_property_place(entry, l->map), "'%s' %s", entry->key, why);
}

/* A word ends at a blank, "=" or ";"; in quotes a backslash takes the next
 * character as it is.  False: none, or its quote is never closed. */
static bool
next_word(const char **at, struct buf *word)
{
    const char *p = *at;
    char        quote = '\0';

    buf_clear(word);
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '"' || *p == '\'')
        quote = *p++;
    for (; *p != '\0'; p++) {
        if (quote != '\0' ? *p == quote : isspace((unsigned char)*p) || *p == '=' || *p == ';')
            break;
        if (quote != '\0' && *p == '\\' && p[1] != '\0')
            p++;
        buf_add_char(word, *p);
    }
    if (quote != '\0' && *p++ != quote)
        return false;
    while (isspace((unsigned char)*p))
        p++;
    *at = p;
    return quote != '\0' || word->len > 0;
}

static const struct module *
find_module(const char *name)
{
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (strcmp(modules[i].name, name) == 0)
            return &modules[i];
    return NULL;
}

/* Options of others are skipped, as the Java modules do. */
static int
take_option(struct kafka_loading *l, const struct node *entry, const struct module *m,
            const char *name, const char *value)
{
    const struct option *o = m->options;

    while (o->name != NULL && strcmp(o->name, name) != 0)
        o++;
    if (o->name == NULL || o->property == NULL)
        return 0;
    return kafka_properties_set(l->properties, l->settings->client, o->property, value, entry,
                                l->map, l->errs);
}

static int
take_options(struct kafka_loading *l, const struct node *entry, const struct module *m,
             const char *at)
{
    struct buf name = { NULL, 0, 0 }, value = { NULL, 0, 0 };
    bool       user = !m->password, password = !m->password;
    int        rc = 0;

    while (rc == 0 && *at != ';' && *at != '\0') {
        if (!next_word(&at, &name) || *at++ != '=' || !next_word(&at, &value)) {
            rc = refuse(l, entry, "is not a login line (module required name=\"value\" ...;)");
            break;
        }
        user = user || strcmp(buf_string(&name), "username") == 0;
        password = password || strcmp(buf_string(&name), "password") == 0;
        rc = take_option(l, entry, m, buf_string(&name), buf_string(&value));
    }
    if (rc == 0 && *at != ';')
        rc = refuse(l, entry, "must end with a semicolon");
    else if (rc == 0 && (!user || !password))
        rc = refuse(l, entry, "needs username and password");
    buf_fini(&name);
    buf_fini(&value);
    return rc;
}

void
kafka_jaas_take(struct kafka_loading *l, const struct node *entry, const char *text)
{
    struct buf           word = { NULL, 0, 0 };
    const struct module *m = NULL;

    if (next_word(&text, &word))
        m = find_module(buf_string(&word));
    if (m == NULL)
        (void)refuse(l, entry, "names a login module that cannot be used here (PlainLoginModule, "
                               "ScramLoginModule and Krb5LoginModule can)");
    else if (!next_word(&text, &word) || strcmp(buf_string(&word), "required") != 0)
        (void)refuse(l, entry, "must say 'required' after the login module");
    else
        (void)take_options(l, entry, m, text);
    buf_fini(&word);
}
