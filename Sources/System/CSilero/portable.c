// For every processor: the compiler splits the vectors into what there is (SSE2, NEON).
#define KERNEL_TARGET
#define KERNEL_RUN silero_run_portable
#include "kernel.inc"
