/* test_kubernetes.c - what the path of a container's log says.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "agent/flow/kubernetes.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "2d1a7c05-8a1f-4c1d-9d4c-6a3f9b1a2c3d"

static const char *
shown(struct slice s, char *room)
{
    if (s.ptr == NULL)
        return "-";
    sprintf(room, "%.*s", SLICE_ARG(s));
    return room;
}

static void
then_says(const char *path, const char *expected)
{
    struct kubernetes k;
    char              room[5][300], all[1600];

    kubernetes_parse(slice_of(path), &k);
    snprintf(all, sizeof all, "%s %s %s %s %s", shown(k.namespace, room[0]), shown(k.pod, room[1]),
             shown(k.uid, room[2]), shown(k.container, room[3]), shown(k.restarts, room[4]));
    assert_string_equal(all, expected);
}

static void
a_folder_of_pods_says_everything(void **state)
{
    (void)state;
    then_says("/var/log/pods/kube-system_coredns-5d78c9869d-abcde_" UID "/coredns/0.log",
              "kube-system coredns-5d78c9869d-abcde " UID " coredns 0");
    then_says("/mnt/node/pods/n_p.with.dots_0f1e2d3c4b5a69788796a5b4c3d2e1f0/c-1/12.log",
              "n p.with.dots 0f1e2d3c4b5a69788796a5b4c3d2e1f0 c-1 12");
}

static void
a_rotated_file_says_the_same(void **state)
{
    (void)state;
    then_says("/var/log/pods/n_p_" UID "/c/3.log.20240102-030405", "n p " UID " c 3");
    then_says("/var/log/pods/n_p_" UID "/c/3.log.20240102-030405.gz", "n p " UID " c 3");
}

static void
a_folder_of_containers_says_what_it_knows(void **state)
{
    (void)state;
    then_says("/var/log/containers/coredns-5d78c9869d-abcde_kube-system_coredns-" ID ".log",
              "kube-system coredns-5d78c9869d-abcde - coredns -");
    then_says("/var/log/containers/p_n_two-part-name-" ID ".log", "n p - two-part-name -");
}

static void
other_paths_say_nothing(void **state)
{
    static const char *const paths[] = {
        "", "/", "0.log", "/var/log/syslog", "/var/log/pods/0.log", "/var/log/pods/n_p/c/0.log",
        "/var/log/pods/n_p_" UID "/c/x.log", "/var/log/pods/n_p_" UID "/c/0.txt",
        "/var/log/pods/n_p_" UID "/c/0.logs", "/var/log/pod/n_p_" UID "/c/0.log",
        "/var/log/pods/n_p_" UID "/C/0.log", "/var/log/pods/_p_" UID "/c/0.log",
        "/var/log/pods/n_p_" UID "/c/.log", "/var/log/containers/p_n_c-" ID,
        "/var/log/containers/p_n_c-0123.log", "/var/log/containers/p_c-" ID ".log",
        "/var/log/containers/p_n_-" ID ".log", "/var/lib/p_n_c-" ID ".log",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        then_says(paths[i], "- - - - -");
    then_says(NULL, "- - - - -");
}

static void
links_lie_in_folders_of_containers(void **state)
{
    (void)state;
    assert_true(kubernetes_is_link(SLICE("/var/log/containers/x.log")));
    assert_false(kubernetes_is_link(SLICE("/var/log/pods/x.log")));
    assert_false(kubernetes_is_link(SLICE("containers")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_pods_says_everything),
        cmocka_unit_test(a_rotated_file_says_the_same),
        cmocka_unit_test(a_folder_of_containers_says_what_it_knows),
        cmocka_unit_test(other_paths_say_nothing),
        cmocka_unit_test(links_lie_in_folders_of_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
