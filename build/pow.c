/* pow() is all that the program takes from libm, for a mode of the SDK's retries that it never turns on. Loading a library for that at
   every start is dearer than reading the cache; here it is loaded by the first call. */
#include <dlfcn.h>
#include <stdlib.h>

double pow(double base, double exponent) {
    void *libm = dlopen("libm.so.6", RTLD_NOW);
    double (*of_libm)(double, double) = libm ? (double (*)(double, double))dlsym(libm, "pow") : NULL;
    if (!of_libm) {
        abort();
    }
    return of_libm(base, exponent);
}
