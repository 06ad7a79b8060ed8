// For x86 processors since 2013; silero.c asks before it calls.
#if defined(__x86_64__)
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#define KERNEL_RUN silero_run_avx2
#include "kernel.inc"
#endif
