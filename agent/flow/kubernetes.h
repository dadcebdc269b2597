/* kubernetes.h - what the path of a container's log says about it.
 *
 *     /var/log/pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
 *     /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log
 *
 * The first is the file, and has other endings when it is rotated; the second is a link to
 * it.  Only the names of the folders `pods` and `containers` and the shapes behind them count:
 * where a node's /var/log is mounted does not.  Source: kubelet, pkg/kubelet/kuberuntime/
 * (BuildPodLogsDirectory, legacyLogSymlink) and its rotation, pkg/kubelet/logs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_KUBERNETES_H
#define AGENT_FLOW_KUBERNETES_H

#include <stdbool.h>

#include "agent/base/slice.h"

/* Parts of a path; ptr NULL: it does not say. */
struct kubernetes {
    struct slice namespace, pod, uid, container, restarts;
};

/* Nothing of `k` is set if the path is none of the two. */
void kubernetes_parse(struct slice path, struct kubernetes *k);

/* Set the fields k8s.* that a record has by its source: what the path says, completed
 * by where it leads (ptr NULL: not known).  `constant` is the record's, by number of name. */
void kubernetes_set(struct slice *constant, struct slice path, struct slice target);

/* May it be a link that leads to a path which says more? */
bool kubernetes_is_link(struct slice path);

#endif
