/*
 * fuzz.h - what the fuzzers share.  Each is one file NAME_fuzz.c with LLVMFuzzerTestOneInput; its
 * seeds are below seeds/NAME/; tests/fuzz/run runs them.
 *
 * A property that does not hold ends the program, which the fuzzer takes for a crash.
 */
#ifndef MIGSAFE_TESTS_FUZZ_H
#define MIGSAFE_TESTS_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HOLDS(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

#endif
