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

#include "agent/data/names.h"
#include "agent/flow/kubernetes.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LABEL "a23456789-123456789-123456789-123456789-123456789-123456789-123"
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
    then_says("/host/var/log/containers/etcd-ip-10-0-1-2.eu-west-1.compute.internal_kube-system_"
              "etcd-" ID ".log",
              "kube-system etcd-ip-10-0-1-2.eu-west-1.compute.internal - etcd -");
    then_says("/var/log/containers/p_n_" LABEL "-" ID ".log", "n p - " LABEL " -");
}

/* The kubelet cuts the name of a link at 255 bytes; where it leads to is whole. */
static void
what_a_name_that_was_cut_does_not_say_its_target_does(void **state)
{
    static const char pod[] = "/var/log/pods/" LABEL "_" LABEL "." LABEL "_" UID "/" LABEL "/1.log";
    char              link[400];
    struct slice      fields[NAME_WELL_KNOWN];
    char              room[300];

    (void)state;
    snprintf(link, sizeof link, "/var/log/containers/%.*s.log", 255 - 4,
             LABEL "." LABEL "_" LABEL "_" LABEL "-" ID);
    then_says(link, "- - - - -");
    kubernetes_set(fields, slice_of(link), slice_of(pod));
    assert_string_equal(shown(fields[NAME_K8S_POD_NAME], room), LABEL "." LABEL);
    assert_string_equal(shown(fields[NAME_K8S_NAMESPACE_NAME], room), LABEL);
    assert_string_equal(shown(fields[NAME_K8S_CONTAINER_NAME], room), LABEL);
    assert_string_equal(shown(fields[NAME_K8S_POD_UID], room), UID);
    assert_string_equal(shown(fields[NAME_K8S_RESTART_COUNT], room), "1");
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
        cmocka_unit_test(what_a_name_that_was_cut_does_not_say_its_target_does),
        cmocka_unit_test(other_paths_say_nothing),
        cmocka_unit_test(links_lie_in_folders_of_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
