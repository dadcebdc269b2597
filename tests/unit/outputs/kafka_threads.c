/* kafka_threads.c - C11 threads by POSIX threads, for ThreadSanitizer only.
 *
 * librdkafka calls thrd_create() and mtx_lock(), of which ThreadSanitizer knows
 * nothing: threads that it has not seen begin crash in its allocator, and locks
 * that it does not see are no order.  Linked into a test (which must export its
 * symbols), these take the place of the C library's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct beginning {
    thrd_start_t function;
    void        *arg;
};

static void *
begin(void *arg)
{
    const struct beginning b = *(struct beginning *)arg;

    free(arg);
    return (void *)(intptr_t)b.function(b.arg);
}

static int
result(int error)
{
    return error == 0 ? thrd_success : error == EBUSY ? thrd_busy
         : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

int
thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
    struct beginning *b = malloc(sizeof *b);

    if (b == NULL)
        return thrd_nomem;
    *b = (struct beginning){ function, arg };
    return result(pthread_create(thread, NULL, begin, b));
}

int
thrd_join(thrd_t thread, int *value)
{
    void     *returned = NULL;
    const int error = pthread_join(thread, &returned);

    if (value != NULL)
        *value = (int)(intptr_t)returned;
    return result(error);
}

int
thrd_detach(thrd_t thread)
{
    return result(pthread_detach(thread));
}

/* ---- glibc keeps both kinds of locks in the same memory -------------------- */

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mutex is a mutex");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a condition is a condition");

int
mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    return result(pthread_mutex_init((pthread_mutex_t *)mutex, &attr));
}

int
mtx_lock(mtx_t *mutex)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int
mtx_trylock(mtx_t *mutex)
{
    return result(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int
mtx_unlock(mtx_t *mutex)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void
mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int
cnd_init(cnd_t *condition)
{
    return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int
cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int
cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int
cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int
cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex,
                                         until));
}

void
cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}
