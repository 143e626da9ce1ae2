# gcc and g++ compiling, optimising, linking and running, with make.
cat > main.c <<'C'
#include <stdio.h>
#include <math.h>
int twice(int);
int main(void) { printf("%d %.6f\n", twice(21), sqrt(2)); return 0; }
C
echo 'int twice(int x) { return x * 2; }' > twice.c
printf 'main: main.o twice.o\n\tgcc -o $@ $^ -lm\n%%.o: %%.c\n\tgcc -O2 -Wall -c $<\n' > Makefile
make -s -j2
[ "$(./main)" = "42 1.414214" ]
gcc -shared -fPIC -o libtwice.so twice.c && gcc -o shared main.c -L. -ltwice -lm -Wl,-rpath,"$PWD"
[ "$(./shared)" = "42 1.414214" ]
gcc -static -O3 -o static main.c twice.c -lm && [ "$(./static)" = "42 1.414214" ]
cat > t.cc <<'C'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main() {
    std::map<std::string, int> m{{"a", 1}, {"b", 2}};
    try { m.at("c"); } catch (const std::out_of_range &) { std::cout << m.size() << " caught\n"; }
}
C
g++ -O2 -o t t.cc && [ "$(./t)" = "2 caught" ]
! gcc -c -o /dev/null - -xc <<< 'int main( {' 2> errors
grep -q error errors
# Not a pipe: grep -q leaves early, and pipefail would see SIGPIPE.
objdump -d main > listing
grep -q bl listing
echo done
