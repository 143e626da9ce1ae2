// The program of linked_low.c for an ordinary user, who may not map the pages below vm.mmap_min_addr.
// ldflags: -Wl,-Ttext-segment=0x8000
// privileges: none
#include "linked_low.c"
