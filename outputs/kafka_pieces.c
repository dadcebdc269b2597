/* kafka_pieces.c - messages that stand in a list, by ranges of their chunks.
 *
 * A piece pins its chunk as long as it stands in a list; what passes through the
 * lists is ranges, so nothing is done for each message.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

static struct kafka_piece *
new_piece(struct kafka *k, struct chunk *c, uint32_t first, uint32_t count)
{
    struct kafka_piece *piece = k->spare;

    if (piece != NULL)
        k->spare = piece->next;
    else
        piece = NEW(struct kafka_piece);
    *piece = (struct kafka_piece){ NULL, c, first, count };
    c->pins++;
    return piece;
}

static void
free_piece(struct kafka *k, struct kafka_piece *piece)
{
    struct chunk *c = piece->chunk;

    piece->next = k->spare;
    k->spare = piece;
    pipeline_unpin(k->base.pipeline, c);
}

void
kafka_pieces_add(struct kafka *k, struct kafka_pieces *list, struct chunk *c, uint32_t first,
                 uint32_t count)
{
    struct kafka_piece *last = list->last;

    if (last != NULL && last->chunk == c && last->first + last->count == first) {
        last->count += count;
        return;
    }
    list->last = new_piece(k, c, first, count);
    if (last != NULL)
        last->next = list->last;
    else
        list->first = list->last;
}

void
kafka_pieces_drop_first(struct kafka *k, struct kafka_pieces *list)
{
    struct kafka_piece *piece = list->first;

    list->first = piece->next;
    if (list->first == NULL)
        list->last = NULL;
    free_piece(k, piece);
}

void
kafka_pieces_let_go(struct kafka *k, struct kafka_pieces *list)
{
    while (list->first != NULL)
        kafka_pieces_drop_first(k, list);
}

void
kafka_pieces_prepend(struct kafka_pieces *list, struct kafka_pieces *before)
{
    if (before->first == NULL)
        return;
    before->last->next = list->first;
    if (list->first == NULL)
        list->last = before->last;
    list->first = before->first;
    *before = (struct kafka_pieces){ NULL, NULL };
}

void
kafka_pieces_free_spare(struct kafka *k)
{
    while (k->spare != NULL) {
        struct kafka_piece *next = k->spare->next;

        free(k->spare);
        k->spare = next;
    }
}
