/* test_kafka_security.c - logins and TLS as they are configured, and secrets that are never
 * shown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit/outputs/kafka_given.h"

/* ---- Logins and secrets ---------------------------------------------------- */

static void
a_login_says_how_and_who(void **state)
{
    (void)state;
    refuses("security.protocol", "SASL_SSL", AT_VALUE, "needs 'sasl.mechanism'");
    refuses("sasl.mechanism", "plain", AT_VALUE, "did you mean 'PLAIN'");
    refuses("sasl.mechanism", "MD5", AT_VALUE, "SCRAM-SHA-512, GSSAPI, OAUTHBEARER, not 'MD5'");
    given("security.protocol", "sasl_plaintext");
    refuses("sasl.mechanism", "PLAIN", AT_VALUE, "needs 'sasl.username' and 'sasl.password'");
    given("security.protocol", "sasl_plaintext");
    given("sasl.username", "alice");
    refuses("sasl.mechanism", "SCRAM-SHA-256", AT_VALUE, "needs 'sasl.username'");
    given("security.protocol", "sasl_plaintext");
    refuses("sasl.mechanism", "GSSAPI", AT_VALUE, "needs 'sasl.kerberos.keytab'");
    given("security.protocol", "sasl_plaintext");
    given("sasl.username", "alice");
    given("sasl.password", "x");
    takes("sasl.mechanism", "PLAIN", "sasl.mechanisms", "PLAIN");
}

static void
a_certificate_and_its_key_come_together(void **state)
{
    (void)state;
    refuses("ssl.certificate.location", "/etc/hostname", AT_KEY, "'ssl.key.location'");
    refuses("ssl.key.location", "/etc/hostname", AT_KEY, "'ssl.certificate.location'");
    refuses("ssl.keystore.certificate.chain", "-----BEGIN", AT_KEY, "'ssl.keystore.key'");
    given("ssl.keystore.key", "-----BEGIN hunter2");
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.count, 1);
    assert_non_null(strstr(errs.list[0].text, "'ssl.keystore.certificate.chain'"));
    assert_int_equal(errs.list[0].at.line, 9);      /* not the line that holds it */
}

static void
a_password_under_a_misspelt_name_is_not_shown_either(void **state)
{
    (void)state;
    given("sasl.pasword", "hunter2");
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.count, 1);
    assert_non_null(strstr(errs.list[0].text, "did you mean 'sasl.password'"));
    assert_int_equal(errs.list[0].at.line, 9);
}

static void
a_login_line_is_taken_apart(void **state)
{
    const char *plain = "org.apache.kafka.common.security.plain.PlainLoginModule required\n"
                        "  username=\"alice\" password=\"se\\\"c;r=et\";";
    const char *scram = "org.apache.kafka.common.security.scram.ScramLoginModule required "
                        "username=bob password='x y' tokenauth=\"true\" ;";
    const char *kerberos = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true "
                           "keyTab=\"/etc/k.keytab\" principal=\"p@R\";";

    (void)state;
    takes("sasl.jaas.config", plain, "sasl.username", "alice");
    takes("sasl.jaas.config", plain, "sasl.password", "se\"c;r=et");
    takes("sasl.jaas.config", scram, "sasl.username", "bob");
    takes("sasl.jaas.config", scram, "sasl.password", "x y");
    takes("sasl.jaas.config", kerberos, "sasl.kerberos.keytab", "/etc/k.keytab");
    takes("sasl.jaas.config", kerberos, "sasl.kerberos.principal", "p@R");
}

static void
a_bad_login_line_is_never_shown(void **state)
{
    static const char *const bad[] = {
        "", "hunter2",
        "org.apache.kafka.common.security.plain.PlainLoginModule username=\"a\";",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"hunter2",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"hunter2\"",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"hunter2\";",
        "org.apache.kafka.common.security.plain.PlainLoginModule required password hunter2;",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        given("sasl.jaas.config", bad[i]);
        when_loaded();
        assert_false(loaded);
        assert_int_equal(errs.count, 1);
        assert_null(strstr(errs.list[0].text, "hunter2"));
        assert_int_equal(errs.list[0].at.line, 9);      /* not the line that holds it */
        tear_down(NULL);
        set_up(NULL);
    }
}

static void
a_secret_from_a_file_is_never_shown(void **state)
{
    struct node *n = given("socket.timeout.ms", "hunter2");

    (void)state;
    n->secret = true;
    when_loaded();
    then_refused(AT_VALUE, "is not valid");
    assert_null(strstr(errs.list[0].text, "hunter2"));
}

static void
a_password_in_the_wrong_form_is_never_shown(void **state)
{
    (void)state;
    given_list("sasl.password", "hunter2", "b");
    entries[1].first->kind = NODE_MAP;
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.count, 1);
    assert_int_equal(errs.list[0].at.line, 9);
    assert_null(strstr(errs.list[0].text, "hunter2"));
}

static void
pem_stores_go_where_librdkafka_wants_them(void **state)
{
    (void)state;
    given("ssl.truststore.type", "PEM");
    takes("ssl.truststore.location", "/etc/ssl/certs/ca-certificates.crt", "ssl.ca.location",
          "/etc/ssl/certs/ca-certificates.crt");
    refuses("ssl.truststore.location", "/x/ca.pem", AT_VALUE, "'ssl.truststore.type: PEM'");
    refuses("ssl.keystore.location", "/x/me.crt", AT_VALUE, "'ssl.keystore.type: PEM'");
    given("ssl.truststore.type", "PEM");
    takes("ssl.truststore.password", "x", "client.id", "stoker");
    given("ssl.truststore.password", "hunter2");
    when_loaded();
    assert_false(loaded);
    assert_int_equal(errs.list[0].at.line, 9);
    assert_non_null(strstr(errs.list[0].text, "use 'ssl.ca.location'"));
    tear_down(NULL);
    set_up(NULL);
    given("ssl.keystore.type", "PEM");
    takes("ssl.keystore.location", "/etc/hostname", "ssl.key.location", "/etc/hostname");
    given("ssl.keystore.type", "PEM");
    takes("ssl.keystore.location", "/etc/hostname", "ssl.certificate.location", "/etc/hostname");
    given("ssl.keystore.password", "x");
    takes("ssl.keystore.location", "/etc/hostname", "ssl.keystore.location", "/etc/hostname");
    refuses("ssl.keystore.location", "/etc/hostname", AT_VALUE, "ssl.keystore.password");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_login_says_how_and_who),
        TEST(a_certificate_and_its_key_come_together),
        TEST(a_login_line_is_taken_apart),
        TEST(a_bad_login_line_is_never_shown),
        TEST(a_password_under_a_misspelt_name_is_not_shown_either),
        TEST(a_secret_from_a_file_is_never_shown),
        TEST(a_password_in_the_wrong_form_is_never_shown),
        TEST(pem_stores_go_where_librdkafka_wants_them),
    };

    return cmocka_run_group_tests_name("kafka_security", tests, NULL, NULL);
}
