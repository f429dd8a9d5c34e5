/* Runs before Rust's own start. */

#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/resource.h>
#endif

/* Rust's start opens /dev/null for reading and writing in the place of a standard stream that is closed: nobody could tell that from a
   /dev/null that was given. This opens it for the other direction, so that the stream is seen to be useless. */
__attribute__((constructor)) static void keep_closed_streams_useless(void) {
  /* Each takes the lowest number that is free: the order matters. */
  if (fcntl(0, F_GETFD) == -1) open("/dev/null", O_WRONLY);
  if (fcntl(1, F_GETFD) == -1) open("/dev/null", O_RDONLY);
  if (fcntl(2, F_GETFD) == -1) open("/dev/null", O_WRONLY);
}

#ifdef __GLIBC__
/* glibc reserves 64 MB of addresses for each thread that allocates. Under a limit of addresses (ulimit -v), a few threads would use up
   the limit before they need any memory: they share two reservations there. */
__attribute__((constructor)) static void share_few_addresses(void) {
  struct rlimit addresses;
  if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 2);
}
#endif
