/* kafka_security.c - logins and TLS: what does not go together.
 *
 * librdkafka finds some of it, in its own words and at no place; some only when it
 * connects; and of some it says nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/log.h"
#include "outputs/kafka_java.h"

static const char *const mechanisms[] = {
    "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER",
};

enum { NMECHANISMS = sizeof mechanisms / sizeof *mechanisms };

/* Has it any value?  No more of it is looked at. */
static bool
is_set(const struct kafka_loading *l, const char *property)
{
    char first[2] = "";

    return kafka_settings_get(l->settings, property, first, sizeof first) && *first != '\0';
}

static bool
is_set_to(const struct kafka_loading *l, const char *property, const char *value)
{
    char text[64] = "";

    return kafka_settings_get(l->settings, property, text, sizeof text) &&
           strcmp(text, value) == 0;
}

static const struct node *
first_of(const struct kafka_loading *l, const char *const *keys, size_t count)
{
    const struct node *n = NULL;

    for (size_t i = 0; i < count && n == NULL; i++)
        n = node_get(l->map, keys[i]);
    return n;
}

/* ---- Logins ---------------------------------------------------------------- */

static bool
uses_kerberos(const struct kafka_loading *l)
{
    for (const struct node *n = l->map->first; n != NULL; n = n->next)
        if (strncmp(n->key, "sasl.kerberos.", strlen("sasl.kerberos.")) == 0)
            return true;
    return is_set(l, "sasl.kerberos.keytab");       /* by a login line */
}

static void
check_oauth(struct kafka_loading *l, const struct node *mechanism)
{
    if (!is_set_to(l, "sasl.oauthbearer.method", "oidc") &&
        !is_set_to(l, "enable.sasl.oauthbearer.unsecure.jwt", "true"))
        (void)errors_at(l->errs, mechanism->at,
                        "OAUTHBEARER needs 'sasl.oauthbearer.method: oidc'");
}

static void
say_unknown(struct kafka_loading *l, const struct node *mechanism)
{
    const char *near = mechanism->secret ? NULL : strings_nearest(mechanism->text, mechanisms,
                                                                  NMECHANISMS);

    if (near != NULL)
        (void)errors_at(l->errs, mechanism->at, "'%s' cannot be '%s' (did you mean '%s'?)",
                        mechanism->key, mechanism->text, near);
    else
        (void)errors_at(l->errs, mechanism->at, "'%s' must be one of PLAIN, SCRAM-SHA-256, "
                        "SCRAM-SHA-512, GSSAPI, OAUTHBEARER, not '%s'", mechanism->key,
                        node_shown(mechanism));
}

/* What it asks for, if anybody is to log in. */
static void
check_needs(struct kafka_loading *l, const struct node *mechanism)
{
    const char *name = mechanism->text;

    if (node_get(l->map, "sasl.jaas.config") != NULL)
        return;                     /* which says itself what it lacks */
    if (strcmp(name, "PLAIN") == 0 || strncmp(name, "SCRAM", 5) == 0) {
        if (!is_set(l, "sasl.username") || !is_set(l, "sasl.password"))
            (void)errors_at(l->errs, mechanism->at, "%s needs 'sasl.username' and "
                            "'sasl.password', or 'sasl.jaas.config'", node_shown(mechanism));
    } else if (strcmp(name, "GSSAPI") == 0) {
        if (!is_set(l, "sasl.kerberos.keytab") &&
            node_get(l->map, "sasl.kerberos.kinit.cmd") == NULL)
            (void)errors_at(l->errs, mechanism->at, "GSSAPI needs 'sasl.kerberos.keytab', or a "
                            "'sasl.kerberos.kinit.cmd' that does without");
    }
}

static void
check_login(struct kafka_loading *l, const struct node *protocol)
{
    static const char *const keys[] = { "sasl.mechanism", "sasl.mechanisms" };
    const struct node       *mechanism = first_of(l, keys, 2);
    bool                     known = false;

    if (mechanism == NULL) {
        if (protocol != NULL && !uses_kerberos(l))
            (void)errors_at(l->errs, protocol->at, "security.protocol %s needs 'sasl.mechanism' "
                            "(PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 ...; without it is GSSAPI, "
                            "Kerberos)", node_shown(protocol));
        return;
    }
    if (mechanism->kind != NODE_SCALAR)
        return;
    for (size_t i = 0; i < NMECHANISMS; i++)
        known = known || strcmp(mechanism->text, mechanisms[i]) == 0;
    if (!known)
        say_unknown(l, mechanism);
    else if (strcmp(mechanism->text, "OAUTHBEARER") == 0)
        check_oauth(l, mechanism);
    else if (protocol != NULL)
        check_needs(l, mechanism);
}

/* ---- TLS ------------------------------------------------------------------- */

/* One without the other: librdkafka would connect without certificate, or tell in OpenSSL's
 * words that there is none. */
static void
check_pair(struct kafka_loading *l)
{
    static const char *const certificates[] = {
        "ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.certificate.chain",
    };
    static const char *const keys[] = { "ssl.key.location", "ssl.key.pem", "ssl.keystore.key" };
    const struct node       *certificate = first_of(l, certificates, 3);
    const struct node       *key = first_of(l, keys, 3);

    if (certificate != NULL && key == NULL)
        (void)errors_at(l->errs, certificate->key_at, "'%s' needs its key too ('%s')",
                        certificate->key, strcmp(certificate->key, certificates[2]) == 0
                                              ? "ssl.keystore.key" : "ssl.key.location");
    if (certificate == NULL && key != NULL && node_get(l->map, "ssl.keystore.location") == NULL)
        (void)errors_at(l->errs, kafka_property_secret(key->key) ? kafka_property_place(key, l->map)
                                                                 : key->key_at,
                        "'%s' needs its certificate too ('%s')", key->key,
                        strcmp(key->key, keys[2]) == 0 ? "ssl.keystore.certificate.chain"
                                                       : "ssl.certificate.location");
}

/* ---- All of it ------------------------------------------------------------- */

/* Who has forgotten the protocol would log in nowhere, or send in the clear. */
static void
warn_unused(const struct kafka_loading *l, const char *prefix, const char *protocol)
{
    for (const struct node *n = l->map->first; n != NULL; n = n->next)
        if (strncmp(n->key, prefix, strlen(prefix)) == 0) {
            log_warn("%s: '%s' has no effect: security.protocol is %s", l->what, n->key, protocol);
            return;
        }
}

void
kafka_security_check(struct kafka_loading *l)
{
    const struct node *n = node_get(l->map, "security.protocol");
    const char        *protocol = n != NULL && n->kind == NODE_SCALAR ? n->text : "plaintext";
    const bool         login = strncasecmp(protocol, "SASL_", 5) == 0;
    const bool         tls = strcasecmp(protocol, "SSL") == 0 ||
                             strcasecmp(protocol, "SASL_SSL") == 0;

    check_login(l, login ? n : NULL);
    check_pair(l);
    if (l->errs->count > 0 || (n != NULL && n->secret))
        return;
    if (!login)
        warn_unused(l, "sasl.", protocol);
    if (!tls)
        warn_unused(l, "ssl.", protocol);
}
