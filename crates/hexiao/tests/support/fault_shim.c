/* Makes one write or sync of the database's files fail, to see that the server stops without answering.
 *
 * Loaded into the server by LD_PRELOAD. It counts the calls of one kind on files whose path contains
 * HEXIAO_FAULT_PATH once the file HEXIAO_FAULT_ARM exists, and fails call number HEXIAO_FAULT_NTH with
 * HEXIAO_FAULT_ERRNO. Later calls succeed again, as they do on a real kernel after a failed fsync: a
 * server that carries on would then report success for data that is gone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int concerns(int fd) {
    const char *part = getenv("HEXIAO_FAULT_PATH");
    const char *arm = getenv("HEXIAO_FAULT_ARM");
    char link[64], path[4096];
    ssize_t length;
    if (!part || !arm || access(arm, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

/* Whether this call, of this kind, is the one that fails; sets errno if so. */
static int fails(const char *kind, int fd) {
    const char *wanted = getenv("HEXIAO_FAULT_KIND");
    const char *nth = getenv("HEXIAO_FAULT_NTH");
    const char *number = getenv("HEXIAO_FAULT_ERRNO");
    if (!wanted || !nth || !number || strcmp(wanted, kind) != 0 || !concerns(fd)) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != atol(nth)) return 0;
    errno = atoi(number);
    return 1;
}

#define REAL(type, name, ...)                                        \
    static type (*real)(__VA_ARGS__);                                \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return fails("write", fd) ? -1 : real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return fails("write", fd) ? -1 : real(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails("write", fd) ? -1 : real(fd, data, size, offset);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return fails("sync", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return fails("sync", fd) ? -1 : real(fd);
}
