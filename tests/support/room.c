/* Loaded first into a process: each of its metadata files has room for as many bytes as a number in a file says.

   Below zero there is room enough; at -2 nothing that was written can be kept (fsync fails). No headers and no C library
   are needed to build this. */

extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern int open(const char *path, int flags, ...);
extern int close(int file);
extern long lseek(int file, long offset, int from);
extern long readlink(const char *path, char *found, unsigned long size);
extern void *mmap(void *address, unsigned long length, int protection, int flags, int file, long offset);
extern int *__errno_location(void);

enum { READ = 1, SHARED = 1, HERE = 1, NO_SPACE = 28, LOST = -2 };

static volatile long *number;

static long room(void) {
    if (!number) {
        int file = open(getenv("DISK_ROOM"), 0);
        number = mmap(0, sizeof *number, READ, SHARED, file, 0);
        close(file);
    }
    return *number;
}

/* Whether the file is called *.metadata.json. */
static int is_metadata(int file) {
    static const char end[] = ".metadata.json";
    char link[32] = "/proc/self/fd/", path[4096], digits[12];
    long length, at = 14, count = 0;
    do
        digits[count++] = '0' + file % 10;
    while (file /= 10);
    while (count)
        link[at++] = digits[--count];
    link[at] = 0;
    length = readlink(link, path, sizeof path);
    for (at = 0; at < 14; at++)
        if (length < 14 || path[length - 14 + at] != end[at])
            return 0;
    return 1;
}

static long full(void) {
    *__errno_location() = NO_SPACE;
    return -1;
}

long write(int file, const void *data, unsigned long size) {
    long left = room();
    if (left >= 0 && is_metadata(file)) {
        left -= lseek(file, 0, HERE);
        if (left <= 0)
            return full();
        size = size < (unsigned long)left ? size : (unsigned long)left;
    }
    return syscall(WRITE, file, data, size);
}

int fsync(int file) {
    return room() == LOST && is_metadata(file) ? (int)full() : (int)syscall(FSYNC, file);
}
