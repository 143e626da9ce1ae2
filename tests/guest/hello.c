// The smallest whole program.
#include <stdio.h>
int main(void) {
    puts("hello");
    return 7;
}
