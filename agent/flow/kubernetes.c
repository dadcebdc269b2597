/* kubernetes.c - see kubernetes.h.
 *
 * Names of namespaces, pods and containers are DNS labels: they hold no '_', so the
 * parts are told apart by it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/kubernetes.h"

#include "agent/data/names.h"

enum {
    CONTAINER_ID = 64,          /* hexadecimal digits */
    LONGEST_NAME = 253,         /* RFC 1123 */
};

/* Cut off what stands before the last `sep`, and give what stands behind it. */
static bool
split_last(struct slice *text, char sep, struct slice *behind)
{
    const char *at = text->ptr != NULL ? memrchr(text->ptr, sep, text->len) : NULL;

    if (at == NULL)
        return false;
    *behind = (struct slice){ at + 1, text->len - (size_t)(at + 1 - text->ptr) };
    text->len = (size_t)(at - text->ptr);
    return true;
}

/* Lower case letters, digits, '-' and '.', a letter or digit at both ends. */
static bool
is_name(struct slice text)
{
    if (text.len == 0 || text.len > LONGEST_NAME)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool edge = i == 0 || i + 1 == text.len, mark = c == '-' || c == '.';

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (edge || !mark))
            return false;
    }
    return true;
}

static size_t
leading(struct slice text, const char *digits)
{
    size_t n = 0;

    while (n < text.len && text.ptr[n] != '\0' && strchr(digits, text.ptr[n]) != NULL)
        n++;
    return n;
}

/* The folder's own name is `name`. */
static bool
ends_with_folder(struct slice path, const char *name)
{
    struct slice last = path;

    (void)split_last(&path, '/', &last);
    return slice_is(last, name);
}

/* N.log, N.log.20240102-030405, N.log.20240102-030405.gz */
static bool
parse_pods(struct slice path, struct kubernetes *k)
{
    struct slice file, folder, numbers;
    size_t       digits;

    if (!split_last(&path, '/', &file) || !split_last(&path, '/', &k->container) ||
        !split_last(&path, '/', &folder) || !ends_with_folder(path, "pods"))
        return false;
    digits = leading(file, "0123456789");
    numbers = (struct slice){ file.ptr + digits, file.len - digits };
    if (digits == 0 || numbers.len < 4 || memcmp(numbers.ptr, ".log", 4) != 0 ||
        (numbers.len > 4 && numbers.ptr[4] != '.'))
        return false;
    k->restarts = (struct slice){ file.ptr, digits };
    if (!split_last(&folder, '_', &k->uid) || !split_last(&folder, '_', &k->pod))
        return false;
    k->namespace = folder;
    return is_name(k->namespace) && is_name(k->pod) && is_name(k->container) && is_name(k->uid);
}

static bool
parse_containers(struct slice path, struct kubernetes *k)
{
    struct slice file, ending, id;

    if (!split_last(&path, '/', &file) || !ends_with_folder(path, "containers") ||
        !split_last(&file, '.', &ending) || !slice_is(ending, "log") ||
        !split_last(&file, '-', &id) || id.len != CONTAINER_ID ||
        leading(id, "0123456789abcdef") != CONTAINER_ID ||
        !split_last(&file, '_', &k->container) || !split_last(&file, '_', &k->namespace))
        return false;
    k->pod = file;
    return is_name(k->namespace) && is_name(k->pod) && is_name(k->container);
}

void
kubernetes_parse(struct slice path, struct kubernetes *k)
{
    *k = (struct kubernetes){ NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE };
    if (parse_pods(path, k))
        return;
    *k = (struct kubernetes){ NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE };
    if (!parse_containers(path, k))
        *k = (struct kubernetes){ NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE };
}

bool
kubernetes_is_link(struct slice path)
{
    struct slice name;

    return split_last(&path, '/', &name) && ends_with_folder(path, "containers");
}

void
kubernetes_set(struct slice *constant, struct slice path, struct slice target)
{
    struct kubernetes k, more;

    kubernetes_parse(path, &k);
    kubernetes_parse(target, &more);
    constant[NAME_K8S_NAMESPACE_NAME] = k.namespace.ptr != NULL ? k.namespace : more.namespace;
    constant[NAME_K8S_POD_NAME] = k.pod.ptr != NULL ? k.pod : more.pod;
    constant[NAME_K8S_POD_UID] = k.uid.ptr != NULL ? k.uid : more.uid;
    constant[NAME_K8S_CONTAINER_NAME] = k.container.ptr != NULL ? k.container : more.container;
    constant[NAME_K8S_RESTART_COUNT] = k.restarts.ptr != NULL ? k.restarts : more.restarts;
}
