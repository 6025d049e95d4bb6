/* Loaded first into a process: its time of day is off by the seconds in a file; its monotonic clock goes on.

   libfaketime does the same, but its versions up to 0.9.10 break Python's time.sleep (clock_nanosleep) when the
   monotonic clock is left alone. No headers and no C library are needed to build this. */

struct timespec { long seconds, nanoseconds; };
struct timeval { long seconds, microseconds; };

extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern int open(const char *path, int flags, ...);
extern int close(int file);
extern void *mmap(void *address, unsigned long length, int protection, int flags, int file, long offset);

enum { REALTIME = 0, REALTIME_COARSE = 5, READ = 1, SHARED = 1 };

static volatile long *offset;

static long wrong_by(void) {
    if (!offset) {
        int file = open(getenv("CLOCK_OFFSET"), 0);
        offset = mmap(0, sizeof *offset, READ, SHARED, file, 0);
        close(file);
    }
    return *offset;
}

int clock_gettime(int clock, struct timespec *found) {
    int failed = syscall(CLOCK_GETTIME, clock, found);
    if (!failed && (clock == REALTIME || clock == REALTIME_COARSE))
        found->seconds += wrong_by();
    return failed;
}

int gettimeofday(struct timeval *found, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(REALTIME, &now);
    found->seconds = now.seconds;
    found->microseconds = now.nanoseconds / 1000;
    return 0;
}

long time(long *found) {
    struct timespec now;
    clock_gettime(REALTIME, &now);
    if (found)
        *found = now.seconds;
    return now.seconds;
}
