/* tree_merge.c - files put together; see tree.h and tree_parts.h.
 *
 * The sections of a file go into the root, then the files that it includes are
 * read, so that the load order is the order of `routes`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/textfile.h"
#include "agent/tree.h"
#include "agent/tree_parts.h"

enum {
    MOST_BYTES = 16 * 1024 * 1024,      /* of one file */
    MOST_INCLUDES = 20,                 /* inside each other */
};

/* ---- Files -------------------------------------------------------------- */

static struct tree_file *
add_file(struct tree *t, const char *name)
{
    struct tree_file *file = NEW(struct tree_file);

    t->files = mem_array(t->files, t->nfiles + 1, sizeof(struct tree_file *));
    t->files[t->nfiles++] = file;
    file->name = mem_string(name);
    file->identity = realpath(name, NULL);
    return file;
}

static struct tree_file *
known_file(const struct tree *t, const char *name)
{
    char        *identity = realpath(name, NULL);
    struct tree_file *known = NULL;

    for (size_t i = 0; i < t->nfiles && identity != NULL; i++)
        if (t->files[i]->identity != NULL && strcmp(t->files[i]->identity, identity) == 0)
            known = t->files[i];
    free(identity);
    return known;
}

/* ---- Sections ------------------------------------------------------------ */

static bool
is_merged(const char *key)
{
    static const char *const names[] = { "inputs", "parsers", "outputs", "routes", "tests" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

/* What `section` can be merged with. */
static struct node *
find_section(struct tree *t, const struct node *section)
{
    for (struct node *n = t->root.first; n != NULL; n = n->next)
        if (strcmp(n->key, section->key) == 0 &&
            (n->kind == section->kind || n->kind == NODE_NULL || section->kind == NODE_NULL))
            return n;
    return NULL;
}

static void
add_section(struct tree *t, struct node *section)
{
    section->next = NULL;
    if (t->last != NULL)
        t->last->next = section;
    else
        t->root.first = section;
    t->last = section;
}

static void
add_entries(struct node *section, struct node *more)
{
    struct node **link = &section->first;

    while (*link != NULL)
        link = &(*link)->next;
    *link = more->first;
    if (section->kind == NODE_NULL) {
        section->kind = more->kind;
        section->at = more->at;
    }
}

static void
merge_agent(struct tree *t, struct node *section, struct errors *errs)
{
    const struct node *known = node_get(&t->root, "agent");

    if (known == NULL)
        add_section(t, section);
    else
        errors_at(errs, section->key_at, "'agent' may stand in one file only (first at %s:%u:%u)",
                  known->key_at.file, known->key_at.line, known->key_at.column);
}

/* Put one section of a file into the root. */
static void
merge_section(struct tree *t, struct node *section, struct errors *errs)
{
    struct node *known = is_merged(section->key) ? find_section(t, section) : NULL;

    if (strcmp(section->key, "agent") == 0)
        merge_agent(t, section, errs);
    else if (known == NULL)
        add_section(t, section);
    else
        add_entries(known, section);
}

static void load_file(struct tree *t, const char *name, struct mark from, unsigned depth,
                      struct errors *errs);

/* A name may lead to one file or, as a glob, to any number of them. */
static void
include(struct tree *t, const struct node *name, unsigned depth, struct errors *errs)
{
    char  *path;
    glob_t found;

    if (name->bad)
        return;
    if (name->kind != NODE_SCALAR) {
        errors_at(errs, name->at, "'include' must be a file name, a glob or a list of them, not %s",
                  node_kind_name(name));
        return;
    }
    path = textfile_beside(name->at.file, name->text);
    if (strpbrk(name->text, "*?[{") == NULL) {
        load_file(t, path, name->at, depth, errs);
    } else {
        if (glob(path, GLOB_BRACE, NULL, &found) == 0)
            for (size_t i = 0; i < found.gl_pathc; i++)
                load_file(t, found.gl_pathv[i], name->at, depth, errs);
        globfree(&found);
    }
    free(path);
}

static void
merge_file(struct tree *t, struct node *top, unsigned depth, struct errors *errs)
{
    const struct node *includes = NULL;
    struct node       *next;

    for (struct node *section = top->first; section != NULL; section = next) {
        next = section->next;
        if (strcmp(section->key, "include") == 0)
            includes = section;
        else
            merge_section(t, section, errs);
    }
    for (const struct node *n = node_first_of(includes); n != NULL; n = node_next_of(includes, n))
        include(t, n, depth + 1, errs);
}

/* What is wrong with a file is told where it was named, or of the main file as a whole. */
static void
say_unreadable(struct tree *t, const struct tree_file *file, struct mark from, const char *text,
               struct errors *errs)
{
    const struct mark whole = { file->name, 0, 0 };

    t->complete = false;
    if (from.file == NULL)
        errors_at(errs, whole, "%s", text);
    else
        errors_at(errs, from, "file '%s' %s", file->name, text);
}

/* Read `name`, merge it, then what it includes.  `from` is where it was named. */
static void
load_file(struct tree *t, const char *name, struct mark from, unsigned depth, struct errors *errs)
{
    struct tree_file *file = known_file(t, name);
    struct error err;
    struct node *top;

    if (file != NULL) {
        if (file->open)
            errors_at(errs, from, "file '%s' includes itself", file->name);
        return;
    }
    file = add_file(t, name);
    if (depth > MOST_INCLUDES) {
        say_unreadable(t, file, from, "is included too deeply", errs);
        return;
    }
    if (textfile_read(name, MOST_BYTES, &file->text, &err) < 0) {
        say_unreadable(t, file, from, err.text, errs);
        return;
    }
    file->open = true;
    top = tree_parse(t, file, errs);
    if (top != NULL)
        merge_file(t, top, depth, errs);
    file->open = false;
}

struct tree *
tree_load(const char *file, struct errors *errs)
{
    static const char *const named[] = { "inputs", "parsers", "outputs" };
    struct tree             *t = NEW(struct tree);

    arena_init(&t->arena);
    t->complete = true;
    t->root.kind = NODE_MAP;
    load_file(t, file, NO_MARK, 0, errs);
    t->root.at = (struct mark){ t->files[0]->name, 0, 0 };
    for (struct node *n = t->root.first; n != NULL; n = n->next)
        for (size_t i = 0; i < sizeof named / sizeof *named; i++)
            if (n->kind == NODE_MAP && strcmp(n->key, named[i]) == 0)
                tree_drop_duplicates(n, errs);
    return t;
}

void
tree_free(struct tree *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->nfiles; i++) {
        buf_fini(&t->files[i]->text);
        free(t->files[i]->identity);
        free(t->files[i]->name);
        free(t->files[i]);
    }
    free(t->files);
    arena_fini(&t->arena);
    free(t);
}

const struct node *
tree_root(const struct tree *t)
{
    return &t->root;
}

bool
tree_complete(const struct tree *t)
{
    return t->complete;
}

int
tree_source(const struct tree *t, const char *file, struct slice *text)
{
    for (size_t i = 0; i < t->nfiles; i++)
        if (t->files[i]->name == file || strcmp(t->files[i]->name, file) == 0) {
            *text = buf_slice(&t->files[i]->text);
            return (int)i;
        }
    return -1;
}
