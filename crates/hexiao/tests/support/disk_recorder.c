/* Records what a server does to the files of its database, and what it answers, in the order in which it
 * happens, so that a test can work out what a disk may hold after the power is cut at any moment.
 *
 * Loaded into the server by LD_PRELOAD. It appends to HEXIAO_RECORD_TO a record for each change of a file
 * whose path contains HEXIAO_RECORD_PATH (W write, T truncate, U unlink), for the begin and the end of each
 * sync of such a file or of its folder (B, E), and for all that goes to sockets (A). A change is recorded
 * after it was made, an answer before it leaves, a sync's end after it returned: the record may only show
 * less as certain than there was, never more.
 *
 * A record: kind (1 byte), length of the path, length of the data (4 bytes each), number (8 bytes: an
 * offset, a size, or what joins begin and end of a sync), path, data; in the machine's byte order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_long tokens;
static int out = -1;

static void put(const void *data, size_t size) {
    while (size > 0) {
        ssize_t done = syscall(SYS_write, out, data, size);
        if (done <= 0) abort();
        data = (const char *)data + done;
        size -= (size_t)done;
    }
}

static void record(char kind, const char *path, const void *data, size_t size, int64_t number) {
    uint32_t lengths[2] = {(uint32_t)strlen(path), (uint32_t)size};
    pthread_mutex_lock(&lock);
    if (out < 0) {
        const char *to = getenv("HEXIAO_RECORD_TO");
        out = (int)syscall(SYS_openat, AT_FDCWD, to ? to : "", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (out < 0) abort();
    }
    put(&kind, 1);
    put(lengths, sizeof lengths);
    put(&number, sizeof number);
    put(path, lengths[0]);
    put(data, size);
    pthread_mutex_unlock(&lock);
}

/* The path of a descriptor, if it is one of the database's files. */
static int is_file(int fd, char *path, size_t room) {
    const char *part = getenv("HEXIAO_RECORD_PATH");
    char link[64];
    ssize_t length;
    if (!part) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, room - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

/* The same for syncs: also the folder that holds them. */
static int is_synced(int fd, char *path, size_t room) {
    const char *part = getenv("HEXIAO_RECORD_PATH");
    size_t length;
    if (is_file(fd, path, room)) return 1;
    if (!part || path[0] != '/') return 0;
    length = strlen(path);
    return strncmp(part, path, length) == 0 && part[length] == '/' && !strchr(part + length + 1, '/');
}

static int is_socket(int fd) {
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

#define REAL(type, name, ...)                                        \
    static type (*real)(__VA_ARGS__);                                \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    char path[4096] = "";
    int file = is_file(fd, path, sizeof path);
    off_t at = file ? lseek(fd, 0, SEEK_CUR) : 0;
    if (!file && is_socket(fd)) record('A', "", data, size, 0);
    ssize_t done = real(fd, data, size);
    if (file && done > 0) record('W', path, data, (size_t)done, at);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    char path[4096] = "";
    ssize_t done = real(fd, data, size, offset);
    if (done > 0 && is_file(fd, path, sizeof path)) record('W', path, data, (size_t)done, offset);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    char path[4096] = "";
    ssize_t done = real(fd, data, size, offset);
    if (done > 0 && is_file(fd, path, sizeof path)) record('W', path, data, (size_t)done, offset);
    return done;
}

int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    char path[4096] = "";
    int done = real(fd, size);
    if (done == 0 && is_file(fd, path, sizeof path)) record('T', path, "", 0, size);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    char path[4096] = "";
    int done = real(fd, size);
    if (done == 0 && is_file(fd, path, sizeof path)) record('T', path, "", 0, size);
    return done;
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    const char *part = getenv("HEXIAO_RECORD_PATH");
    int done = real(path);
    if (done == 0 && part && strstr(path, part)) record('U', path, "", 0, 0);
    return done;
}

static int synced(int fd, int (*real)(int)) {
    char path[4096] = "";
    int64_t token;
    if (!is_synced(fd, path, sizeof path)) return real(fd);
    token = ((int64_t)getpid() << 32) | atomic_fetch_add(&tokens, 1);
    record('B', path, "", 0, token);
    int done = real(fd);
    if (done == 0) record('E', path, "", 0, token);
    return done;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return synced(fd, real);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return synced(fd, real);
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL(ssize_t, "send", int, const void *, size_t, int);
    record('A', "", data, size, 0);
    return real(fd, data, size, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (is_socket(fd)) {
        char all[65536];
        size_t used = 0;
        for (int i = 0; i < count; i++) {
            size_t size = parts[i].iov_len < sizeof all - used ? parts[i].iov_len : sizeof all - used;
            memcpy(all + used, parts[i].iov_base, size);
            used += size;
        }
        record('A', "", all, used, 0);
    }
    return real(fd, parts, count);
}
