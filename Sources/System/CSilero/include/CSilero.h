#ifndef PARLEY_CSILERO_H
#define PARLEY_CSILERO_H

#include <stdbool.h>
#include <stddef.h>

// The Silero speech detector for one rate, 8000 or 16000 Hz. Pure functions over memory the caller owns.

#define SILERO_WIDTH 128
#define SILERO_CONTEXT_MAX 64

/// Weights in the order of the kernel: read by any number of threads at once, never written after they are made.
typedef struct silero_weights silero_weights;

/// What one call carries from chunk to chunk. All zero at a call's start.
typedef struct {
    float h[SILERO_WIDTH];
    float c[SILERO_WIDTH];
    float context[SILERO_CONTEXT_MAX];
} silero_state;

/// How many numbers the arrays of a rate have in all; 0 for a rate there is no model for.
size_t silero_number_count(int rate);

/// `numbers`: the rate's arrays as deploy/models lays them out. NULL for another count, another rate or no memory.
/// `portable` keeps to the instructions every processor has.
silero_weights *silero_weights_make(const float *numbers, size_t count, int rate, bool portable);
void silero_weights_free(silero_weights *weights);

/// Takes the samples just before the next chunk (32 at 8 kHz, 64 at 16 kHz) from `samples` in place of those remembered.
void silero_set_context(const silero_weights *weights, silero_state *state, const float *samples);

/// The probability of speech in one chunk: 256 samples at 8 kHz, 512 at 16 kHz, each -1...1.
float silero_run(const silero_weights *weights, silero_state *state, const float *samples);

#endif
