/* fuzz_yaml.c - any bytes are a tree or mistakes, each with its place, and can be shown.
 *
 * The file stands alone in a folder of its own: it may include itself, and nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/stoker_fuzz_yaml.XXXXXX";

static void
remove_folder(void)
{
    (void)unlink("a.yaml");
    (void)rmdir(folder);
}

static void
enter_folder(void)
{
    if (folder[sizeof folder - 2] != 'X')
        return;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        abort();
    atexit(remove_folder);
}

static void
write_file(const uint8_t *data, size_t size)
{
    FILE *out = fopen("a.yaml", "w");

    if (out == NULL || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        abort();
}

static size_t
count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;     /* NEL, LS, PS */
    return lines;
}

/* Walk over all of it. */
static size_t
count_nodes(const struct node *n)
{
    size_t nodes = 1;

    assert(n->kind != NODE_SCALAR || (n->text != NULL && n->text[n->len] == '\0'));
    for (const struct node *e = n->first; e != NULL; e = e->next) {
        assert((n->kind == NODE_MAP) == (e->key != NULL));
        assert(e->at.line >= 1 && e->at.column >= 1);
        nodes += count_nodes(e);
    }
    return nodes;
}

static void
check_errors(const struct tree *t, const struct errors *errs, size_t lines)
{
    char  *shown = NULL;
    size_t len = 0;
    FILE  *out = open_memstream(&shown, &len);

    tree_print_errors(out, t, errs);
    fclose(out);
    assert((len > 0) == (errs->count > 0));
    free(shown);
    for (size_t i = 0; i < errs->count && i < ERRORS_MOST; i++) {
        const struct error *err = &errs->list[i];

        assert(err->at.file != NULL && strcmp(err->at.file, "a.yaml") == 0);
        assert(err->at.line <= lines + 1);
        assert(err->at.line == 0 || err->at.column >= 1);
        assert(err->text[0] != '\0');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errors errs = { NULL, 0, 0 };
    struct tree  *t;

    /* No way to other files, and none that takes long to look for. */
    if (memmem(data, size, "include", 7) != NULL && memchr(data, '/', size) != NULL)
        return -1;
    if (memmem(data, size, "include", 7) != NULL && memchr(data, '{', size) != NULL)
        return -1;
    enter_folder();
    write_file(data, size);
    t = tree_load("a.yaml", &errs);
    assert(tree_complete(t) || errs.count > 0);
    assert(count_nodes(tree_root(t)) >= 1);
    check_errors(t, &errs, count_lines(data, size));
    errors_fini(&errs);
    tree_free(t);
    return 0;
}
