/* Runs before Rust's own start, which opens /dev/null for reading and writing in the place of a standard stream that is closed: nobody
   could tell that from a /dev/null that was given. This opens it for the other direction, so that the stream is seen to be useless. */

#include <fcntl.h>

__attribute__((constructor)) static void keep_closed_streams_useless(void) {
  /* Each takes the lowest number that is free: the order matters. */
  if (fcntl(0, F_GETFD) == -1) open("/dev/null", O_WRONLY);
  if (fcntl(1, F_GETFD) == -1) open("/dev/null", O_RDONLY);
  if (fcntl(2, F_GETFD) == -1) open("/dev/null", O_WRONLY);
}
