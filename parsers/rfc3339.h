/* rfc3339.h - the time of a container's log, read fast.
 *
 *     2016-10-06T00:17:09.669794202Z      2016-10-06T02:17:09+02:00
 *
 * What time_format.h reads with more freedom: here every field has its width, but for the
 * fraction (none, or 1 to 9 digits).  Source: RFC 3339, 5.6.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PARSERS_RFC3339_H
#define PARSERS_RFC3339_H

#include <stdint.h>

#include "agent/base/slice.h"

enum rfc3339_result {
    RFC3339_TIME,
    RFC3339_IMPOSSIBLE,     /* its shape, but no time that can be: a 30th of February */
    RFC3339_OTHER,
};

/* Milliseconds since the epoch, the rest of the fraction cut off. */
enum rfc3339_result rfc3339_read(struct slice text, int64_t *ms);

#endif
