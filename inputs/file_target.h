/* file_target.h - where a symbolic link leads.
 *
 * /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log is a link to
 * /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log, which says more, and which may be a link
 * itself, to Docker's own file.  Only paths of such a folder are looked at: once for each time
 * the file is opened.  Worker, but for file_target_forget().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_TARGET_H
#define INPUTS_FILE_TARGET_H

#include "agent/base/slice.h"
#include "inputs/file_read.h"

/* It was just opened, by this path. */
void file_target_learn(struct file_read *r, struct slice path);

/* The path of the pod's file that its own leads to, in the chunk's arena, or no slice. */
struct slice file_target(const struct file_read *r, struct chunk *c);

void file_target_forget(struct file_read *r);

#endif
